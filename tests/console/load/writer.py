"""Writes into a ledger as a daemon does while the console is asked: each second a transaction of findings that go on,
each ten seconds coverage.

    python -m tests.console.load.writer URL SECONDS

Prints how many records it wrote, and the longest that one transaction took.
"""

from __future__ import annotations

import sys
import time

from sensor.ledger import Ledger
from sensor.model.time import HOUR_NS, SECOND_NS
from tests.bulletin.simulation import week
from tests.ledger.mining import mined, owned

#: Findings of a step, and seconds between steps; miners that go on in turn.
A_STEP, EVERY_S, MINERS = 20, 1.0, 400
#: Numbers of its miners: addresses that the simulation does not have.
FIRST = 60_000


def main() -> int:
    """Write for so many seconds."""
    url, seconds = sys.argv[1], float(sys.argv[2])
    ledger = Ledger.open(url, sensor_id="writer")
    began_s, began_ns = time.monotonic(), week().to_ns - 6 * HOUR_NS
    records, longest_s, step = 0, 0.0, 0
    try:
        while (now_s := time.monotonic() - began_s) < seconds:
            at_ns = began_ns + int((now_s + 60) * SECOND_NS)
            numbers = (FIRST + (step * A_STEP + each) % MINERS for each in range(A_STEP))
            findings = [
                mined(number, began_ns, at_ns, 10 + step, attribution=owned(number), activity="mining")
                for number in numbers
            ]
            asked_s = time.monotonic()
            ledger.record(findings, at_ns)
            if step % 10 == 9:
                ledger.add_coverage(began_ns, at_ns)
            longest_s = max(longest_s, time.monotonic() - asked_s)
            records, step = records + len(findings), step + 1
            time.sleep(max(0.0, step * EVERY_S - (time.monotonic() - began_s)))
    finally:
        ledger.close()
    print(f"{records} {longest_s:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
