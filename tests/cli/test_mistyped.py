"""What is typed wrongly, in its kinds: each is answered in a sentence, and where it was meant well it is understood."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sensor.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> list[str]:
    assert main(list(words)) == code
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("minewatch: ") for line in lines), lines
    return [line.removeprefix("minewatch: ") for line in lines]


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {b: *a}\n", "a: " + "[" * 5_000 + "]" * 5_000])
def test_yaml_without_end_is_no_yaml(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c.yaml").write_text(text)
    (sentence,) = said(capsys, 78, "check", "-c", "c.yaml")
    assert sentence.startswith("c.yaml: not valid YAML: nested too deeply, or an alias (*)")
    assert said(capsys, 78, "check", "--set", "workers=" + "[" * 5_000)[0].endswith("the value is not valid YAML")


def test_shapes_are_named_in_the_words_of_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c.yaml").write_text("ledger: 5\nattribution:\n  sources:\n    - {kind: x, path: y}\n    - {path: y}\n")
    assert said(capsys, 78, "check", "-c", "c.yaml") == [
        "c.yaml:1: ledger: must be keys and values",
        "c.yaml:4: attribution.sources.0: kind 'x' is none of "
        "'geo', 'inventory', 'leases', 'nat', 'netbox', 'registry', 'routes'",
        "c.yaml:5: attribution.sources.1: needs a kind",
    ]


def test_files_may_stand_behind_options(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "book.csv").write_text("起始IP,终止IP,单位名称\n198.51.100.0,198.51.100.255,一厂\n", encoding="utf-8")
    for words in (
        ("book.csv", "--as", "inventory"),
        ("--as", "inventory", "book.csv"),
        ("-q", "book.csv", "--as", "inventory"),
        ("--", "book.csv"),
    ):
        assert main(["books", "check", *words]) == 0
        assert "1 rows taken" in capsys.readouterr().out
    assert said(capsys, 1, "replay", "a.pcap", "-q", "b.pcap") == ["a.pcap: no such file", "b.pcap: no such file"]
    for wrong in (("books", "check", "book.csv", "--jsn"), ("ledger", "list", "more"), ("version", "more")):
        with pytest.raises(SystemExit) as ended:
            main(list(wrong))
        assert ended.value.code == 2
        assert "unrecognized arguments" in capsys.readouterr().err


def test_a_vlan_that_no_frame_can_carry_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("4096", "-1", "x", "9" * 30):
        with pytest.raises(SystemExit):
            main(["explain", "192.0.2.1", "--vlan", wrong])
        assert "--vlan" in capsys.readouterr().err


def test_a_folder_of_a_bulletin_that_is_none_is_said_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sensor.ledger import Ledger

    Ledger.open("sqlite:///x.db").close()
    (folder / "file").touch()
    words = ("bulletin", "-w", "2026-W10", "--ledger", "sqlite:///x.db", "-o")
    assert said(capsys, 1, *words, "file") == ["-o file: cannot be written to: is a file"]
    assert len(said(capsys, 1, *words, "/proc/none")) == 1


def test_what_is_no_book_is_named_as_what_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "books").mkdir()
    (folder / "book.csv.gz").write_bytes(gzip.compress(b"a,b\n"))
    (folder / "book.pdf").write_bytes(b"%PDF-1.7\n")
    for name, reason in (
        ("books", "books: is a folder: name the files in it, e.g. with *.csv"),
        ("book.csv.gz", "book.csv.gz: is compressed: unpack it first"),
        ("book.pdf", "book.pdf: is a PDF, and no table: ask for it as XLSX or CSV"),
    ):
        assert said(capsys, 78, "books", "check", name) == [reason]
