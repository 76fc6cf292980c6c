"""A reliability test that is a choice of the project's own tests: how many passed, and of the skipped ones why."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.reliability.result import Result


def passed(*words: str, least: int = 1) -> Result:
    """pytest with these words; at least so many must pass and none fail."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not report.exists():
            return Result(f"pytest could not run: {done.stdout[-200:]}{done.stderr[-200:]}", passed=False)
        (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    count = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    good = count["tests"] - count["failures"] - count["errors"] - count["skipped"]
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    figure = f"{good} tests passed"
    if count["skipped"]:
        figure += f", {count['skipped']} skipped"
    if failed:
        figure += f", failed: {', '.join(failed)}"
    return Result(figure, None if not good and not failed else not failed and good >= least)
