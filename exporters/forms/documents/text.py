"""A document as Markdown with tables as on GitHub, for a mail, a chat, a terminal. Charts and strips are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exporters.forms.amounts import AT_LEAST
from exporters.forms.documents.model import Block, Chart, CoverageStrip, Document, DocumentTable, KeyFigures
from exporters.forms.documents.numerals import shown
from exporters.forms.documents.page import numeric
from exporters.forms.documents.translations import Translate, translator

SUFFIX = "md"
#: Everything that Markdown or the HTML in it gives a meaning to.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>=-])")


def write(document: Document) -> bytes:
    """The text, in UTF-8."""
    lines = [f"# {plain(document.title)}", "", plain(document.subtitle), ""]
    lines += [f"- {plain(name)}: {plain(value)}" for name, value in document.meta]
    for block in document.opening:
        lines += ["", *_block(block, translator(document.language))]
    for section in document.sections:
        lines += ["", f"## {plain(section.title)}", ""]
        if section.introduction:
            lines += [plain(section.introduction), ""]
        for block in section.blocks:
            lines += _block(block, translator(document.language))
    lines += ["", plain(document.footer)]
    return ("\n".join(lines).rstrip() + "\n").encode("utf-8", "replace")


def _block(block: Block, translate: Translate) -> Iterator[str]:
    if isinstance(block, Chart | CoverageStrip):
        return
    if block.title:
        yield from (f"### {plain(block.title)}", "")
    if isinstance(block, KeyFigures):
        for figure in block.figures:
            note = f": {plain(figure.note)}" if figure.note else ""
            value = shown(figure.value, figure.kind, figure.unit)
            least = AT_LEAST if figure.at_least and isinstance(figure.value, int | float) else ""
            yield f"- {plain(figure.title)}: **{plain(least + value)}**{note}"
    elif isinstance(block, DocumentTable):
        yield from _table(block, translate)
    else:
        for sentence in block.sentences:
            yield from (f"> **{plain(sentence)}**" if block.warning else plain(sentence), "")
    yield ""


def _table(table: DocumentTable, _: Translate) -> Iterator[str]:
    if table.rows:
        yield "| " + " | ".join(plain(column.title) for _place, column in table.front) + " |"
        yield "|" + "|".join(" ---: " if numeric(column) else " --- " for _place, column in table.front) + "|"
        for row in table.top:
            cells = [plain(shown(row[place], column.kind, column.unit)) for place, column in table.front]
            yield "| " + " | ".join(cells) + " |"
        if len(table.rows) > len(table.top):
            more = _("{count} more rows stand in the workbook, the CSV and the JSON.").format(
                count=len(table.rows) - len(table.top)
            )
            yield from ("", plain(more))
    elif table.empty:
        yield plain(table.empty)
    for note in table.notes:
        yield from ("", plain(note))


def plain(text: str) -> str:
    """Text in which nothing has a meaning to Markdown or HTML, on one line."""
    line = " ".join(text.split())
    escaped = _SPECIAL.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;"))
    return escaped.replace("\\-", "-") if not escaped.startswith("\\-") else escaped
