"""What a message does that no signature describes: its verb (verbs) and its fields (fields)."""
