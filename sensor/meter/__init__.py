"""Metered electricity: readings as power companies hand them over (`readings`), and what they say about mining
(`crosscheck`)."""
