"""Fuzz everything for some seconds in all: the targets of the core with cargo-fuzz, those of Python with atheris, and
damaged captures through both cores. What cannot run here is said.

`python -m tests.fuzz.run --seconds 60`. Finds are left in build/fuzz/finds; the exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.guided import MEMORY_MIB, SLOW_S
from tests.fuzz.targets.registry import GROUPS, group

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "fuzz"
CRATE = ROOT / "sensor" / "core" / "fuzz"
PYTHON_LIBRARY = PLACE / "python"
ATHERIS = "atheris>=3"
CARGO_FUZZ = "0.13.2"
#: Where inputs that must be files are written.
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Outcome:
    """What the fuzzing of one part came to."""

    name: str
    runs: int
    peak_mib: int
    finds: tuple[str, ...]

    def __str__(self) -> str:
        finds = f", FOUND: {', '.join(self.finds)}" if self.finds else ""
        return f"{self.name}: {self.runs:,} inputs, peak {self.peak_mib} MiB{finds}"


def core_targets() -> tuple[list[str], str]:
    """The fuzz targets of the core, built; or none, and why."""
    environment = {**os.environ, "PATH": f"{PLACE / 'cargo-home' / 'bin'}:{os.environ.get('PATH', '')}"}
    if shutil.which("cargo") is None or shutil.which("c++") is None:
        return [], "there is no Rust toolchain with a C++ compiler"
    toolchains = subprocess.run(["rustup", "toolchain", "list"], capture_output=True, text=True, check=False).stdout
    if "nightly" not in toolchains:
        return [], "there is no nightly toolchain of Rust"
    if shutil.which("cargo-fuzz", path=environment["PATH"]) is None:
        install = ["cargo", "install", "-q", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]
        if _failed([*install, "--root", str(PLACE / "cargo-home")], "cargo-fuzz.log", environment):
            return [], "cargo-fuzz cannot be installed (build/fuzz/cargo-fuzz.log)"
    build = ["cargo", "+nightly", "fuzz", "build", "--fuzz-dir", str(CRATE), "--target-dir", str(PLACE / "cargo")]
    if _failed(build, "build.log", environment):
        return [], "the fuzz targets do not build (build/fuzz/build.log)"
    return sorted(path.stem for path in (CRATE / "fuzz_targets").glob("*.rs")), ""


def atheris_missing() -> str:
    """Why Python's targets are not guided by coverage; empty if they are."""
    if importlib.util.find_spec("atheris") or (PYTHON_LIBRARY / "atheris").is_dir():
        return ""
    install = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", ATHERIS]
    if _failed([*install, "--target", str(PYTHON_LIBRARY)], "atheris.log", dict(os.environ)):
        return "atheris cannot be installed (build/fuzz/atheris.log): seeded damage instead"
    return ""


def _failed(command: Sequence[str], log: str, environment: dict[str, str]) -> bool:
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / log).open("wb") as out:
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=out, check=False).returncode != 0


def fuzz_core(name: str, seconds: float, keep: Path) -> Outcome:
    """One target of the core; libFuzzer ends at its first find. What was slow is looked at again, for the machine may
    have been busy.
    """
    program = next((PLACE / "cargo").glob(f"*/release/{name}"))
    corpus = PLACE / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(core_seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    flags: dict[str, object] = {"max_total_time": int(seconds), "seed": 1, "print_final_stats": 1}
    flags |= {"timeout": 20, "report_slow_units": int(SLOW_S), "rss_limit_mb": MEMORY_MIB, "max_len": 65_536}
    flags |= {"artifact_prefix": f"{keep}/{name}-"}
    command = [str(program), *(f"-{flag}={value}" for flag, value in flags.items()), str(corpus)]
    outcome = _fuzzed(name, command, keep, dict(os.environ))
    for find in [find for find in outcome.finds if f"{name}-slow-unit-" in find]:
        times = [_executed_ms(program, keep / find) for _ in range(3)]
        if min(times) <= 1_000 * SLOW_S:
            (keep / find).unlink()
    return Outcome(name, outcome.runs, outcome.peak_mib, _finds(keep))


def _executed_ms(program: Path, find: Path) -> int:
    """How long one input takes."""
    ended = subprocess.run([str(program), str(find)], capture_output=True, check=False, errors="replace")
    return _number(re.search(r"in (\d+) ms", ended.stderr))


def core_seeds(name: str) -> Iterator[bytes]:
    """Seeds in the form that a target of the core takes."""
    captures = group("captures").seeds() if name in ("capture", "frames") else []
    if name == "capture":
        yield from (content for content in captures if len(content) < 65_536)
    elif name == "frames":
        yield from (_frames(content) for content in captures if content[:4] == b"\xd4\xc3\xb2\xa1")
    elif name == "streams":
        yield from (_segments(part) for part in (1, 7, 60, 240))
    else:
        yield (
            b'\x08"mining.\x0aeth_submit\0\0\x01\x7b\x7b\x04\0'
            + b'\x07{"id":1\x14,"method":"mining.su\x10bscribe","a":[]}'
        )


def _frames(capture: bytes) -> bytes:
    frames, at = bytearray(), 24
    while at + 16 <= len(capture) and len(frames) < 60_000:
        length = int.from_bytes(capture[at + 8 : at + 12], "little")
        frames += b"\0\0" + length.to_bytes(2, "big") + capture[at + 16 : at + 16 + length]
        at += 16 + length
    return bytes(frames)


def _segments(part: int) -> bytes:
    """A dialogue with a handshake in segments of this size, as the target `streams` takes them."""
    segments, offsets = bytearray([0, 2, 0, 0, 0, 0, 0, 0, 1, 0x12, 0, 0, 0, 0, 1, 0]), [1, 1]
    for number in range(12):
        side = number % 2
        line = b'{"id":%d,"method":"mining.submit","params":["w","job_id"]}\n' % number
        for data in (line[at : at + part] for at in range(0, len(line), part)):
            numbers = offsets[side].to_bytes(2, "big") + offsets[1 - side].to_bytes(2, "big")
            segments += bytes([side, 0x18, 1]) + numbers + bytes([len(data)]) + data
            offsets[side] += len(data)
    return bytes(segments)


def fuzz_python(name: str, seconds: float, keep: Path) -> Outcome:
    """One group of the targets of Python; what was slow while it was watched is looked at again."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{PYTHON_LIBRARY}"}
    command = [sys.executable, "-m", "tests.fuzz.guided", name, "--seconds", str(seconds), "--keep", str(keep)]
    command += ["--corpus", str(PLACE / "corpus" / name)]
    outcome = _fuzzed(name, command, keep, environment)
    target = group(name)
    for find in [find for find in outcome.finds if "-slow-" in find]:
        began = time.process_time()
        target.feed((keep / find).read_bytes())
        if time.process_time() - began <= SLOW_S:
            (keep / find).unlink()
            (keep / f"{find}.txt").unlink()
    return Outcome(name, outcome.runs, outcome.peak_mib, _finds(keep))


def _fuzzed(name: str, command: list[str], keep: Path, environment: dict[str, str]) -> Outcome:
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="fuzz", dir=MEMORY if MEMORY.is_dir() else None) as place:
        ended = subprocess.run(
            ["nice", "-n", "10", *command],
            cwd=ROOT,
            env={**environment, "TMPDIR": place},  # libFuzzer ends a process without tidying up
            capture_output=True,
            check=False,
            errors="replace",
        )
    output = f"{ended.stdout}\n{ended.stderr}"
    if ended.returncode:
        (keep / f"{name}-ended-{ended.returncode}").write_text(output[-20_000:], encoding="utf-8", errors="replace")
    runs = re.search(r"executed_units: (\d+)|\"runs\": (\d+)", output)
    peak = re.search(r"peak_rss_mb: +(\d+)|\"peak_mib\": (\d+)", output)
    return Outcome(name, _number(runs), _number(peak), _finds(keep))


def _number(found: re.Match[str] | None) -> int:
    return 0 if found is None else int(found[found.lastindex or 0])


def _finds(keep: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in keep.iterdir() if path.suffix != ".txt"))


def fuzz(seconds: float, *, processes: int = 2) -> tuple[list[Outcome], list[str]]:
    """All parts, each for an equal share of the time; and what was skipped, with the reason."""
    chosen, reason = core_targets()
    skipped = [f"the targets of the core: {reason}"] if reason else []
    skipped += [text for text in (atheris_missing(),) if text]
    share = max(2.0, seconds * processes / (len(chosen) + len(GROUPS)))
    with ThreadPoolExecutor(processes) as pool:
        parts = [pool.submit(fuzz_core, name, share, PLACE / "finds" / name) for name in chosen]
        parts += [pool.submit(fuzz_python, name, share, PLACE / "finds" / name) for name in GROUPS]
        return [part.result() for part in parts], skipped


def main() -> int:
    """Fuzz, and print a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    outcomes, skipped = fuzz(options.seconds)
    for outcome in outcomes:
        print(f"fuzz: {outcome}")
    for reason in skipped:
        print(f"fuzz: SKIPPED {reason}")
    processor_s = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"fuzz: {processor_s.ru_utime + processor_s.ru_stime:.0f} s of CPU; finds are in {PLACE / 'finds'}")
    return any(outcome.finds for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main())
