"""Whose address that was: all books behind one question.

Built whole, then only read: a reload is a new object in its place.

Everything is in memory: it reads no file and no clock. `sensor.attribution.loader` fills the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sensor.attribution.answer.claims import Claims
from sensor.attribution.answer.connections import Asked, ask_about, carried_for, ended_before, merge_answers
from sensor.attribution.answer.decision import Decision, Question, decide
from sensor.attribution.answer.explanation import explain_decision
from sensor.attribution.answer.stretches import HolderTimes, is_always
from sensor.attribution.books.book import AttributionError, Books
from sensor.attribution.index.index import CrossingError, Index
from sensor.attribution.index.ranges import number
from sensor.model.address import parse_address, parse_network
from sensor.model.attribution import Attribution, Claim
from sensor.model.finding import Finding
from sensor.model.text import N_, split_endpoint
from sensor.sheets.dates import ALWAYS, FOREVER

RESULTS = ("named", "shared", "conflict", "unknown")
#: Interface (None: any), VLAN (None: any), and the VRF that is seen there.
Seen = tuple[str | None, int | None, str]


class Attributor:
    """The books in force."""

    def __init__(
        self, books: Books, points: Sequence[Seen] = (), loaded_ns: int = 0, proxies: Sequence[str] = ()
    ) -> None:
        """Settle what the sources have read; `points` say which VRF is seen where, `loaded_ns` when that was, `proxies`
        which networks are those of proxies whose word for whom they carry is taken.

        Raises AttributionError where the ranges cannot be put in order.
        """
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
        self.loaded_ns = loaded_ns
        self._points = tuple(points)
        self._proxies = [parse_network(name) for name in proxies]
        self._lookups = Counter(dict.fromkeys(RESULTS, 0))

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
            reasons = (N_("what was asked is no address"),)
            return Attribution(str(address), port, at_ns, "unknown", None, None, (), reasons)
        return self._attribution(address, port, question, self.decide(question))

    def decide(self, question: Question) -> Decision:
        """Who it was, without claims and reasons: what is asked for each connection of a finding."""
        decision = decide(self.claims, question)
        self._lookups[decision.result] += 1
        return decision

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
        known_port = port if isinstance(port, int) and 0 <= port <= 65_535 else -1
        seen = tuple(tag for tag in vlan if isinstance(tag, int)) if vlan else ()
        where = vrf if vrf is not None else self._vrf(interface, seen) if self._points else ""
        at = at_ns if ALWAYS <= at_ns < FOREVER else ALWAYS if at_ns < ALWAYS else FOREVER - 1
        anywhere = self.index.at(where, (), None) if seen or interface is not None else None
        return Question(version, value, known_port, at, self.index.at(where, seen, interface), bool(seen), anywhere)

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
            return N_("begins later")
        if question.at_ns >= index.until_ns[row]:
            return N_("ended before")
        if index.point[row] not in question.points:
            return N_("elsewhere in the network")
        return N_("through other ports") if question.port >= 0 else N_("through some ports only")

    def attribute(self, finding: Finding, *, live: bool = False) -> Finding:
        """Enrich a finding with whose the miner's address was, in all and by stretches of time, and return it.

        Every connection is asked for at all of its time. In all a holder is named only where all lead to the same; a
        time of which no book speaks is silence, and contradicts nobody, unless it is the last. `live`: the connections'
        sources are interfaces, which are part of the observation point.
        """
        for flow in finding.flows if self._points else ():
            flow.vrf = self._vrf(flow.source if live else None, flow.vlans)

        def ask(asked: Asked, at_ns: int) -> Question | None:
            return self.question(
                finding.miner_ip, asked.port, at_ns, vlan=asked.vlans, interface=asked.interface, vrf=None
            )

        def explain(asked: Asked, question: Question | None, decision: Decision) -> Attribution:
            if question is None:
                return self.answer(finding.miner_ip, asked.port, finding.first_ns)
            return self._attribution(finding.miner_ip, asked.port, question, decision)

        stretches, spoken = HolderTimes(self.claims, ask, self.decide, explain).of(ask_about(finding, live))
        finding.attribution = merge_answers(spoken)
        if stretches[-1].attribution.result == "unknown" and finding.attribution.result != "unknown":
            finding.attribution = ended_before(stretches[-1], finding.attribution)
        finding.holders = () if is_always(stretches) else tuple(stretches)
        clients = sorted({flow.client for flow in finding.flows if flow.client})
        if clients:
            named = self._behind_proxy(finding, clients)
            if named is None:
                carried_for(finding.attribution, clients)
            finding.attribution, finding.holders = named or finding.attribution, ()
        return finding

    def _behind_proxy(self, finding: Finding, clients: Sequence[str]) -> Attribution | None:
        """Whose the one address is that a listed proxy says it carries for, at every connection; None where the sender
        is no listed proxy, for anybody may write any address, or where there are several."""
        sender = parse_address(finding.miner_ip)
        ends = {split_endpoint(client) for client in clients}
        hosts = {end[0] for end in ends if end is not None}
        if None in ends or len(hosts) != 1 or not any(sender in network for network in self._proxies):
            return None
        if any(flow.client is None for flow in finding.flows):
            return None
        (host,) = hosts
        ports = {end[1] for end in ends if end is not None}
        answer = self.answer(host, ports.pop() if len(ports) == 1 else None, finding.first_ns)
        carried = N_("the listed proxy {address} carried for it, as its header says").format(address=finding.miner_ip)
        answer.reasons = (carried, *answer.reasons)
        return answer

    def _attribution(self, address: str, port: int | None, question: Question, decision: Decision) -> Attribution:
        """A decision with its claims and reasons."""
        claims, reasons = explain_decision(self.claims, question, decision)
        for table in self.books.tables:
            claims += table.claims(question.version, question.value)
        return Attribution(
            address,
            port,
            question.at_ns,
            decision.result,
            decision.enterprise,
            decision.site,
            tuple(claims),
            tuple(reasons),
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
