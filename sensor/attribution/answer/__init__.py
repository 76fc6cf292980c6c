"""From the rows that match a question to a decision, and to its explanation. No file, no clock."""
