"""HTTP served from a thread of its own: a server with its bounds, TLS and users. Knows nothing of what is served."""
