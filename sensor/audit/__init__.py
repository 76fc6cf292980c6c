"""Who looked at what and who changed what: rows that are only ever added, each with the hash of the one before it."""
