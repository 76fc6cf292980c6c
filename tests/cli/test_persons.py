"""What a replay shows, writes and explains names no person of the books, unless it is asked to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.demo.make_demo import make

NAME, STREET = "张三丰", "平江路七号"


@pytest.fixture
def replayed(tmp_path: Path) -> tuple[Path, str]:
    """The demo capture, and a book that calls everybody in it a person."""
    capture, book, config = tmp_path / "demo.pcap", tmp_path / "book.csv", tmp_path / "minewatch.yaml"
    make(capture)
    rows = "".join(f"{net}.0.0.0,{net}.255.255.255,{NAME},个人,320508,{STREET}\n" for net in (10, 172, 192, 198, 203))
    book.write_text(f"起始IP,终止IP,单位名称,单位性质,行政区划,地址\n{rows}", encoding="utf-8")
    config.write_text(f"attribution:\n  sources:\n    - {{kind: inventory, path: {book}}}\n", encoding="utf-8")
    return capture, str(config)


def test_no_output_of_a_replay_names_a_person(run: Run, replayed: tuple[Path, str], tmp_path: Path) -> None:
    files = {flag: tmp_path / f"out{flag}" for flag in ("--eve", "--report", "--stix")}
    options = [word for flag, path in files.items() for word in (flag, str(path))]
    done = run("replay", replayed[0], "-c", replayed[1], "-v", *options, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    shown = [done.stdout.decode(), *(path.read_text(encoding="utf-8") for path in files.values())]
    texts = [*shown, *(json.dumps(json.loads(line), ensure_ascii=False) for line in shown[1].splitlines())]
    assert not [text for text in texts if NAME in text or STREET in text]
    assert "(a person)" in shown[0]
    named = run("replay", replayed[0], "-c", replayed[1], "--persons", "--eve", tmp_path / "eve", COLUMNS="200")
    assert NAME in named.stdout.decode()
    events = [json.loads(line) for line in (tmp_path / "eve").read_text(encoding="utf-8").splitlines()]
    assert any(NAME in json.dumps(event, ensure_ascii=False) for event in events)


def test_explain_names_a_person_only_when_asked(run: Run, replayed: tuple[Path, str]) -> None:
    done = run("explain", "10.1.2.3", "-c", replayed[1], "-q")
    assert done.returncode == 0, done.stderr
    out = done.stdout.decode()
    assert NAME not in out
    assert STREET not in out
    assert "(a person)" in out
    assert NAME in run("explain", "10.1.2.3", "-c", replayed[1], "-q", "--persons").stdout.decode()
