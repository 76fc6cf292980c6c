"""From the rows that hold to whose an address was, in words."""
