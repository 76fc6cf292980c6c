"""How much memory lines of 400 KB and endless ones take, and whether every share among them is counted:
`python -m tests.bench.long_lines [--shares 60] [--endless 8] [--megabytes 2]`.

A capture is made with one session of ordinary shares and shares of 400 KB, beside connections that send 2 MB without
a line feed, which stay open to the end of the capture. Each engine replays it in a process of its own; printed are the
shares, the counters and the peak of the resident memory, also that of the same capture with proofs of 100 bytes and no
endless lines, with lines four times as long, and with four times as many.

The peak is VmHWM of proc(5), which begins anew with the program. `ru_maxrss` of getrusage(2) does not: it is at least
what the process held that started this one, here the whole capture. Measured so, what an endless line costs is 0.15 MB
for each connection that has one, however long it is.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sensor import signatures
from sensor.intake import engine
from sensor.line.replay import replay
from tests.demo.wire import Tcp, Wire, host

FILLERS = (b"A", b'"a",', b'\\"', b"[1],", b'{"a":1},', b"\x00\xff")


def session(wire: Wire, shares: int, proof_bytes: int) -> None:
    """One miner; every second share has a proof."""
    rng = random.Random(1)
    tcp = Tcp(wire, host("198.51.100.1"), host("203.0.113.1"), (40_000, 3333), 0).open()
    tcp.client(b'{"id":1,"method":"login","params":{"login":"acct.rig","pass":"x","agent":"XMRig/6.21.0"}}\n')
    job = {"blob": rng.randbytes(76).hex(), "job_id": "j1", "target": "711b0d00", "algo": "rx/0"}
    tcp.server(
        json.dumps({"id": 1, "error": None, "result": {"id": "s1", "job": job, "status": "OK"}}).encode() + b"\n"
    )
    for number in range(shares):
        params = {"id": "s1", "job_id": "j1", "nonce": rng.randbytes(4).hex(), "result": rng.randbytes(32).hex()}
        if number % 2:
            params["proof"] = "x" * proof_bytes
        tcp.client(json.dumps({"id": 2 + number, "method": "submit", "params": params}).encode() + b"\n")
        tcp.server(json.dumps({"id": 2 + number, "error": None, "result": {"status": "OK"}}).encode() + b"\n")


def make(path: Path, shares: int, proof_bytes: int, endless: int, line_bytes: int = 2_000_000) -> None:
    """Write the capture, with `endless` connections that send `line_bytes` without a line feed."""
    wire = Wire()
    session(wire, shares, proof_bytes)
    for number in range(endless):
        tcp = Tcp(wire, host(f"198.51.100.{2 + number % 200}"), host("203.0.113.2"), (50_000 + number, 3333), 0).open()
        filler = FILLERS[number % len(FILLERS)]
        tcp.client(b'{"id":1,"method":"mining.submit","params":["' + filler * (line_bytes // len(filler)))
    wire.write(path)


def peak_mb() -> float:
    """The most that this program had resident."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(path: str, name: engine.Name) -> None:
    """Replay in this process, and print what came of it."""
    done = replay([path], signatures.load(), engine.load(name), {"workers": 1, "flows": 4096})
    shares = [(one.shares.submitted, one.shares.accepted) for one in done.findings if one.login]
    counters = {key: done.lines[key] for key in ("lines_cut", "line_bytes_skipped") if key in done.lines}
    print(f"{name:9}  shares {shares}  {counters}  peak RSS {peak_mb():.0f} MB", flush=True)


def measured(path: Path, name: str) -> str:
    """What `measure` prints in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.long_lines", "--measure", str(path), name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shares", type=int, default=60)
    parser.add_argument("--endless", type=int, default=8)
    parser.add_argument("--megabytes", type=int, default=2, help="of an endless line")
    parser.add_argument("--measure", nargs=2)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
        return
    endless, line_bytes = options.endless, options.megabytes * 1_000_000
    with TemporaryDirectory() as folder:
        for label, proof_bytes, number, size in (
            ("short lines", 100, 0, 0),
            ("shares of 400 KB, and endless lines", 400_000, endless, line_bytes),
            ("the same, endless lines four times as long", 400_000, endless, 4 * line_bytes),
            ("the same, four times as many", 400_000, 4 * endless, line_bytes),
        ):
            path = Path(folder) / "lines.pcap"
            make(path, options.shares, proof_bytes, number, size)
            print(f"{label}: {path.stat().st_size / 1e6:.0f} MB")
            for name in ("compiled", "reference"):
                print(measured(path, name), flush=True)


if __name__ == "__main__":
    main()
