"""A document as one HTML page: style inside, charts as SVG, no script, nothing loaded; its policy forbids both.

Every text goes through the template engine's escaping. Names may turn the direction of writing: <bdi> keeps that to
themselves.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from exporters.forms.documents import charts, numerals
from exporters.forms.documents.model import Column, Document, DocumentTable, RangeCell
from exporters.forms.documents.translations import HTML_LANGUAGES, translator

SUFFIX = "html"


def write(document: Document) -> bytes:
    """The page, in UTF-8."""
    template = environment().get_template("document.html")
    text = template.render(
        document=document, lang=HTML_LANGUAGES[document.language], _=translator(document.language), style=style()
    )
    return text.encode("utf-8", "replace")


@cache
def environment() -> Environment:
    """The templates with what they may call."""
    templates = Environment(
        loader=PackageLoader("exporters.forms.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(
        shown=numerals.shown,
        best=numerals.best,
        key_figure=numerals.key_figure,
        bounds=numerals.bounds,
        chart=charts.chart,
        bar=charts.bar,
        strip=charts.strip,
        steps=charts.steps,
        numeric=numeric,
        highest=highest,
        aside=aside,
        is_range=lambda cell: isinstance(cell, RangeCell),
    )
    return templates


@cache
def style() -> Markup:
    """The style sheet; ours, so it is not escaped."""
    loader = environment().loader
    assert loader is not None
    return Markup(loader.get_source(environment(), "style.css")[0])


def numeric(column: Column) -> bool:
    """Whether a column's cells are numbers, which stand to the right."""
    return column.kind not in ("text", "moment")


def aside(table: DocumentTable) -> str:
    """The names of the columns that are left out."""
    return ", ".join(column.title for column in table.columns if column.aside)


def highest(table: DocumentTable, index: int) -> float:
    """The largest figure of a column, bounds included."""
    cells = [row[index] for row in table.rows]
    return max(
        (
            cell.high if isinstance(cell, RangeCell) else cell
            for cell in cells
            if isinstance(cell, int | float | RangeCell)
        ),
        default=0.0,
    )
