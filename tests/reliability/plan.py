"""The tests of `make reliability`: what each asks, and what passes (facts/ecosystem.md, C5)."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from tests.reliability.result import Result
from tests.reliability.selected import passed


@dataclass(frozen=True)
class Test:
    """One line of the table."""

    name: str
    asks: str
    pass_line: str
    #: `module:function` of this folder, or the words pytest is given.
    by: str

    @property
    def command(self) -> str:
        return f"make reliability ONLY={self.name}"

    def run(self) -> Result:
        if ":" in self.by and "::" not in self.by:
            module, _, function = self.by.partition(":")
            result: Result = getattr(importlib.import_module(f"tests.reliability.{module}"), function)()
            return result
        return passed(*(word.replace("_or_", " or ") for word in self.by.split()))


#: Of the project's own tests, those with one of these in their names.
HOSTILE = ("hostile", "script", "formula", "chromium", "steer", "breaks", "any_text", "any_record", "promtool")
STOPS = ("told_to_stop", "told_twice", "bad_configuration", "cannot_be_started", "hangs", "watchdog", "falls_silent")

TESTS = (
    Test(
        "T1",
        "live load on a cable",
        "100 kpps for 10 min without a drop, 200 kpps 0.1 %, top speed accounted for",
        "benches:live",
    ),
    Test("T2", "speed of a replay", "125 MB/s, 250 kpps, 500 MB; -j 1 and -j 2 tell the same", "offline:speed"),
    Test("T3", "a capture in every way it can come", "the same events", "offline:parity"),
    Test("T4", "2,000,000 flows of SYNs beside 50 miners", "50 exact, at most 502 MB", "flood:run"),
    Test(
        "T5",
        "an hour at 50 kpps with disturbances",
        "1 MB/h, descriptors and threads do not grow, no ping missed, all packets accounted for",
        "soak:run",
    ),
    Test("T6", "packet to alert, and scrapes", "2 s and 200 ms (99th percentile), 500 series", "benches:latency"),
    Test(
        "T7",
        "evasion matrix",
        "every unambiguous case exact, every other found or counted, in both cores",
        "evasion.matrix:run_all",
    ),
    Test("T8", "packets lost at random", "99, 97, 90 % found at 0.1, 1, 5 %; none wrong", "loss:run"),
    Test("T9", "damaged captures", "no panic, no hang, 300 MB", "malformed:run"),
    Test("T10", "coverage-guided fuzzing", "no crash, no input over 1 s, 512 MB", "fuzzing:run"),
    Test("T11", "hostile payloads", "nothing raised, 64 KiB a direction, half the speed", "hostile:run"),
    Test(
        "T12",
        "hostile names in every output",
        "every output valid, no script runs, no formula",
        f"tests/exporters tests/ledger tests/bulletin tests/cli -k {'_or_'.join(HOSTILE)}",
    ),
    Test("T13", "50 kills while events are written", "none lost, none doubled, start in 3 s", "benches:kills"),
    Test("T13b", "200 cuts of the power while events are written", "every ledger whole", "power_cut:run"),
    Test("T14", "receivers down while 200,000 events come", "none lost, drained in 60 s", "benches:outage"),
    Test("T15", "disk full", "nothing lost, over when there is room", "tests -k full_disk"),
    Test(
        "T16",
        "interface down, up, deleted; clocks",
        "heard again, none negative",
        "tests/live tests/daemon -k interface_or_clock",
    ),
    Test("T17", "100 reloads under load", "no packet dropped, broken ones refused with the line", "benches:reloads"),
    Test(
        "T18",
        "stops, hangs, bad configurations",
        "ends in 5 s, restarted, all mistakes told",
        f"tests/daemon tests/deploy -k {'_or_'.join(STOPS)}",
    ),
    Test(
        "T19",
        "sandbox",
        "exposure 2.0; what is not needed is denied",
        "tests/deploy tests/daemon -k exposure_or_sandbox",
    ),
    Test("T20a", "attribution at full size", "equal to brute force, bad rows told", "benches:attribution"),
    Test(
        "M1",
        "3,000 short connections a second beside a miner, on a cable",
        "80 of 80 shares, under 500 MB, at most 100 events, healthy, ends in 5 s under load",
        "beginnings:run",
    ),
    Test(
        "M2",
        "a new miner after one-byte packets of 16,384 and of 1,000,000 sources",
        "everything known of it, 500 MB",
        "cheap:openings",
    ),
    Test(
        "M3",
        "9,000 holes and 10,000 unfinished lines beside a miner",
        "miner exact, 1 GB (half of the unit's MemoryMax)",
        "cheap:held",
    ),
    Test(
        "M4",
        "an innocent address accused by a single sender",
        "at most an attempt, nothing reported, no case; real sessions found",
        "framing:run",
    ),
    Test(
        "M5",
        "100,000 pools, 300,000 short candidates, 1,000,000 bytes one by one, 100,000 logins on one connection",
        "each linear (ten times as much at most twelve times the time), under 1 GB, all counted",
        "scale:run",
    ),
)
