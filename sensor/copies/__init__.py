"""Copies of a whole desk: ledger, accounts, audit and attachments together, into a folder and back, or into another
database."""
