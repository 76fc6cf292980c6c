"""Sessions of old work, played at the time of that work: a header of another time than its packets proves nothing."""

from __future__ import annotations

import re

from sensor.line.examples import EPOCH_NS
from sensor.model.events import Chunk, Event
from sensor.model.finding import Finding
from sensor.model.time import SECOND_NS
from tests.session import dialogue

_JOB_TIME = re.compile(rb'"mining.notify".*"([0-9a-f]{8})", (?:true|false)\]')


def shifted(stream: list[Event]) -> list[Event]:
    """The events, those from a job on as late as that job says it is; those before the first job as the first."""
    jobs = [
        int(found[1], 16) for event in stream if isinstance(event, Chunk) for found in _JOB_TIME.finditer(event.data)
    ]
    by = jobs[0] * SECOND_NS - EPOCH_NS if jobs else 0
    result: list[Event] = []
    for event in stream:
        found = _JOB_TIME.search(event.data) if isinstance(event, Chunk) else None
        if found is not None:
            by = int(found[1], 16) * SECOND_NS - EPOCH_NS
        own = {"ts_ns": by, "first_ns": jobs[0] * SECOND_NS - EPOCH_NS if jobs else 0, "last_ns": by}
        times = {name: getattr(event, name) + late for name, late in own.items() if hasattr(event, name)}
        result.append(event._replace(**times))
    return result


def events(text: str, **options: object) -> list[Event]:
    """The events of a dialogue at the time of its work."""
    return shifted(dialogue.events(text, **options))


def findings(text: str, **options: object) -> list[Finding]:
    """What is found in them."""
    records, _ = dialogue.run(events(text, **options))
    return [record for record in records if isinstance(record, Finding)]


def only(text: str, **options: object) -> Finding:
    """The only thing that is found."""
    (found,) = findings(text, **options)
    return found
