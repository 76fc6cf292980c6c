"""The desk's console: pages of a ledger for people who see some divisions and not others. It never writes."""
