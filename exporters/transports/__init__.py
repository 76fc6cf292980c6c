"""How bytes leave: HTTP, and lines to files and sockets."""
