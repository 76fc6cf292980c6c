"""The configuration: the file, its sections, and what is wrong with them."""
