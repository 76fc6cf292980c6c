"""All rows of all books, and which of them hold for an address at a time."""
