"""The periodic summary for a regulator: its days (`period`), what they come to (`reckon`), the command's word (`word`)."""
