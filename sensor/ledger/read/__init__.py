"""The ledger's reading side: what a ledger knows, as plain data."""
