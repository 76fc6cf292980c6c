"""The daemon: the line over live interfaces or a folder that fills, for months. It owns the loop, the signals and what
can be reloaded.

while running:  events = core.poll()  ->  findings = pipeline.step(events)  ->  attribution  ->  ledger.record  ->
delivery, by cursor
"""
