"""Damaged captures through both cores, each core in a process of its own: it ends in time and in bounds, says why it
stopped and where, and tells what came before the damage.

`python -m tests.reliability.malformed` prints what is not as expected, and the figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sensor.intake import engine
from sensor.intake.engine import EngineError, SourceError
from sensor.model.events import Chunk, End
from tests.reliability.damaged_captures import HELLO, MIB, DamagedCapture, corpus
from tests.reliability.result import Result

#: A second of CPU, and one more for each 100 MB that the capture holds.
SECOND_S, BYTES_A_SECOND = 1.0, 100_000_000
MEMORY_MIB = 300
#: A process of the whole corpus; it is stopped after this.
LIMIT_S = 300
LITERALS = [b'"mining.']
OPENINGS = [(6, 0, [(0x7B, 0x7B)], 4_096)]


def read(core_engine: engine.Engine, source: Path) -> dict[str, object]:
    """What a core tells of one file."""
    core = core_engine.core(LITERALS, OPENINGS, {"flows": 4_096, "workers": 1})
    began, answer = time.process_time(), {"packets": 0, "error": "", "offset": 0, "first": False}
    try:
        core_engine.attach(core, str(source))
    except SourceError as error:
        answer |= {"error": error.reason, "refused": True}
    core.finish()
    while not core.finished:
        for event in core.poll(4_096, 50):
            if isinstance(event, End):
                answer |= {"packets": event.packets, "error": event.error or "", "offset": event.offset}
            elif isinstance(event, Chunk):
                answer["first"] = answer["first"] or event.data.startswith(HELLO)
    core.close()
    return {**answer, "seconds": round(time.process_time() - began, 3)}


def child(engine_name: Any, folder: Path) -> None:
    """Read every file of the folder; a line of JSON for each, and one with the memory."""
    core_engine = engine.load(engine_name)
    for path in sorted(folder.iterdir()):
        print(json.dumps({"file": path.name, **read(core_engine, path)}), flush=True)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"peak_mib": int(peak.split()[1]) // 1_024}))


def write(folder: Path) -> dict[str, DamagedCapture]:
    """The corpus as files: the captures by the names of their files."""
    cases = {f"{number:03}": case for number, case in enumerate(corpus())}
    for name, case in cases.items():
        (folder / name).write_bytes(case.make())
    return cases


def wrong(case: DamagedCapture, answer: dict[str, Any], size: int, allowed_s: float) -> str:
    """What is not as expected; empty if all is."""
    if answer.get("refused", False) != case.refused or (case.error and answer["error"] != case.error):
        return f"error {answer['error']!r}"
    if not case.error and not case.refused and answer["error"]:
        return f"error {answer['error']!r}"
    if answer["packets"] != case.packets:
        return f"{answer['packets']} packets instead of {case.packets}"
    if answer["offset"] > max(size, case.holds_bytes) + MIB:
        return f"offset {answer['offset']}"
    return f"{answer['seconds']} s" if answer["seconds"] > allowed_s else ""


def run_engine(name: str, folder: Path, cases: dict[str, DamagedCapture]) -> tuple[list[str], str]:
    """One core over all files: what is wrong, and the figures."""
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--child", name, str(folder)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return [f"{name}: not over after {LIMIT_S} s"], ""
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    if ended.returncode or len(lines) != len(cases) + 1:
        return [f"{name}: ended with {ended.returncode} after {len(lines)} files: {ended.stderr[-400:]}"], ""
    problems, slowest = [], max(lines[:-1], key=lambda answer: answer["seconds"])
    for answer in lines[:-1]:
        case, size = cases[answer["file"]], (folder / answer["file"]).stat().st_size
        text = wrong(case, answer, size, SECOND_S + max(size, case.holds_bytes) / BYTES_A_SECOND)
        problems += [f"{name}: {case.name}: {text}"] if text else []
    peak = lines[-1]["peak_mib"]
    problems += [f"{name}: {peak} MiB"] if peak > MEMORY_MIB else []
    return problems, f"{name} {peak} MiB, slowest {slowest['seconds']} s ({cases[slowest['file']].name})"


def engines() -> list[str]:
    """The cores that are here."""
    try:
        engine.load("compiled")
    except EngineError:
        return ["reference"]
    return ["reference", "compiled"]


def run() -> Result:
    """T9: what is damaged, through both cores."""
    with tempfile.TemporaryDirectory() as folder:
        cases = write(Path(folder))
        found = [run_engine(name, Path(folder), cases) for name in engines()]
    problems = [problem for some, _ in found for problem in some]
    figures = "; ".join(figure for _, figure in found if figure)
    return Result(f"{len(cases)} captures, {len(problems)} wrong; {figures}{_first(problems)}", not problems)


def _first(problems: list[str]) -> str:
    return f"; {problems[0]}" if problems else ""


def main() -> int:
    """Print what is wrong, and the figures; or be the child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "FOLDER"))
    options = parser.parse_args()
    if options.child:
        child(options.child[0], Path(options.child[1]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        cases = write(Path(folder))
        found = [run_engine(name, Path(folder), cases) for name in engines()]
    for problems, figure in found:
        print("\n".join([*problems, figure]))
    return any(problems for problems, _ in found)


if __name__ == "__main__":
    sys.exit(main())
