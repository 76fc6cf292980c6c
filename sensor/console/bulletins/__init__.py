"""Bulletins of viewers: how one is made (`making`), which there are (`press`), and their pages (`shown`)."""
