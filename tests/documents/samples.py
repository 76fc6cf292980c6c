"""Documents for tests: any that the model allows, and one with everything a name may bring."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from exporters.forms.documents.model import (
    Cell,
    Chart,
    ChartPoint,
    Column,
    Document,
    DocumentSection,
    DocumentTable,
    KeyFigure,
    KeyFigures,
    Sentences,
    ranged,
    rounded,
)
from tests.ledger.made import TEXT

RUNS = "document.documentElement.setAttribute('data-ran',1)"
NASTY = (
    f"<script>{RUNS}</script>",
    f'"><img src=x onerror="{RUNS}">',
    f"'><svg onload={RUNS}>",
    f"</style></title><script>{RUNS}</script>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "＝1＋1",
    "\t=1+1",
    "http://evil.example/",
    "line\nbreak\r\x00\x1b[31m",
    "\u202eevil\u202c\u200f\u2066",
    "{{ 7*7 }}{% raw %}",
    "\ud800 &amp; & <b>",
    "|a|b| `c` [d](javascript:alert(1)) <!--",
)

figures = st.floats(0, 1e18).map(rounded)
ranges = st.tuples(figures, figures, figures).map(lambda three: ranged(*sorted(three)))
cells: dict[str, st.SearchStrategy[Cell]] = {
    "text": TEXT | st.sampled_from(NASTY),
    "count": st.integers(0, 10**12),
    "figure": figures,
    "prefixed": figures,
    "part": st.floats(0, 1).map(rounded),
    "change": st.floats(-1, 1e4).map(rounded),
    "moment": st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
        lambda one: one.replace(microsecond=0)
    ),
}


@st.composite
def tables(draw: st.DrawFn, key: str) -> DocumentTable:
    """A table with a few columns of any kind."""
    kinds = draw(st.lists(st.sampled_from(sorted(cells)), min_size=1, max_size=5))
    columns = []
    for number, kind in enumerate(kinds):
        wide = kind in ("figure", "prefixed") and draw(st.booleans())
        columns.append(
            Column(
                f"c{number}", draw(TEXT), kind, draw(st.sampled_from(("", "kWh"))), ranged=wide, bar=kind == "figure"
            )
        )  # type: ignore[arg-type]
    inner = [st.none() | (ranges if column.ranged else cells[column.kind]) for column in columns]
    rows = draw(st.lists(st.tuples(*inner), max_size=4))
    return DocumentTable(key, draw(TEXT), tuple(columns), tuple(rows), "none", (draw(TEXT),))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any document."""
    facts = KeyFigures(
        "facts",
        "",
        tuple(
            KeyFigure(f"f{n}", draw(TEXT), draw(figures | ranges), "figure", "W")
            for n in range(draw(st.integers(0, 3)))
        ),
    )
    points = tuple(ChartPoint(draw(TEXT), draw(st.none() | ranges)) for _ in range(draw(st.integers(0, 4))))
    chart = Chart("chart", draw(TEXT), "kWh", points, draw(st.sampled_from(("columns", "band"))))  # type: ignore[arg-type]
    section = DocumentSection(
        "one",
        draw(TEXT),
        (facts, chart, draw(tables("t1")), draw(tables("t2")), Sentences("s", draw(TEXT), (draw(TEXT),))),
    )
    return Document(
        draw(st.sampled_from(("en", "zh"))),
        draw(TEXT),
        draw(TEXT),
        ((draw(TEXT), draw(TEXT)),),
        (section,),
        {"format": "test/1"},
    )


def nasty(language: str = "en") -> Document:
    """A document in which every text is something that one form or another would rather not have."""
    value = ranged(1.0, 2.0, 3.0)
    blocks = []
    for number, text in enumerate(NASTY):
        columns = (
            Column("name", text),
            Column("kwh", text, "figure", text, ranged=True, bar=True),
            Column("more", text),
            Column("aside", text, aside=True),
        )
        rows = tuple((one, value, text, one) for one in NASTY)
        blocks += [
            DocumentTable(f"t{number}", text, columns, rows, text, (text,)),
            KeyFigures(
                f"f{number}",
                text,
                (KeyFigure("f", text, value, "figure", text, text), KeyFigure("g", text, text, "text")),
            ),
            Chart(f"c{number}", text, text, (ChartPoint(text, value), ChartPoint(text, None)), description=text),
            Sentences(f"s{number}", text, (text,)),
        ]
    return Document(
        language,
        NASTY[0],
        NASTY[3],
        tuple((text, text) for text in NASTY),
        (DocumentSection("all", NASTY[1], tuple(blocks), NASTY[2]),),
        {},
        NASTY[4],
    )
