"""The journal: priorities that journald understands, a level, and a stream that is gone."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.daemon.journal import PRIORITIES, STREAM_VARIABLE, Journal, goes_to_journal


@pytest.mark.parametrize("level", list(PRIORITIES))
def test_what_is_less_severe_than_the_level_is_not_written(level: str) -> None:
    stream = io.StringIO()
    journal = Journal(level, stream, {})
    for name in PRIORITIES:
        getattr(journal, name)(f"a sentence of {name}")
    written = stream.getvalue().splitlines()
    assert written == [
        f"minewatch: a sentence of {name}" for name in PRIORITIES if PRIORITIES[name] <= PRIORITIES[level]
    ]


def test_under_systemd_each_line_begins_with_its_priority(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        journal = Journal("info", stream, {STREAM_VARIABLE: f"{status.st_dev}:{status.st_ino}"})
        journal.error("lost")
        journal.warning("two\nlines")
        journal.notice("a mine")
        journal.info("detail")
        stream.seek(0)
        assert stream.read() == "<3>lost\n<4>two\n<4>lines\n<5>a mine\n<6>detail\n"


def test_a_stream_that_is_not_the_journals_has_no_priorities(tmp_path: Path) -> None:
    with (tmp_path / "elsewhere").open("w+") as stream:
        assert not goes_to_journal(stream, {STREAM_VARIABLE: "1:2"})
        assert not goes_to_journal(stream, {})
    assert not goes_to_journal(stream, {STREAM_VARIABLE: "1:2"})  # closed


def test_another_level_takes_effect_at_once() -> None:
    stream = io.StringIO()
    journal = Journal("error", stream, {})
    journal.info("no")
    journal.replace("info")
    journal.info("yes")
    assert stream.getvalue() == "minewatch: yes\n"


def test_a_reader_that_went_away_ends_nothing() -> None:
    program = (
        "import os, sys\nfrom sensor.daemon.journal import Journal\n"
        "os.close(2)\njournal = Journal()\n[journal.error('x') for _ in range(3)]\nprint('alive')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert done.stdout == b"alive\n"
