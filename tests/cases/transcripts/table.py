"""Transcripts of public sources that nobody had tried before: what is right, what came out first, what comes out now,
and the table of it in `docs/transcripts.md` (`python -m tests.cases.transcripts.table --write`)."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.signatures.loader import load
from sensor.signatures.model import DialogueLine, SignatureSet
from tests.docs.markdown import filled

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "transcripts.md"
MARKS = ("<!-- transcripts: python -m tests.cases.transcripts.table --write -->", "<!-- end of the table -->")
FACTS = ("dialect", "coin", "algorithm", "login", "submitted", "accepted")
VERDICTS = ("right", "half", "wrong")
_HEX = re.compile(r"<(\d+) (\w+)>")


@dataclass(frozen=True)
class Transcript:
    """One entry: `right` is None where nobody mines; `still` says why it is not right yet, else empty."""

    name: str
    source: str
    dialogue: tuple[DialogueLine, ...]
    right: Mapping[str, object] | None
    first_verdict: str
    first: str
    still: str


def _digits(match: re.Match[str]) -> str:
    """Hex digits of the length and name that a placeholder asks for."""
    return hashlib.shake_128(match[2].encode()).hexdigest(1 + int(match[1]) // 2)[: int(match[1])]


def spelled_out(text: str) -> str:
    """The text with its placeholders (`<64 job>`) in hex digits."""
    return _HEX.sub(_digits, text)


def _lines(text: str) -> tuple[DialogueLine, ...]:
    pairs = [raw.split(" ", 1) for raw in spelled_out(text).splitlines() if raw.strip()]
    return tuple(DialogueLine("CS".index(side), rest.encode() + b"\n") for side, rest in pairs)


def _right(entry: Mapping[str, object] | None) -> dict[str, object] | None:
    if entry is None:
        return None
    facts = {name: entry.get(name) for name in FACTS}
    return facts | {"login": spelled_out(str(facts["login"])) if facts["login"] is not None else None}


@cache
def transcripts() -> tuple[Transcript, ...]:
    """All entries, by file."""
    found = []
    for path in sorted(HERE.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
            verdict, _, first = str(entry.get("first", "right")).partition(": ")
            found.append(
                Transcript(
                    entry["name"],
                    entry["source"],
                    _lines(entry["dialogue"]),
                    _right(entry["right"]),
                    verdict,
                    first,
                    entry.get("still", ""),
                )
            )
    return tuple(found)


@cache
def shipped() -> SignatureSet:
    """The shipped signatures, read once."""
    return load()


def outcome(case: Transcript) -> tuple[str, str]:
    """Verdict (right, half, wrong) and what differs. Half: mining is seen, but a fact of it is not right. An attempt
    counts as seen only where no share was sent.
    """
    pipeline = Pipeline(shipped())
    pipeline.step(dialogue_events(case.dialogue))
    findings = [record for record in pipeline.finish() if isinstance(record, Finding)]
    if case.right is None:
        loud = [record for record in findings if record.grade >= Grade.SPEAKS]
        return ("wrong", f"{loud[0].dialect} is reported") if loud else ("right", "")
    if len(findings) != 1:
        return "wrong", f"{len(findings)} findings" if findings else "nothing found"
    finding = findings[0]
    actual = {name: getattr(finding, name, None) for name in FACTS[:4]}
    actual |= {name: getattr(finding.shares, name) for name in FACTS[4:]}
    differing = [name for name in FACTS if actual[name] != case.right[name]]
    shown = [f"no {name}" if actual[name] is None else f"{name} {actual[name]}" for name in differing]
    if case.right["submitted"] and finding.grade < Grade.SPEAKS:
        return "wrong", "only an attempt"
    return ("half", ", ".join(shown)) if differing else ("right", "")


def _named(case: Transcript) -> str:
    if case.right is None:
        return "no mining"
    shares = f"{case.right['accepted']} of {case.right['submitted']} shares"
    named = [str(case.right[name]) for name in ("dialect", "coin", "algorithm") if case.right[name]]
    return f"{', '.join(named)}; {shares}"


def _totals(verdicts: Iterable[str]) -> str:
    counts = Counter(verdicts)
    return " | ".join(str(counts[verdict]) for verdict in VERDICTS)


def table() -> str:
    """The totals and the table in Markdown, and beneath it the sources."""
    cases = transcripts()
    now = [outcome(case) for case in cases]
    rows = [f"| {len(cases)} transcripts | right | half | wrong |", "|---|--:|--:|--:|"]
    rows += [f"| at first | {_totals(case.first_verdict for case in cases)} |"]
    rows += [f"| now | {_totals(verdict for verdict, _ in now)} |", ""]
    rows += ["| | what is right | came out first | comes out now |", "|--:|---|---|---|"]
    for number, (case, (verdict, differs)) in enumerate(zip(cases, now, strict=True), 1):
        first = ": ".join(filter(None, (case.first_verdict, case.first)))
        last = ": ".join(filter(None, (verdict, differs)))
        rows.append(f"| {number} | {_named(case)} | {first} | {'as first' if last == first else last} |")
    rows += ["", "The sources:", ""]
    for number, case in enumerate(cases, 1):
        rows += [f"{number}. {case.name}:", f"   <{case.source}>"]
        rows += [f"   Not right yet: {case.still}."] if case.still else []
    return "\n".join(rows) + "\n"


def written(page: str) -> str:
    """The page with the table in its place."""
    return filled(page, MARKS, table())


if __name__ == "__main__":
    text = written(PAGE.read_text(encoding="utf-8"))
    if "--write" in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    print(table())
