"""How findings leave the sensor. Exporters see `sensor.model` and nothing else of the sensor.

A file in `kinds/` is a kind of exporter: it has a `Config`, and its name is the key in the configuration's section
`exporters`. One with a `Sender`, too, is fed from the outbox. It does its input and output there, in a thread of its
own, through `transports/`. `forms/` has the encodings: pure functions.
"""
