"""Sources of claims, one file a kind: a `Config` and a `load`."""
