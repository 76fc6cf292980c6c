"""The ledger's writing side: what a record changes."""
