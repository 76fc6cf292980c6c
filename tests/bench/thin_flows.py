"""What thin sessions cost in memory: 200,000 of them followed at once by the compiled core, beside the same capture
with none followed. The difference of the resident memory is all they take: the sessions, their index, what is held.

`python -m tests.bench.thin_flows [SESSIONS]`
"""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sensor.intake import engine
from sensor.model.events import End

SESSIONS = 200_000
#: Each session has records that far apart: the third comes after its first minute, so it is judged.
APART_S = (0, 30, 61)
START_S = 1_700_000_000
ROUNDS = 5  # what the allocators keep for themselves differs from run to run; the least is taken


def frames(sessions: int) -> Iterator[bytes]:
    """Packets of raw IP with their headers in the capture: of each session three records that its client sends."""
    for round_, at_s in enumerate(APART_S):
        for number in range(sessions):
            body = struct.pack(">BHH", 23, 0x0303, 40) + b"\xe7" * 40
            tcp = struct.pack(">HHIIBBHHH", 40_000, 443, 1 + round_ * len(body), 1, 0x50, 0x18, 501, 0, 0)
            head = struct.pack(">BBHHHBBHII", 0x45, 0, 40 + len(body), 0, 0, 64, 6, 0, 0x0A000000 + number, 0xC0000201)
            frame = head + tcp + body
            at_us = number * 1_000_000 // sessions
            yield struct.pack("<IIII", START_S + at_s, at_us, len(frame), len(frame)) + frame


def resident_bytes() -> int:
    """Of this process."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def measure(capture: str, thin_flows: int) -> tuple[int, int]:
    """Resident memory with all sessions open, and how many are followed."""
    limits = {"flows": 262_144, "thin_flows": thin_flows, "thin_bytes": 256 * SESSIONS}
    core = engine.load("compiled").core([], [], limits)
    core.attach(capture)
    ended = False
    while not ended:
        ended = any(isinstance(event, End) for event in core.poll(1_024, 100))
    followed = core.stats()
    held = resident_bytes()
    assert followed["thin_admitted"] == followed["thin_flows"] == thin_flows
    core.close()
    return held, followed["thin_flows"]


def main() -> None:
    """Measure in two processes, and print what one session takes."""
    if len(sys.argv) == 4:
        print(*measure(sys.argv[2], int(sys.argv[3])))
        return
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    half, whole = (more_bytes(count) for count in (sessions // 2, sessions))
    print(f"{sessions:,} thin sessions followed: {whole / 1e6:.1f} MB more than without, all in all")
    print(f"of the second half of them each takes {(whole - half) / (sessions - sessions // 2):.0f} bytes more")


def more_bytes(sessions: int) -> int:
    """Resident memory that following so many takes."""
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "thin.pcap"
        with capture.open("wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101))
            out.writelines(frames(sessions))
        held: dict[int, list[int]] = {0: [], sessions: []}
        for thin_flows in ROUNDS * list(held):
            words = [sys.executable, "-m", "tests.bench.thin_flows", "one", str(capture), str(thin_flows)]
            answer = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
            held[thin_flows].append(int(answer[0]))
    return min(held[sessions]) - min(held[0])


if __name__ == "__main__":
    main()
