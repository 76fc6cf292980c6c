"""The page of a replay, for an analyst: who mines, how much, how sure, why, and what was not understood.

`page.write` makes it of a `ReplayResult`; `panels` (with `details`) has what stands about one finding, `overview`
what stands about all, `gaps` what the counters mean, `strips` draws. Records and counters in, HTML out: no clock, so
that the same packets give the same bytes.
"""
