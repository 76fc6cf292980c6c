"""Prefixes with their tenants from an export of NetBox: the JSON of its API, or the CSV of its table.

Without dates: NetBox keeps none.

A tenant is a holder; a prefix without one, or a container, does not tell who uses an address.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from sensor.attribution.books.book import HOLDERS, AttributionError, Book, Books
from sensor.attribution.books.holder import RowHolder
from sensor.attribution.books.register import Filing
from sensor.attribution.books.source import Name, SourceConfig, files
from sensor.attribution.formats.codes import certificate, hide
from sensor.attribution.index.ranges import prefix
from sensor.attribution.index.rows import Allocation
from sensor.model.attribution import Site
from sensor.sheets.text import short

STRENGTH = 0.8
#: States in which a prefix is somebody's.
IN_USE = ("active", "")


class Config(SourceConfig):
    """An export of prefixes."""

    kind: Literal["netbox"]
    code_field: Name = "uscc"  # the custom field that holds the unified social credit code of the tenant
    address_field: Name = "address"  # the custom field that holds the premises


def load(config: Config, books: Books) -> None:
    """Read every file. AttributionError where one is no export."""
    for path in files(config.path):
        book = books.open(path, "netbox", config, HOLDERS, STRENGTH)
        try:
            for line, fields in _entries(path):
                try:
                    _row(book, config, line, fields)
                except ValueError as error:
                    book.refuse(line, str(error))
        except (ValueError, csv.Error) as error:
            raise AttributionError([f"{path}: {error}"]) from None


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if text.lstrip()[:1] in ("[", "{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"is no JSON: {error}") from None
        listed = data.get("results") if isinstance(data, dict) else data
        if not isinstance(listed, list):
            raise ValueError("is no list of prefixes, and has no `results`")
        yield from enumerate((entry if isinstance(entry, dict) else {} for entry in listed), 1)
        return
    reader = csv.DictReader(text.splitlines())
    if "prefix" not in {str(name).lower() for name in reader.fieldnames or ()}:
        raise ValueError("has no column `prefix`")
    for row in reader:
        yield reader.line_num, {str(name).lower().replace(" ", "_"): value for name, value in row.items()}


def _row(book: Book, config: Config, line: int, fields: dict[str, Any]) -> None:
    network = _text(fields.get("prefix"))
    span = prefix(network) if network else None
    if span is None:
        raise ValueError("has no prefix")
    status = _text(fields.get("status"), "value").lower()
    if status not in IN_USE:
        book.note(line, f"{network} is {status} and was left out")
        return
    tenant = hide(_text(fields.get("tenant"), "name"))
    if not tenant:
        book.note(line, f"{network} has no tenant and was left out")
        return
    custom_fields = fields.get("custom_fields")
    custom = custom_fields if isinstance(custom_fields, dict) else fields
    paper = certificate("", _text(custom.get(config.code_field) or fields.get(f"cf_{config.code_field}")))
    if paper.problem:
        raise ValueError(f"{short(network)}: {paper.problem}")
    register = book.books.register
    place = hide(
        _text(custom.get(config.address_field) or fields.get(f"cf_{config.address_field}"))
        or _text(fields.get("site") or fields.get("scope"), "name")
    )
    role = hide(_text(fields.get("role"), "name"))
    holder = RowHolder(
        enterprise=register.file(
            Filing(tenant, paper.uscc, "individual" if paper.personal else None, None, paper.masked or "")
        ),
        site=register.site(Site(place, None)) if place else -1,
        detail=(("use", role),) if role else (),
    )
    vlan = _text(fields.get("vlan"), "vid")
    tag = vlan.rpartition("(")[2].rstrip(")") if "(" in vlan else vlan
    point = book.point(_text(fields.get("vrf"), "name"), int(tag) if tag.isdigit() and int(tag) <= 4095 else None)
    book.add(Allocation(*span, book.books.holder(holder), line, point=point))


def _text(value: Any, key: str = "") -> str:
    """A value, or that member of it which names it."""
    if isinstance(value, dict):
        value = value.get(key) or value.get("display") or value.get("name") or value.get("label") or ""
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()
