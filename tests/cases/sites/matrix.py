"""The sites of public record and the described ones, what the shipped weights call them, and the table of it in
`docs/sites.md` (`python -m tests.cases.sites.matrix --write`)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sensor.cases.site_class import SiteFacts, site_class
from sensor.cases.site_examples import facts_of
from sensor.model.summary import SiteClass
from sensor.signatures.loader import shipped_sites
from sensor.signatures.sites import KINDS
from tests.docs.markdown import filled

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "sites.md"
MARKS = ("<!-- matrix: make sites-table -->", "<!-- end of the matrix -->")


@dataclass(frozen=True)
class SiteCase:
    """One site: its facts, the kind it is, and what it is called."""

    name: str
    facts: SiteFacts
    kind: str
    entry: dict[str, Any]
    called: SiteClass

    @property
    def verdict(self) -> str:
        """ "right", "unclear" or "wrong"."""
        if self.called.kind == self.kind:
            return "right"
        return "unclear" if self.called.kind == "unclear" else "wrong"


def site_cases(name: str) -> list[SiteCase]:
    """The cases of one file, in its order."""
    entries = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    weights = shipped_sites()
    return [
        SiteCase(entry["name"], facts := facts_of(entry["facts"]), entry["kind"], entry, site_class(facts, weights))
        for entry in entries
    ]


def sums(cases: Iterable[SiteCase]) -> str:
    """Right, unclear and wrong, as cells."""
    counts = Counter(case.verdict for case in cases)
    return " | ".join(str(counts[verdict]) for verdict in ("right", "unclear", "wrong"))


def matrix() -> str:
    """The tables in Markdown."""
    groups = {
        "of public record": site_cases("public"),
        "described, tuned on": site_cases("described"),
        "described blind, only judged by": site_cases("blind"),
    }
    rows = ["| sites | right | unclear | wrong |", "|---|--:|--:|--:|"]
    rows += [f"| {len(cases)} {title} | {sums(cases)} |" for title, cases in groups.items()]
    called = (*KINDS, "unclear")
    for title, cases in groups.items():
        rows += ["", f"Sites {title}: what they are (rows), and what they are called (columns).", ""]
        rows += [f"| | {' | '.join(called)} |", "|---|" + "--:|" * len(called)]
        counts = Counter((case.kind, case.called.kind) for case in cases)
        for kind in called:
            cells = [str(counts[kind, name] or ".") for name in called]
            if kind in KINDS or set(cells) != {"."}:
                rows.append(f"| **{kind}** | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def written(page: str) -> str:
    """The page with the tables in their place."""
    return filled(page, MARKS, matrix())


if __name__ == "__main__":
    text = written(PAGE.read_text(encoding="utf-8"))
    if "--write" in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    print(matrix())
