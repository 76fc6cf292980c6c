"""Tables that people hand over: rows of text with their line, dates and text as people write them."""
