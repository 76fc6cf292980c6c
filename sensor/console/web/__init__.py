"""The console as an application: routes, rules, furniture, the frame of pages, and the server."""
