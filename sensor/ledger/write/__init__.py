"""The ledger's write side: what a record changes in the tables. Sees the store and not the read side."""
