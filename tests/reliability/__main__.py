"""`make reliability`: every test of the plan, one after the other, and the table of what came out.

python -m tests.reliability [T4 T7 ...] [--write]      --write puts the table into docs/reliability.md
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import textwrap
import time
import traceback
from pathlib import Path

from tests.docs.markdown import filled
from tests.reliability.evasion.case import Expected
from tests.reliability.evasion.matrix import all_cases
from tests.reliability.plan import TESTS, Test
from tests.reliability.result import Result

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
MEASURED = ("<!-- measured: reliability -->", "<!-- end of the figures -->")
AMBIGUOUS = ("<!-- cases: ambiguous -->", "<!-- end of the cases -->")
COLUMNS = 118
#: An entry of the page, with the lines that go on with it.
ENTRY = r"^- .*(?:\n  .*)*"
WORDS = {True: "yes", False: "**no**", None: "not run"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="tests, as T4; all of them without")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {test.name for test in TESTS}
    if unknown:
        parser.error(f"no such test: {', '.join(sorted(unknown))}")
    lines, failed = [], False
    for test in TESTS:
        if arguments.names and test.name not in arguments.names:
            continue
        result, seconds = attempt(test)
        failed = failed or result.passed is False
        print(
            f"{test.name} {test.asks}: {WORDS[result.passed].strip('*')} ({seconds:.0f} s): {result.figure}", flush=True
        )
        lines.append(entry(test, result))
    if arguments.write:
        write(lines)
    return int(failed)


def attempt(test: Test) -> tuple[Result, float]:
    """The result and the seconds it took; what raises has failed, and the others go on."""
    began = time.monotonic()
    try:
        result = test.run()
    except Exception as error:  # one test that breaks must not hide what the others say
        traceback.print_exc(file=sys.stderr)
        result = Result(f"{type(error).__name__}: {error}", passed=False)
    return result, time.monotonic() - began


def entry(test: Test, result: Result) -> str:
    """A test's entry of the page."""
    figure = result.figure.replace("\n", " ")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    load = f"load {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors"  # of the last five minutes
    when = f"({time.strftime('%Y-%m-%d')}, commit {commit.stdout.strip()}, {load})"
    passed = WORDS[result.passed]
    return item(f"**{test.name}**, {test.asks}. Passes: {test.pass_line}. Passed: {passed}. {figure} {when}.")


def item(text: str) -> str:
    """One of a list, in lines of a document's width."""
    return textwrap.fill(text, COLUMNS, initial_indent="- ", subsequent_indent="  ", break_long_words=False)


def write(lines: list[str]) -> None:
    """Put the entries between the page's marks, and the cases that receivers read differently. Those of tests that were
    not run stay as they were.
    """
    page = PAGE.read_text()
    before = page.partition(MEASURED[0])[2].partition(MEASURED[1])[0]
    entries = {name_of(entry): entry for entry in [*re.findall(ENTRY, before, re.MULTILINE), *lines]}
    page = filled(page, MEASURED, "\n".join(entries[test.name] for test in TESTS if test.name in entries))
    PAGE.write_text(filled(page, AMBIGUOUS, ambiguous()))


def name_of(entry: str) -> str:
    """The test that an entry is of."""
    return entry.partition("**")[2].partition("**")[0]


def ambiguous() -> str:
    """The cases of which receivers differ, by what leaves them open."""
    reasons: dict[str, list[str]] = {}
    for case in all_cases():
        if case.expected in (Expected.AMBIGUOUS, Expected.DOUBTED):
            lost = " (counted, the miner is not found)" if case.expected is Expected.DOUBTED else ""
            reasons.setdefault(case.why, []).append(case.title + lost)
    return "\n".join(item(f"{why}: {'; '.join(titles)}.") for why, titles in reasons.items())


if __name__ == "__main__":
    sys.exit(main())
