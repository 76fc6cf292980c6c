"""Cases: their states and moves, silence, and the class of a site. Pure."""
