"""Where packets come from: captures, in whichever format, and interfaces. Nothing here knows what a frame holds."""
