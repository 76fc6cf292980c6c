"""Observes a metered load, in a tree that has that kind of evidence: it becomes a valid event with its bits."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema

from exporters.forms.event import encode
from sensor.line.pipeline import Pipeline
from sensor.model import observation as model
from sensor.model.evidence import Grade
from sensor.signatures import load

signatures = load()
bits = signatures.weights.of("metered", "rose")
subject = model.Subject("192.0.2.1", "198.51.100.9", 3333, model.ObservationPoint("iface:eth0"))
seen = model.Observation("metered", Grade.BEHAVES, "load", bits, 1)  # type: ignore[arg-type]
pipeline = Pipeline(signatures)
pipeline.observe([model.Metered(subject, seen, (), 1, 1)])  # type: ignore[attr-defined]
(record,) = pipeline.finish()
event = json.loads(json.dumps(encode(record)))
jsonschema.validate(event, json.loads(Path("exporters/forms/eve.schema.json").read_text()))
sys.exit([part["bits"] for part in event["mining"]["observations"]] != [bits])
