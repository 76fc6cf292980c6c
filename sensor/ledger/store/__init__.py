"""What the ledger stands on: its tables, the database, records as text, amounts and bounds. Sees neither the write nor
the read side."""
