"""Where packets come from: the engine, captures, folders, interfaces."""
