"""What a user gets wrong: one clear sentence with the file, line or key, the right exit code, and never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.demo.miners import Counts

Demo = tuple[Path, dict[str, Counts]]


def sentence(run: Run, code: int, *words: str | Path, stdin: bytes | None = None, **environment: str) -> str:
    """Run, check the exit code, and return the one sentence on standard error."""
    done = run(*words, stdin=stdin, MINEWATCH_ENGINE="reference", **environment)
    text = done.stderr.decode()
    assert done.returncode == code, text
    assert "Traceback" not in text
    lines = [line for line in text.splitlines() if line.startswith("minewatch")]
    assert len(lines) == 1, text
    return lines[0]


def test_no_such_file(run: Run) -> None:
    assert sentence(run, 1, "replay", "none.pcap") == "minewatch: none.pcap: no such file"


def test_a_directory_without_captures(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    assert sentence(run, 1, "replay", "empty").startswith("minewatch: empty: the directory holds no capture")


def test_a_pattern_that_matches_nothing(run: Run) -> None:
    assert sentence(run, 1, "replay", "*.pcap") == "minewatch: *.pcap: no file matches this pattern"


def test_not_a_capture(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.pcap").write_text("Dear all, this is no capture, whatever its name says.\n")
    assert sentence(run, 1, "replay", "letter.pcap") == "minewatch: letter.pcap: not a capture"


def test_an_empty_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "void.pcap").touch()
    assert sentence(run, 1, "replay", "void.pcap") == "minewatch: void.pcap: empty file"


def test_empty_standard_input(run: Run) -> None:
    assert sentence(run, 1, "replay", "-") == "minewatch: -: empty file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret.pcap"
    secret.write_bytes(b"x" * 100)
    secret.chmod(0)
    assert sentence(run, 1, "replay", "secret.pcap") == "minewatch: secret.pcap: permission denied"


def test_a_damaged_file_is_used_as_far_as_it_goes_and_the_rest_of_the_batch_goes_on(
    run: Run, demo: Demo, tmp_path: Path
) -> None:
    data = demo[0].read_bytes()
    (tmp_path / "a.pcap").write_bytes(data[:100_000])
    (tmp_path / "b.pcap").write_bytes(data)
    told = sentence(run, 1, "replay", "a.pcap", "b.pcap", "--eve", "out.json", "--quiet")
    assert told.startswith("minewatch: a.pcap: truncated at byte 9")
    assert "packets before it were used" in told
    assert (tmp_path / "out.json").read_bytes().count(b'"event_type":"mining"') >= 1


def test_no_input_at_all(run: Run) -> None:
    assert "name at least one" in sentence(run, 2, "replay")


@pytest.mark.parametrize(
    "words", [["frobnicate"], ["replay", "--export", "x.html", "y"], ["replay", "-j", "0", "x"], ["-x"], []]
)
def test_wrong_usage_is_code_2(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert b"usage: minewatch" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_broken_configuration_is_code_78_with_file_and_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("limits: [\n")
    assert sentence(run, 78, "replay", "-c", "broken.yaml", "x.pcap").startswith(
        "minewatch: broken.yaml:2: not valid YAML"
    )


def test_an_unknown_key_is_told_by_check_and_by_replay_alike(run: Run, tmp_path: Path) -> None:
    (tmp_path / "typo.yaml").write_text("wrokers: 2\n")
    expected = "minewatch: typo.yaml:1: wrokers: unknown key; did you mean workers?"
    assert sentence(run, 78, "check", "-c", "typo.yaml") == expected
    assert sentence(run, 78, "replay", "-c", "typo.yaml", "x.pcap") == expected
    assert sentence(run, 78, "-T", "-c", "typo.yaml") == expected


def test_an_unknown_key_on_the_command_line(run: Run) -> None:
    assert sentence(run, 78, "replay", "--set", "limits.flow=3", "x.pcap").endswith("did you mean limits.flows?")


def test_a_broken_signature_file_is_told_with_its_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("name: [\n")
    (tmp_path / "c.yaml").write_text("signatures: {files: [own.yaml]}\n")
    assert "own.yaml" in sentence(run, 78, "check", "-c", "c.yaml")


def test_an_event_file_that_cannot_be_written(run: Run, demo: Demo) -> None:
    told = sentence(run, 1, "replay", demo[0], "--eve", "no/such/folder/out.json")
    assert told == "minewatch: --eve no/such/folder/out.json: cannot be written: no such file or directory"


def test_the_input_is_never_overwritten(run: Run, demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(demo[0].read_bytes())
    assert "overwritten" in sentence(run, 2, "replay", "in.pcap", "--eve", "./in.pcap")
    assert path.read_bytes() == demo[0].read_bytes()


@pytest.mark.parametrize("flag", ["--report", "--stix"])
def test_page_and_bundle_are_as_careful_as_events(run: Run, demo: Demo, tmp_path: Path, flag: str) -> None:
    told = sentence(run, 1, "replay", demo[0], flag, "no/such/folder/out")
    assert told == f"minewatch: {flag} no/such/folder/out: cannot be written: no such file or directory"
    path = tmp_path / "in.pcap"
    path.write_bytes(demo[0].read_bytes())
    assert "overwritten" in sentence(run, 2, "replay", "in.pcap", flag, "./in.pcap")
    assert path.read_bytes() == demo[0].read_bytes()


def test_two_outputs_do_not_share_a_place(run: Run, demo: Demo) -> None:
    told = sentence(run, 2, "replay", demo[0], "--eve", "out", "--report", "./out")
    assert told == "minewatch: --report ./out: --eve writes there already"
    assert "writes there already" in sentence(run, 2, "replay", demo[0], "--stix", "-", "--report", "-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_told_and_the_other_outputs_are_written(run: Run, demo: Demo, tmp_path: Path) -> None:
    told = sentence(run, 1, "replay", demo[0], "--report", "/dev/full", "--stix", "out.json", "--quiet")
    assert told == "minewatch: --report /dev/full: cannot be written: no space left on device"
    assert b'"bundle"' in (tmp_path / "out.json").read_bytes()


def test_an_engine_that_is_not_there_is_bad_configuration(run: Run) -> None:
    done = run("version", MINEWATCH_ENGINE="turbo")
    assert (done.returncode, done.stderr) == (
        78,
        b"minewatch: MINEWATCH_ENGINE=turbo: must be one of auto, compiled, reference\n",
    )
