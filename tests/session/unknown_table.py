"""`python -m tests.session.unknown_table [--write]`: what is found of each dialect of JSON lines when its signature is
taken away, in the sessions of its own examples, as the table of docs/signatures.md.

A session is an example that both sides speak in JSON lines and that has a share. It is found if every login has the
same shares, accepted and refused, as with the signature.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.signatures import SignatureSet, load
from sensor.signatures.model import Dialect, Example
from tests.docs.markdown import filled

PAGE = Path(__file__).parents[2] / "docs" / "signatures.md"
MARKS = ("<!-- found: python -m tests.session.unknown_table --write -->", "<!-- end of the table -->")
Counts = tuple[str | None, int, int, int]


class Row(NamedTuple):
    dialect: str
    sessions: int
    found: int
    wrong: tuple[str, ...]  # examples in which shares were counted, and others than these
    missed: tuple[str, ...]  # examples in which none were
    read_as: tuple[str, ...]

    @property
    def is_found(self) -> bool:
        return self.sessions == self.found

    def __str__(self) -> str:
        missed = "; ".join(name[:60] for name in (*self.wrong, *self.missed)) or "-"
        return f"| `{self.dialect}` | {self.found} of {self.sessions} | {', '.join(self.read_as) or '-'} | {missed} |"


HEAD = "| without | sessions found | read as | not found |\n|---|---|---|---|"


def findings(signatures: SignatureSet, example: Example) -> list[Finding]:
    pipeline = Pipeline(signatures)
    pipeline.step(dialogue_events(example.dialogue, proto=example.proto))
    return [record for record in pipeline.finish() if isinstance(record, Finding)]


def counts(found: list[Finding]) -> list[Counts]:
    rows = [(one.login, one.shares.submitted, one.shares.accepted, one.shares.rejected) for one in found]
    return sorted((row for row in rows if row[1]), key=str)


def sessions(dialect: Dialect, signatures: SignatureSet) -> Iterator[tuple[Example, list[Counts]]]:
    for example in dialect.header.examples:
        in_json = [line.data.lstrip()[:1] == b"{" for line in example.dialogue]
        if not example.counter and all(in_json) and {line.direction for line in example.dialogue} == {0, 1}:
            wanted = counts(findings(signatures, example))
            if wanted:
                yield example, wanted


def row(dialect: Dialect, signatures: SignatureSet) -> Row:
    without = signatures.without(dialect.name)
    wrong, missed, read_as, number = [], [], set(), 0
    for example, wanted in sessions(dialect, signatures):
        number += 1
        heard = [one for one in findings(without, example) if one.grade >= Grade.SPEAKS]
        if counts(heard) == wanted:
            read_as |= {f"`{one.dialect}`" for one in heard if one.shares.submitted}
        else:
            (wrong if counts(heard) else missed).append(example.name)
    found = number - len(wrong) - len(missed)
    return Row(dialect.name, number, found, tuple(wrong), tuple(missed), tuple(sorted(read_as)))


def rows(signatures: SignatureSet) -> list[Row]:
    """Those of the dialects whose first framing is JSON lines."""
    return [row(one, signatures) for one in signatures.dialects if one.framing == "json-lines"]


def main() -> None:
    found = rows(load())
    table = "\n".join([HEAD, *map(str, found)])
    total = f"{sum(one.is_found for one in found)} of {len(found)} dialects are found in all of their sessions."
    print(table, "", total, sep="\n")
    if "--write" in sys.argv:
        PAGE.write_text(filled(PAGE.read_text(), MARKS, f"{table}\n\n{total}"))


if __name__ == "__main__":
    main()
