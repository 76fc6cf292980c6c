"""When captures are of, by their first packets: in which order to read them, and which are of a time that cannot be.

A sensor that booted before its clock was set writes captures of another year. They are told by the wall clock, or by
their neighbours. Reads the beginning of files; the wall clock is handed in.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from sensor.intake.sources import STDIN
from sensor.model.time import DAY_NS, SECOND_NS, PlausibleTime
from sensor.reference.capture.bytestream import CaptureError
from sensor.reference.capture.capture_file import CaptureFile

#: Packets of a capture that are looked at for the first with a time.
MOST_LOOKED_AT = 16


def first_packet_ns(source: str) -> int | None:
    """When a capture's first packet is of; None where that cannot be found out, or only by reading it once for all."""
    if source == STDIN:
        return None
    try:
        capture = CaptureFile(source)
    except CaptureError:
        return None
    try:
        for _, (ts_ns, link, _frame) in zip(range(MOST_LOOKED_AT), capture.packets(), strict=False):
            if ts_ns is not None and link is not None:
                return ts_ns
        return None
    finally:
        capture.close()


def why_off_clock(starts: Sequence[int | None], at: int, plausible: PlausibleTime) -> str | None:
    """Why the capture at a place among others, which are in the order they were written in, is of a time that cannot
    be; None: it can."""
    start_ns = starts[at]
    if start_ns is None:
        return None
    if start_ns > plausible.latest_ns:
        return f"its packets are of {_date(start_ns)}, which has not come yet"
    if start_ns < plausible.earliest_ns:
        return f"its packets are of {_date(start_ns)}, when nothing was mined yet"
    before = _neighbour(starts[:at][::-1], start_ns, plausible)
    after = _neighbour(starts[at + 1 :], start_ns, plausible)
    if before is None or after is None or abs(after - before) > 2 * DAY_NS:
        return None
    if min(abs(start_ns - before), abs(start_ns - after)) <= DAY_NS or before <= start_ns <= after:
        return None
    return f"its packets are of {_date(start_ns)}, and those of the captures around it of {_date(before)}"


def _neighbour(starts: Sequence[int | None], start_ns: int, plausible: PlausibleTime) -> int | None:
    """The nearest capture that is of another time than this: those written by the same wrong clock do not count."""
    others = (other for other in starts if other is not None and plausible.holds(other))
    return next((other for other in others if abs(other - start_ns) > DAY_NS), None)


def _date(at_ns: int) -> str:
    try:
        return datetime.datetime.fromtimestamp(at_ns // SECOND_NS, datetime.UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "a year without a name"
