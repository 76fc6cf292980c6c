"""A case from new to relapsed with the browser and the guide alone: real Chromium, scripts off, both languages, a
desktop and a phone, and no route to anywhere; axe-core finds nothing on any page of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.case_run import TITLES
from tests.exporters import browser

ROOT = Path(__file__).parents[2]
#: Of a new namespace, which has a loopback and nothing else.
WITHOUT_ROUTE = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def prefix() -> list[str]:
    """What is put before a command so that it has no route; nothing where that may not be done."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        return []
    return WITHOUT_ROUTE if subprocess.run([*WITHOUT_ROUTE, "true"], check=False).returncode == 0 else []


@pytest.mark.parametrize(("language", "width"), [("zh", 390), ("en", 1280)], ids=["zh-phone", "en-desktop"])
def test_a_case_goes_from_new_to_relapsed_as_the_guide_says(tmp_path: Path, language: str, width: int) -> None:
    if browser.chromium() is None or not browser.AXE.exists():
        pytest.skip("chromium or axe-core is not installed (make debian-packages, make test)")
    words = [*prefix(), sys.executable, "-m", "tests.console.case_run", str(tmp_path), language, str(width)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["faults"] == []
    states = [
        "new",
        "new",
        "notified",
        "notified",
        *["under-check"] * 4,
        "rectifying",
        "re-check",
        "closed",
        "relapsed",
    ]
    assert [state for state, _kind, _who in answer["history"]] == [*states, "rectifying"]
    assert [who for _state, _kind, who in answer["history"]] == [
        "minewatch",
        *["account:li"] * 10,
        "minewatch",
        "account:li",
    ]
    assert answer["pictures"] == len(list(tmp_path.glob("*.png"))) == 11


def test_the_guide_calls_things_as_the_console_does() -> None:
    guide = (ROOT / "docs/cases.md").read_text(encoding="utf-8")
    for key, chinese in TITLES["zh"].items():
        assert f"{chinese} *{TITLES['en'][key]}*" in " ".join(guide.split()), key
