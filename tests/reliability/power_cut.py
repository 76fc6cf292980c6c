"""The power goes while the ledger is written: what had been synced is there, of the rest any part in any order.

A writer runs under strace, which says every write and every sync. At random moments a disk is made up as a cut would
leave it: all writes before a file's last sync, and of those after it some, whole or to a sector's end. Opened again,
the ledger must hold every step that was said to be committed, and none by halves.

`python -m tests.reliability.power_cut [--cuts N] [--seed N]`
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.ledger.writer import check
from tests.reliability.result import Result

CUTS, STEPS = 200, 12
SECTOR_BYTES = 512
CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,unlink,close"
CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")


class Call(NamedTuple):
    """A system call that succeeded: its words as strace prints them, and what it gave back."""

    name: str
    words: str
    result: int


@dataclass
class Stored:
    """A file as the disk surely has it, and what was written to it since."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes] | int] = field(default_factory=list)  # a place and bytes, or a new length

    def sync(self) -> None:
        for change in self.since:
            apply(self.synced, change)
        self.since = []

    def after_a_cut(self, draw: random.Random) -> bytes:
        """What is there when power is back: writes since the last sync may be there or not, in any order, or torn."""
        image = bytearray(self.synced)
        changes = [change for change in self.since if draw.random() < 0.5]
        draw.shuffle(changes)
        for change in changes:
            if isinstance(change, tuple) and draw.random() < 0.3:
                place, data = change
                change = (place, data[: draw.randrange(0, len(data) + 1) // SECTOR_BYTES * SECTOR_BYTES])
            apply(image, change)
        return bytes(image)


def apply(image: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del image[change:]
        image.extend(bytes(change - len(image)))
        return
    place, data = change
    image.extend(bytes(max(0, place + len(data) - len(image))))
    image[place : place + len(data)] = data


def traced(folder: Path) -> list[Call]:
    """The system calls of a writer, up to the step at which it was ended."""
    out = folder / "trace"
    command = ["strace", "-f", "-xx", "-s", "4000000", "-e", f"trace={CALLS}", "-o", str(out)]
    command += [sys.executable, "-m", "tests.ledger.writer", f"sqlite:///{folder}/ledger.db", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(STEPS + 1):
            process.stdout.readline()
        subprocess.run(["pkill", "-9", "-P", str(process.pid)], check=False)
    found = (CALL.match(line) for line in out.read_text(errors="replace").splitlines())
    return [Call(one[1], one[2], int(one[3])) for one in found if one and int(one[3]) >= 0]


def unescaped(text: str) -> bytes:
    """strace's \\xNN text between the first quotes."""
    return bytes.fromhex(text[text.index('"') + 1 : text.rindex('"')].replace("\\x", ""))


def states(calls: list[Call]) -> Iterator[tuple[dict[str, Stored], int]]:
    """After every call that matters: the ledger's files, and the step last said to be committed (0: none)."""
    files: dict[str, Stored] = {}
    open_files: dict[int, str] = {}
    step = 0
    for call in calls:
        number = int(call.words.partition(",")[0]) if call.words[:1].isdigit() else -1
        name = open_files.get(number)
        if call.name == "openat":
            path = unescaped(call.words).decode(errors="replace")
            open_files.pop(call.result, None)
            if "ledger.db" in path and not path.endswith("-shm"):
                open_files[call.result] = Path(path).name
                files.setdefault(Path(path).name, Stored())
        elif call.name == "close":
            open_files.pop(number, None)
        elif call.name == "write" and number == 1:
            text = unescaped(call.words).decode().strip()
            step = int(text) if text.isdigit() else step
        elif call.name == "unlink":
            files.pop(Path(unescaped(call.words).decode(errors="replace")).name, None)
        elif name and call.name == "pwrite64":
            files[name].since.append((int(call.words.rpartition(",")[2]), unescaped(call.words)))
        elif name and call.name == "ftruncate":
            files[name].since.append(int(call.words.rpartition(",")[2]))
        elif name and call.name in ("fsync", "fdatasync"):
            files[name].sync()
        else:
            continue
        yield files, step


def run(cuts: int = CUTS, seed: int = 1) -> Result:
    """So many cuts at moments drawn from all, each opened and looked at."""
    if not shutil.which("strace"):
        return Result("needs strace", None)
    draw = random.Random(seed)
    faults: list[str] = []
    tried = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calls = traced(folder)
        moments = [place for place, (_, step) in enumerate(states(calls)) if step]
        chosen = set(draw.sample(moments, min(cuts, len(moments))))
        for place, (files, step) in enumerate(states(calls)):
            if place in chosen:
                tried += 1
                fault = opened(folder / f"cut{place}", files, step, draw)
                faults += [f"call {place}, step {step}: {fault}"] if fault else []
    figure = f"{tried} cuts while {STEPS} steps were written, seed {seed}: {tried - len(faults)} ledgers whole"
    return Result("; ".join([figure, *faults[:3]]), tried > 0 and not faults)


def opened(folder: Path, files: dict[str, Stored], step: int, draw: random.Random) -> str:
    """What is wrong with the ledger that the cut left, or nothing."""
    folder.mkdir()
    for name, stored in files.items():
        (folder / name).write_bytes(stored.after_a_cut(draw))
    try:
        check(f"sqlite:///{folder}/ledger.db", [step])
    except Exception as error:  # whatever it is, it is what is being looked for
        return f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder)
    return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=CUTS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(run(arguments.cuts, arguments.seed))
