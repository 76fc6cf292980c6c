"""The console under load: a large ledger, visitors who think, a writer beside them; `make desk-load`."""
