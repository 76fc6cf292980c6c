"""The ledger's read side: what a ledger knows, as plain data. `LedgerReader` is the one way in; the other modules are
its queries."""
