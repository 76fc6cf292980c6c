"""T2 and T3: the speed of a replay, and that every way a capture can come gives the same.

`python -m tests.reliability.offline` prints both.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import lz4.frame
import zstandard

from tests.bench.captures import MIXED, make
from tests.bench.live import FOLDER
from tests.demo.make_demo import make as make_demo
from tests.reliability.child import Cost, replayed
from tests.reliability.result import Result
from tests.reliability.selected import passed

#: facts/ecosystem.md C5, T2.
BYTES_PER_S, PACKETS_PER_S, RSS_BYTES = 125_000_000, 250_000, 500_000_000
ROUNDS = 4


def told(cost: Cost) -> list[str]:
    """The events in an order of their own, without the name of the file."""
    return sorted(json.dumps(nameless(one), sort_keys=True) for one in cost.events if one["event_type"] != "stats")


def nameless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: nameless(member) for key, member in value.items() if key != "pcap_filename"}
    return [nameless(member) for member in value] if isinstance(value, list) else value


def speed() -> Result:
    """The mixed capture four times over, by one worker and by two."""
    path = make(MIXED, FOLDER)
    number = json.loads(path.with_suffix(".json").read_text())["packets"]
    sources = [path] * ROUNDS
    one, two = (replayed(*sources, options=("-j", jobs)) for jobs in "12")
    bytes_per_s, packets_per_s = ROUNDS * path.stat().st_size / one.wall_s, ROUNDS * number / one.wall_s
    same = told(one) == told(two)
    figure = (
        f"{bytes_per_s / 1e6:.0f} MB/s, {packets_per_s / 1e3:.0f} kpps, {one.rss_bytes / 1e6:.0f} MB resident, over "
        f"{ROUNDS * path.stat().st_size / 1e6:.0f} MB; one worker and two tell "
        f"{'the same' if same else 'DIFFERENT things'}"
    )
    enough = bytes_per_s >= BYTES_PER_S and packets_per_s >= PACKETS_PER_S and one.rss_bytes <= RSS_BYTES
    return Result(figure, enough and same)


def parity() -> Result:
    """The demo's capture as a file, packed in three ways, in a folder, on standard input, and heard on a cable."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = folder / "demo.pcap"
        make_demo(plain)
        data = plain.read_bytes()
        ways = {"file": told(replayed(plain))}
        packed = {".gz": gzip.compress(data, 1), ".zst": zstandard.compress(data), ".lz4": lz4.frame.compress(data)}
        for ending, content in packed.items():
            path = folder / f"demo.pcap{ending}"
            path.write_bytes(content)
            ways[ending] = told(replayed(path))
            path.unlink()
        ways["folder"] = told(replayed(folder))
        ways["standard input"] = told(from_standard_input(data))
    wrong = [way for way, events in ways.items() if events != ways["file"]]
    live = passed("tests/live/test_live_is_file.py")
    figure = f"{len(ways['file'])} events, the same in {len(ways) - len(wrong)} of {len(ways)} ways ({', '.join(ways)})"
    if wrong:
        figure += f"; not in {', '.join(wrong)}"
    return Result(
        f"{figure}; live: {live.figure}", None if live.passed is None and not wrong else not wrong and bool(live.passed)
    )


def from_standard_input(data: bytes) -> Cost:
    command = [sys.executable, "-m", "sensor.cli", "replay", "-", "--eve", "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    return Cost(done.returncode, 0.0, 0.0, 0, [json.loads(line) for line in done.stdout.splitlines()], "")


if __name__ == "__main__":
    print(speed(), parity(), sep="\n")
