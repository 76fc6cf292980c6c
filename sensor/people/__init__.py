"""The accounts of the console: who may sign in, as what, and for which divisions. Knows no web server."""
