"""A reader that goes away ends a command quietly, a full standard output is one sentence, a closed one nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.ledger import Ledger
from tests.cli.conftest import ROOT
from tests.ledger.mining import HOUR, MONDAY, owned, told

WEEK = ("--from", "2023-11-20", "--to", "2023-11-26")
COMMANDS = (
    ("version",),
    ("version", "--json"),
    ("signatures", "list"),
    ("signatures", "list", "--json"),
    ("ledger", "list"),
    ("ledger", "list", "--json"),
    ("ledger", "shared"),
    ("ledger", "shared", "--format", "csv"),
    ("ledger", "show", "1"),
    ("ledger", "export"),
    ("ledger", "sensors"),
    ("explain", "192.0.2.1", "-q"),
    ("bulletin", *WEEK),
    ("bulletin", *WEEK, "-o", "out"),
    ("check", "--configuration-only"),
    ("check", "--configuration-only", "--json"),
    ("check", "--dump-config"),
    ("completion", "fish"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("streams")
    ledger = Ledger.open(f"sqlite:///{place}/ledger.db")
    ledger.record(list(told(1, MONDAY, MONDAY + 5 * HOUR, HOUR, 20, attribution=owned(1))), MONDAY)
    ledger.close()
    return place


def ran(folder: Path, words: tuple[str, ...], redirection: str, unbuffered: str = "") -> tuple[int, list[str]]:
    """The exit code, and what is on standard error that is no remark about the bulletin's basis."""
    if words[0] in ("ledger", "bulletin"):
        words = (*words, "--ledger", f"sqlite:///{folder}/ledger.db")
    shell = f'exec "$@" {redirection}'
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
    line = ["bash", "-c", shell, "bash", sys.executable, "-m", "sensor.cli", *words]
    done = subprocess.run(line, stderr=subprocess.PIPE, cwd=folder, env=variables, check=False, timeout=120)
    remarks = [text for text in done.stderr.decode().splitlines() if not text.startswith("minewatch: bulletin 2023")]
    return done.returncode, remarks


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_standard_output_is_one_sentence(folder: Path, words: tuple[str, ...]) -> None:
    full = (1, ["minewatch: standard output: cannot be written: no space left on device"])
    assert ran(folder, words, ">/dev/full") == full
    assert ran(folder, words, ">/dev/full", "1") == full


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_closed_standard_output_is_nothing_to_complain_about(folder: Path, words: tuple[str, ...]) -> None:
    assert ran(folder, words, ">&-") == (0, [])


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_went_away_ends_it_quietly(folder: Path, words: tuple[str, ...]) -> None:
    code, remarks = ran(folder, words, "> >(exec true)")
    assert code in (0, 1)
    assert remarks == []


def test_a_reader_that_went_away_costs_no_file_of_a_bulletin(folder: Path) -> None:
    _, remarks = ran(folder, ("bulletin", *WEEK, "-o", "all", "--lang", "both"), "> >(exec true)", "1")
    assert remarks == []
    assert len(list((folder / "all").iterdir())) == 10
