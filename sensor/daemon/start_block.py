"""The first lines of a run (what this sensor is, reads and knows, and where it tells what it finds), and the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from exporters.forms.amounts import counted, plural, size
from sensor.daemon.setup import Setup
from sensor.intake.engine import ListenOptions
from sensor.model.status import Status
from sensor.model.time import day_text
from sensor.model.version import VERSION
from sensor.signatures import SignatureSet
from sensor.signatures.precedence import SHIPPED

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.attribution.books.book import Book

#: Books that are named one by one.
MOST_BOOKS = 20


def start_lines(setup: Setup, engine: str, sensor_id: str, ledger_url: str) -> list[str]:
    """One sentence for each part; `ledger_url` without its password."""
    configured = setup.config
    return [
        f"{VERSION} starts as sensor {sensor_id}, {engine} engine, {counted(configured.workers, 'worker')}",
        *_sources(setup),
        _signatures(setup.signatures),
        _tables(setup.signatures),
        *_books(setup.attribution),
        f"ledger: {ledger_url}",
        _exporters(setup),
    ]


def _sources(setup: Setup) -> Iterator[str]:
    capture = setup.config.capture
    for name, listening in setup.captures.items():
        yield f"interface {name}: {_listening(listening)}"
    if capture.folder is not None:
        yield f"folder {capture.folder}: each finished capture is read once"
    if capture.stdin:
        yield "standard input: one capture, read to its end"
    exclude = capture.exclude
    if exclude.networks or exclude.ports:
        networks, ports = counted(len(exclude.networks), "network"), counted(len(exclude.ports), "port")
        yield f"left out: {networks}, {ports}"


def _listening(listening: ListenOptions) -> str:
    promiscuous = "promiscuous" if listening.promiscuous else "not promiscuous"
    bound = f", threads bound to processor {', '.join(map(str, listening.cpus))}" if listening.cpus else ""
    return f"{promiscuous}, ring of {size(listening.ring_bytes)}{', filtered' if listening.filter else ''}{bound}"


def _signatures(signatures: SignatureSet) -> str:
    own = sum(not header.file.startswith("signatures/") for header in signatures.headers)
    return (
        f"signatures: {counted(len(signatures.dialects), 'dialect')}, "
        f"{counted(len(signatures.nodes), 'node protocol')}{f', {own} of them your own' if own else ''}"
    )


def _tables(signatures: SignatureSet) -> str:
    tables = (
        f"{table.name} {table.rows} {plural(table.rows, 'row')} "
        + ("undated" if table.dated is None else f"of {table.dated.isoformat()}")
        for table in signatures.tables
        if table.instead is None
    )
    older = [
        f"; {table.file} does not count, {table.instead} is newer"
        for table in signatures.tables
        if table.instead is not None and not table.file.startswith(SHIPPED)
    ]
    return f"tables: {', '.join(tables)}{''.join(older)}"


def _books(attributor: Attributor | None) -> list[str]:
    """A sentence for each book, as far as there is room."""
    if attributor is None:
        return ["books: none is configured, so no address has a holder (attribution.sources)"]
    books = attributor.books.books
    lines = [f"book {book.path}: {_book(book)}" for book in books[:MOST_BOOKS]]
    return lines + ([f"and {counted(len(books) - MOST_BOOKS, 'more book')}"] if len(books) > MOST_BOOKS else [])


def _book(book: Book) -> str:
    dated = "undated" if book.as_of_ns is None else f"of {day_text(book.as_of_ns)}"
    refused = len(book.refused)
    unusable = f", {counted(refused, 'row')} cannot be used (minewatch books check names them)" if refused else ""
    return f"{counted(book.rows, 'row')} {dated}{unusable}"


def _exporters(setup: Setup) -> str:
    names: Sequence[str] = sorted(setup.destinations)
    served = [f"prometheus at {setup.metrics.listen}"] if setup.metrics is not None else []
    if not names and not served:
        return "exporters: none is configured; findings are kept in the ledger and told to nobody"
    silent = [] if names else ["findings are told to nobody"]
    return f"exporters: {', '.join([*names, *served, *silent])}"


def end_line(status: Status) -> str:
    """What a run came to."""
    packets, findings = status.core.get("packets", 0), status.line.get("findings_opened", 0)
    dropped = f", {status.core.get('kernel_dropped', 0):,} dropped by the kernel" if status.interfaces else ""
    return f"stopped: {counted(packets, 'packet')}{dropped}, {counted(findings, 'finding')}"
