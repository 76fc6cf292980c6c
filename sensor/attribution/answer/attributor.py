"""Whose address that was: all books behind one question. Built whole, then only read: a reload is a new object in the old one's place.

It reads local files when it is loaded and nothing at all when it is asked.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sensor.attribution.answer.claims import Claims
from sensor.attribution.answer.decision import Decision, Question, decide
from sensor.attribution.answer.wording import MOST_CLAIMS, worded
from sensor.attribution.books import AttributionError, Books, Progress
from sensor.attribution.divisions import Divisions
from sensor.attribution.index.index import CrossingError, Index
from sensor.attribution.index.ranges import number
from sensor.attribution.settings import Settings, module
from sensor.attribution.source import Source, files
from sensor.model.attribution import Attribution, Claim
from sensor.model.finding import Finding
from sensor.sheets.dates import ALWAYS, FOREVER

RESULTS = ("named", "shared", "conflict", "unknown")


class Attributor:
    """The books in force."""

    def __init__(self, books: Books, settings: Settings) -> None:
        """Settle what the sources have read. AttributionError where the ranges cannot be put in order."""
        began = time.monotonic()
        books.register.settle()
        self.books = books
        try:
            numbers = [book.rank for book in books.books], [book.strength for book in books.books]
            self.index = Index(books.columns, *numbers, books.points)
        except CrossingError as error:
            place = books.books[error.book].place(error.line)
            raise AttributionError(
                [f"{place}: ranges cross each other beyond reason, here among others; no book is like that"]
            ) from None
        self.claims = Claims(books, self.index)
        self.build_seconds = time.monotonic() - began
        self.loaded_ns = time.time_ns()
        self._points = [(one.interface, one.vlan, one.vrf) for one in settings.points]
        self._lookups = Counter(dict.fromkeys(RESULTS, 0))

    @classmethod
    def load(
        cls, settings: Settings, previous: Attributor | None = None, progress: Progress | None = None
    ) -> Attributor:
        """Read all sources and put them in order.

        A book that has less than half of the rows it had in `previous` is refused, unless its source says `allow_shrink`: half a book names
        wrong holders with confidence. AttributionError has every problem at once; the previous object stays as it was.
        """
        problems: list[str] = []
        try:
            divisions = Divisions(Path(settings.divisions) if settings.divisions else None)
        except (OSError, ValueError) as error:
            problems.append(f"{settings.place('divisions')}: attribution.divisions: {_why(error)}")
            divisions = Divisions()
        books = Books(divisions, progress)
        with _no_collector():
            for position, source in enumerate(settings.sources):
                _read(source, settings.place(position), books, problems)
            problems += _shrunk(books, previous)
            if problems:
                raise AttributionError(problems)
            return cls(books, settings)

    def answer(
        self,
        address: str,
        port: int | None,
        at_ns: int,
        *,
        vlan: tuple[int, ...] = (),
        interface: str | None = None,
        vrf: str | None = None,
    ) -> Attribution:
        """Whose the address was at that time. Whatever is asked, there is an answer: "unknown" is one."""
        question = self.question(address, port, at_ns, vlan=vlan, interface=interface, vrf=vrf)
        if question is None:
            self._lookups["unknown"] += 1
            reasons = ("what was asked is no address",)
            return Attribution(str(address), port, at_ns, "unknown", None, None, (), reasons)
        return self._told(address, port, question, self.decide(question))

    def decide(self, question: Question) -> Decision:
        """Who it was, without the words: what the line asks for each connection."""
        made = decide(self.claims, question)
        self._lookups[made.result] += 1
        return made

    def question(
        self,
        address: str,
        port: int | None,
        at_ns: int,
        *,
        vlan: tuple[int, ...],
        interface: str | None,
        vrf: str | None,
    ) -> Question | None:
        """The question in numbers, seen at its point of the network; None where the address is none."""
        try:
            version, value = number(address)
        except (ValueError, TypeError):
            return None
        asked = port if isinstance(port, int) and 0 <= port <= 65_535 else -1
        seen = tuple(one for one in vlan if isinstance(one, int)) if vlan else ()
        where = vrf if vrf is not None else self._vrf(interface, seen) if self._points else ""
        at = at_ns if ALWAYS <= at_ns < FOREVER else ALWAYS if at_ns < ALWAYS else FOREVER - 1
        anywhere = self.index.at(where, (), None) if seen or interface is not None else None
        return Question(version, value, asked, at, self.index.at(where, seen, interface), bool(seen), anywhere)

    def others(
        self,
        address: str,
        port: int | None,
        at_ns: int,
        *,
        vlan: tuple[int, ...] = (),
        interface: str | None = None,
        vrf: str | None = None,
    ) -> list[tuple[Claim, str]]:
        """The rows of the address that do not answer this question, each with the reason."""
        question = self.question(address, port, at_ns, vlan=vlan, interface=interface, vrf=vrf)
        if question is None:
            return []
        index = self.index
        holding = set(index.match(*question[:5]))
        rows = [row for row in index.covering(question.version, question.value) if row not in holding]
        return [(self.claims.claim(row), self._why_not(row, question)) for row in rows]

    def _why_not(self, row: int, question: Question) -> str:
        index = self.index
        if question.at_ns < index.from_ns[row]:
            return "begins later"
        if question.at_ns >= index.until_ns[row]:
            return "ended before"
        if index.point[row] not in question.points:
            return "elsewhere in the network"
        return "through other ports" if question.port >= 0 else "through some ports only"

    def attribute(self, finding: Finding, *, live: bool = False) -> Finding:
        """Say whose the miner's address was: asked for every connection, named only where all say the same. Gives the finding back.

        `live`: the connections' sources are interfaces, and tell where in the network they were seen.
        """
        decided: dict[tuple[Any, ...], Attribution] = {}
        for port, at_ns, vlans, interface in _asked(finding, live):
            question = self.question(finding.miner_ip, port, at_ns, vlan=vlans, interface=interface, vrf=None)
            made = Decision([]) if question is None else self.decide(question)
            # One row may stand for many: of a computed translator each port is another address, of a lease the account may change hands.
            key = (made.result, made.deciding, *made.rows, made.inside, made.enterprise, made.site)
            if key not in decided:
                told = (
                    self._told(finding.miner_ip, port, question, made)
                    if question
                    else self.answer(finding.miner_ip, port, at_ns)
                )
                decided[key] = told
        finding.attribution = _joined(list(decided.values()))
        clients = sorted({flow.client for flow in finding.flows if flow.client})
        if clients:
            _carried(finding.attribution, clients)
        return finding

    def _told(self, address: str, port: int | None, question: Question, made: Decision) -> Attribution:
        """A decision with its claims and reasons."""
        claims, reasons = worded(self.claims, question, made)
        for table in self.books.tables:
            claims += table.claims(question.version, question.value)
        return Attribution(
            address, port, question.at_ns, made.result, made.enterprise, made.site, tuple(claims), tuple(reasons)
        )

    def stats(self) -> dict[str, int | float]:
        """Figures of the books and of the questions so far."""
        dates = [book.as_of_ns for book in self.books.books if book.as_of_ns is not None]
        return {
            "books": len(self.books.books),
            "rows": sum(book.rows for book in self.books.books),
            "rejected_rows": sum(len(book.refused) for book in self.books.books),
            "enterprises": self.books.register.count,
            "customers": len(self.books.customers),
            "loaded_timestamp_seconds": self.loaded_ns / 1e9,
            "oldest_book_timestamp_seconds": min(dates) / 1e9 if dates else 0.0,
            **{f"lookups_{result}": self._lookups[result] for result in RESULTS},
        }

    def _vrf(self, interface: str | None, vlans: tuple[int, ...]) -> str:
        """The VRF of an observation point, as configured."""
        for where, vlan, vrf in self._points:
            if (where is None or where == interface) and (vlan is None or vlan in vlans):
                return vrf
        return ""


@contextmanager
def _no_collector() -> Iterator[None]:
    """Books make millions of objects and no cycles: looking for these again and again took a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _read(source: Source, place: str, books: Books, problems: list[str]) -> None:
    """Let a source read its files; whatever hinders it is a sentence."""
    kind: str = getattr(source, "kind", "")
    if source.path and not files(source.path):
        problems.append(f"{place}: {source.path}: no such file")
        return
    try:
        module(kind).load(source, books)
    except AttributionError as error:
        problems += [f"{place}: {text}" for text in error.problems]
    except OSError as error:
        problems.append(f"{place}: {error.filename or source.path}: {_why(error)}")


def _shrunk(books: Books, previous: Attributor | None) -> list[str]:
    if previous is None:
        return []
    before: Mapping[str, int] = {book.shrink_key: book.rows for book in previous.books.books}
    now = {book.shrink_key: book for book in books.books}
    return [
        f"{book.path}: {book.rows} rows, {before[key]} before: more than half are gone (allow_shrink: true takes it all the same)"
        for key, book in now.items()
        if not book.allow_shrink and 2 * book.rows < before.get(key, 0)
    ]


def _asked(finding: Finding, live: bool) -> Iterator[tuple[int | None, int, tuple[int, ...], str | None]]:
    """Port, time, VLANs and interface of each connection, at its beginning and at its end."""
    if not finding.flows:
        yield None, finding.last_ns, (), None
    for flow in finding.flows:
        for at_ns in dict.fromkeys((flow.first_ns, flow.last_ns)):
            yield flow.key.src_port, at_ns, tuple(flow.vlans), flow.source if live else None


def _joined(answers: list[Attribution]) -> Attribution:
    """One answer of many: theirs if they agree on the party, else that they do not."""
    first = answers[0]
    parties = {(one.result, one.enterprise.enterprise_id if one.enterprise else None) for one in answers}
    claims: dict[tuple[Any, ...], Claim] = {}
    for one in answers:
        for claim in one.claims:
            claims.setdefault((claim.place, claim.allocation, claim.ports, claim.valid_from_ns, claim.standing), claim)
    shown = tuple(claims.values())[:MOST_CLAIMS]
    if len(parties) == 1:
        sites = {one.site for one in answers}
        return Attribution(
            first.address,
            first.port,
            first.at_ns,
            first.result,
            first.enterprise,
            first.site if len(sites) == 1 else None,
            shown,
            first.reasons,
        )
    named = sorted({one.enterprise.name for one in answers if one.enterprise})
    whom = (
        f"different holders ({', '.join(named)})"
        if len(named) > 1
        else f"{named[0]} and nobody known"
        if named
        else "nobody known"
    )
    reason = f"the connections of this finding lead to {whom}: through other ports, or at other times; nobody is named"
    return Attribution(
        first.address,
        None,
        first.at_ns,
        "conflict" if len(named) > 1 else "shared",
        None,
        None,
        shown,
        (reason, *first.reasons),
    )


def _carried(answer: Attribution, clients: list[str]) -> None:
    """Take the name back where a proxy at the address says that it carries for others: its holder is not the miner."""
    reason = (
        f"a proxy at this address carried for {', '.join(clients[:3])}, as it says itself: whoever mines is behind it"
    )
    answer.result, answer.enterprise, answer.site = "shared", None, None
    answer.reasons = (reason, *answer.reasons)


def _why(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
