"""When captures are of, by their packets: in which order to read them, and which are of a time that cannot be.

A sensor that booted before its clock was set writes captures of another year. They are told by the wall clock, or by
their neighbours. Reads the beginning of files; the wall clock is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensor.intake.sources import STDIN
from sensor.model.time import ANY_TIME, DAY_NS, PlausibleTime, day_text

#: Packets of a capture that are looked at for the first with a time.
MOST_LOOKED_AT = 16
#: Packets that are looked at for the first of a time that can be, where the first of all is of another: the clock may
#: have been set while the capture was written. About a second's reading.
MOST_SEARCHED = 500_000


def first_packet_ns(source: str, plausible: PlausibleTime = ANY_TIME) -> int | None:
    """When a capture's first packet of a plausible time is of, or its first of all if none of them is; None where that
    cannot be found out, or only by reading it once for all."""
    if source == STDIN:
        return None
    # The whole reference core comes with them, and one capture alone is not asked.
    from sensor.reference.capture.bytestream import CaptureError
    from sensor.reference.capture.capture_file import CaptureFile

    try:
        capture = CaptureFile(source)
    except CaptureError:
        return None
    first_ns = None
    try:
        for number, (ts_ns, link, _frame) in enumerate(capture.packets()):
            if ts_ns is not None and link is not None:
                if plausible.holds(ts_ns):
                    return ts_ns
                first_ns = ts_ns if first_ns is None else first_ns
            if number >= (MOST_LOOKED_AT if first_ns is None else MOST_SEARCHED):
                break
        return first_ns
    finally:
        capture.close()


def off_clock(starts: Sequence[int | None], plausible: PlausibleTime) -> dict[int, str]:
    """Which of these captures, in the order in which they were written, are of a time that cannot be, and why."""
    reasons: dict[int, str] = {}
    runs: list[list[int]] = []  # captures of about one time that follow each other
    for at, start_ns in enumerate(starts):
        if start_ns is None:
            continue
        if not plausible.holds(start_ns):
            late = start_ns > plausible.latest_ns
            reasons[at] = f"{_of(start_ns)}, {'which has not come yet' if late else 'when nothing was mined yet'}"
        elif runs and abs(start_ns - _time(starts, runs[-1][-1])) <= DAY_NS:
            runs[-1].append(at)
        else:
            runs.append([at])
    for before, run, after in zip(runs, runs[1:], runs[2:], strict=False):
        before_ns, after_ns = _time(starts, before[-1]), _time(starts, after[0])
        if abs(after_ns - before_ns) <= 2 * DAY_NS and not before_ns <= _time(starts, run[0]) <= after_ns:
            around = f"and those of the captures around it of {day_text(before_ns)}"
            reasons.update({at: f"{_of(_time(starts, at))}, {around}" for at in run})
    return reasons


def _time(starts: Sequence[int | None], at: int) -> int:
    return starts[at] or 0


def _of(start_ns: int) -> str:
    return f"its packets are of {day_text(start_ns)}"
