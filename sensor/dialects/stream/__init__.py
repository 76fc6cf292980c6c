"""Messages, and what a reader of a stream is and declares. Knows no framing."""
