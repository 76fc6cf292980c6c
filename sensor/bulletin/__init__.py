"""The periodic summary for a regulator: its days (`period`), its sums (`aggregate`), how owners are shown (`owners`),
and meters (`meters`)."""
