"""The page: everything a replay saw in, one HTML file out.

Style inside, no script, nothing loaded; its policy forbids both. Bounded: the strongest findings in full, as many
rows of the others as a browser likes, all of them counted. Every text goes through the template engine's escaping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from exporters.forms import cells
from exporters.forms.documents.languages import REPORT, language_of
from exporters.forms.documents.page import style as house_style
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import short, visible
from exporters.forms.report import gaps, overview, panels, rows, strips
from exporters.forms.table import Trouble
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.text import N_, file_name
from sensor.model.time import second_text

#: Findings in full, further ones as rows, nodes, troubles and names of inputs.
MOST_FULL, MOST_ROWS, MOST_NODES, MOST_TROUBLES, MOST_SOURCES = 40, 2_000, 200, 200, 6


@dataclass(frozen=True)
class PageContent:
    """What a replay saw."""

    findings: Sequence[Finding]
    nodes: Sequence[Node]
    troubles: Sequence[Trouble]
    sources: Sequence[str]  # names of what was read
    counters: Mapping[str, int]  # of the core
    lines: Mapping[str, int]  # of the line
    capture_loss: float
    maker: str  # program, version and engine
    interrupted: bool = False
    redacted: bool = False
    language: str = "en"


def write(result: PageContent) -> Iterable[str]:
    """The page in pieces of text, which are valid UTF-8 once encoded."""
    language = language_of(result.language, REPORT)
    _ = language.translate
    ranked = cells.strongest(result.findings)
    full, others = ranked[:MOST_FULL], ranked[MOST_FULL:]
    axis = _axis(full)
    numbered = list(enumerate(full, 1))
    shown = [panels.panel(number, item, axis, language) for number, item in numbered]
    template = environment().get_template("report.html")
    stream = template.stream(
        result=result,
        style=house_style() + own_style(),
        headline=overview.headline(result.findings, language),
        grades=overview.grades(result.findings, language),
        sums=overview.sums(result.findings, language),
        panels=shown,
        counted=[panel for panel in shown if panel.counted],
        axis=axis,
        rows=[panels.row(number, item, language) for number, item in enumerate(others[:MOST_ROWS], MOST_FULL + 1)],
        rows_more=max(0, len(others) - MOST_ROWS),
        holders=overview.holders(result.findings, language),
        pools=overview.pools(result.findings, language),
        dialects=overview.dialects(result.findings, language),
        nodes=[rows.node(item) for item in result.nodes[:MOST_NODES]],
        nodes_more=max(0, len(result.nodes) - MOST_NODES),
        troubles=[_trouble(item) for item in result.troubles[:MOST_TROUBLES]],
        troubles_more=max(0, len(result.troubles) - MOST_TROUBLES),
        groups=gaps.groups(result.counters, result.lines, _),
        meta=_meta(result, _),
        lang=language.html,
        _=lambda sentence: Markup(_(sentence)),  # ours, so it is not escaped; what is filled in is
        number=language.number,
        meanings=[
            (grade.label, language.grade(grade), _(meaning)) for grade, meaning in reversed(panels.MEANINGS.items())
        ],
    )
    stream.enable_buffering(200)
    return stream


@cache
def environment() -> Environment:
    """The templates with what they may call."""
    templates = Environment(
        loader=PackageLoader("exporters.forms.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals.update(second_text=second_text, split=strips.split, share=strips.share, N_=N_)
    return templates


def own_style() -> Markup:
    """What the page adds to the house's style sheet; ours, so it is not escaped."""
    loader = environment().loader
    assert loader is not None
    return Markup(loader.get_source(environment(), "report.css")[0])


def _axis(findings: Sequence[Finding]) -> strips.TimeAxis:
    """The time in which the findings with shares were, on whole bins of them."""
    found = [(item, item.timeline) for item in findings if item.timeline is not None]
    times = [(line.start_ns, line.start_ns + line.bin_ns * len(line.counts)) for _, line in found]
    return strips.time_axis(times + [(flow.first_ns, flow.last_ns) for item, _ in found for flow in item.flows])


def _meta(result: PageContent, _: Translate) -> list[tuple[str, str]]:
    names = [short(file_name(name), 60) for name in result.sources[:MOST_SOURCES]]
    more = len(result.sources) - len(names)
    first = min((item.first_ns for item in result.findings), default=None)
    # Captures need not be read in the order of their times.
    last = max([result.counters.get("last_packet_ns", 0), *(item.last_ns for item in result.findings)])
    named = ", ".join(names)
    return [
        (_("Read"), _("{names} and {count} more").format(names=named, count=f"{more:,}") if more else named),
        *([(_("Mining since"), f"{second_text(first)} UTC")] if first is not None else []),
        *([(_("Last packet"), f"{second_text(last)} UTC")] if last else []),
        (_("Packets"), f"{result.counters.get('packets', 0):,}"),
        (_("Capture loss"), f"{result.capture_loss:.2%}"),
    ]


def _trouble(item: Trouble) -> dict[str, str]:
    offset = "" if item.offset is None else f"{item.offset:,}"
    names = {"source": short(file_name(item.source), 80), "reason": visible(item.reason)[:200]}
    return {**names, "offset": offset, "packets": f"{item.packets:,}"}
