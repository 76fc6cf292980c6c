"""The page of what is typed wrongly: every command on it is typed, and answers as the page says."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import shlex
import tarfile
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.docs.markdown import ROOT
from tests.ledger.mining import HOUR, MONDAY, owned, told

PAGE = ROOT / "docs" / "mistyped.md"
FILES = {
    "letter.pcap": b"Dear all, this is no capture.\n",
    "void.pcap": b"",
    "typo.yaml": b"wrokers: 2\nlimits:\n  flows: many\n",
    "broken.yaml": b"limits: [\n",
    "latin.yaml": b"sensor_id: caf\xe9\n",
    "region.yaml": b"bulletin:\n  region: 329900\n",
    "path.yaml": b"ledger:\n  url: /var/lib/minewatch/ledger.db\n",
    "book.csv.gz": gzip.compress(b"a,b\n", mtime=0),
    "notes.csv": b"Dear all,this is no book\n",
}


def transcripts() -> list[tuple[str, str]]:
    """Each command of the page, and its answer with single spaces."""
    blocks = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part.strip()]
    return [(part.partition("\n")[0], " ".join(part.partition("\n")[2].split())) for part in parts]


def answer(line: str) -> str:
    """What a command says: all of it, but of a usage only the mistake."""
    output = io.StringIO()
    with contextlib.redirect_stderr(output), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        main(shlex.split(line)[1:])
    lines = output.getvalue().splitlines()
    return " ".join(" ".join(lines[-1:] if lines[:1] and lines[0].startswith("usage:") else lines).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the page speaks of."""
    folder = tmp_path_factory.mktemp("typed")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    with tarfile.open(folder / "captures.tar", "w") as archive:
        archive.add(folder / "letter.pcap", "letter.pcap")
    ledger = Ledger.open(f"sqlite:///{folder}/x.db")
    for number in (1, 2):
        ledger.record(list(told(number, MONDAY, MONDAY + 5 * HOUR, HOUR, 20, attribution=owned(number))), MONDAY)
    ledger.close()
    return folder


def test_there_are_many() -> None:
    assert len(transcripts()) >= 30


@pytest.mark.parametrize(("line", "expected"), transcripts())
def test_a_command_of_the_page_answers_as_the_page_says(
    line: str, expected: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    assert answer(line).replace("'", "") == expected.replace("'", "")  # Python's versions quote choices differently
    assert not os.path.lexists(folder / "new.db")
