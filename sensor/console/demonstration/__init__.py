"""A small province that never was, for `minewatch console --demo`: invented holders, addresses of documentation."""
