"""What minewatch is made of is locked to the byte, and its licences are listed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from deploy.audited import main, summary

ROOT = Path(__file__).parents[2]
LOCKED = (ROOT / "requirements.lock").read_text(encoding="utf-8")
HASHED = (ROOT / "requirements.hashed.lock").read_text(encoding="utf-8")
VERSION = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.M)


def versions(text: str) -> dict[str, str]:
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in VERSION.findall(text)}


def test_every_locked_package_has_its_digests() -> None:
    assert versions(HASHED) == versions(LOCKED)
    for entry in re.split(r"^(?=[A-Za-z0-9])", HASHED, flags=re.M)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


def test_every_locked_crate_has_its_digest() -> None:
    lock = tomllib.loads((ROOT / "sensor" / "core" / "Cargo.lock").read_text(encoding="utf-8"))
    outside = [package for package in lock["package"] if package["name"] != "minewatch-core"]
    assert len(outside) > 30
    assert all(re.fullmatch(r"[0-9a-f]{64}", package["checksum"]) for package in outside)


def test_the_licence_of_everything_that_is_locked_is_listed() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    listed = {
        (re.sub(r"[-_.]+", "-", row[0]).lower(), row[1]) for row in re.findall(r"^\| (\S+) \| (\S+) \|", page, re.M)
    }
    assert set(versions(LOCKED).items()) <= listed
    lock = tomllib.loads((ROOT / "sensor" / "core" / "Cargo.lock").read_text(encoding="utf-8"))
    crates = {
        (re.sub(r"[-_.]+", "-", one["name"]).lower(), one["version"]) for one in lock["package"] if "source" in one
    }
    assert crates <= listed, crates - listed
    assert "not stated" not in page
    assert "not installed" not in page


def test_packages_that_nobody_was_asked_about_do_not_pass_for_sound() -> None:
    sound = {"name": "a", "version": "1", "vulns": []}
    faulty = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1"}]}
    skipped = {"name": "c", "skip_reason": "not found"}
    assert summary({"dependencies": [sound]}) == (["1 packages asked about, 0 with known faults"], False)
    lines, failed = summary({"dependencies": [sound, faulty, skipped]})
    assert (lines[0], failed) == ("b 2: PYSEC-1", True)
    assert lines[-1].startswith("NOT ASKED: 1 packages")


def test_a_report_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path / "none.json") == 0
    assert capsys.readouterr().out.startswith("NOT ASKED")
