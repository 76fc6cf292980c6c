"""The console attacked by wapiti and schemathesis as each role, bounded, on this host alone; `make desk-attack`."""
