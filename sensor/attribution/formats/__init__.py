"""Formats that sources read: leases, translator logs, headings, certificates."""
