"""What is told by behaviour alone: the grammar of line lengths in an encrypted session, the beat of a coin's blocks,
bursts that flows of one server share.

Pure functions and small states: lengths and times go in, observations with their chances come out. Knows signatures;
knows no clear sessions and no files.
"""
