"""The command `minewatch`: one file a command, and the frame they share."""
