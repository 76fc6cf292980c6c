"""The read side for people who may see some divisions and not others: every question has a scope, and no answer can be
without one. It changes nothing."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select

from sensor.ledger.read import cases as case_reader
from sensor.ledger.read import periods, sensors
from sensor.ledger.read.energy import energy_by_place
from sensor.ledger.read.finding_times import TimesMemory
from sensor.ledger.read.lists import owners, records, weeks
from sensor.ledger.read.lists import search as searching
from sensor.ledger.read.lists.asked import AskedOwners
from sensor.ledger.read.lists.changed import Changed, changed_since
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.nodes import AskedNodes, every_node_address, listed_nodes
from sensor.ledger.read.lists.owners import ListedAddress, ListedEnterprise, ListedPool, ListedSite
from sensor.ledger.read.lists.records import AskedCases, AskedFindings, ListedFinding
from sensor.ledger.read.lists.search import SearchAnswer
from sensor.ledger.read.lists.shared import AskedShared, ListedShared, count_shared, listed_shared
from sensor.ledger.read.lists.weeks import PeriodEnergy
from sensor.ledger.read.owners import AddressOwner, address_owners
from sensor.ledger.read.selection import Selection
from sensor.ledger.read.sensors import SensorSummary
from sensor.ledger.read.watching import coverage
from sensor.ledger.store.attachment_rows import attachments_of
from sensor.ledger.store.database import reading
from sensor.ledger.store.schema import COVERAGE
from sensor.model.casework import CaseAttachment
from sensor.model.coverage import Coverage, Grounds
from sensor.model.node import Node
from sensor.model.range import Range
from sensor.model.scope import Scope
from sensor.model.summary import Case, Place, Summary
from sensor.signatures.sites import SiteWeights

WHOLE = ListCut()


class DeskReader:
    """What one database shows of a scope. Any thread may ask; every answer is of one moment. All methods raise
    LedgerError."""

    def __init__(self, engine: Engine, scope: Scope, memory: TimesMemory | None = None) -> None:
        """`memory` is of this database; readers of all scopes may share it."""
        self._engine, self._chosen, self._memory = engine, Selection(scope), memory

    @property
    def scope(self) -> Scope:
        """The divisions that are seen."""
        return self._chosen.scope

    def enterprises(self, asked: AskedOwners, cut: ListCut = WHOLE) -> list[ListedEnterprise]:
        """Organisations that mine, those seen last first."""
        with reading(self._engine) as connection:
            return owners.listed_enterprises(connection, self._chosen, asked, cut)

    def sites(self, asked: AskedOwners, cut: ListCut = WHOLE) -> list[ListedSite]:
        """Sites that mine, those seen last first."""
        with reading(self._engine) as connection:
            return owners.listed_sites(connection, self._chosen, asked, cut)

    def addresses(self, asked: AskedOwners, cut: ListCut = WHOLE) -> list[ListedAddress]:
        """Addresses that mine, those seen last first."""
        with reading(self._engine) as connection:
            return owners.listed_addresses(connection, self._chosen, asked, cut)

    def every_address(self) -> list[str]:
        """All of them, as text."""
        with reading(self._engine) as connection:
            return owners.every_address(connection, self._chosen)

    def pools(self, asked: AskedOwners, cut: ListCut = WHOLE) -> list[ListedPool]:
        """Pools that are mined at, those seen last first."""
        with reading(self._engine) as connection:
            return owners.listed_pools(connection, self._chosen, asked, cut)

    def nodes(self, asked: AskedNodes, cut: ListCut = WHOLE) -> list[Node]:
        """Nodes of peer-to-peer networks, those seen last first."""
        with reading(self._engine) as connection:
            return listed_nodes(connection, self._chosen, asked, cut)

    def every_node_address(self) -> list[str]:
        """All of theirs, as text."""
        with reading(self._engine) as connection:
            return every_node_address(connection, self._chosen)

    def shared(self, asked: AskedShared, cut: ListCut = WHOLE, offset: int = 0) -> list[ListedShared]:
        """What several sensors, addresses or sites have in common, seen last first; the first `offset` left out."""
        with reading(self._engine) as connection:
            return listed_shared(connection, self._chosen, asked, cut, offset)

    def count_shared(self, asked: AskedShared) -> int:
        """How many rows there are in all."""
        with reading(self._engine) as connection:
            return count_shared(connection, self._chosen, asked)

    def findings(self, asked: AskedFindings, cut: ListCut = WHOLE) -> list[ListedFinding]:
        """Findings, those seen last first."""
        with reading(self._engine) as connection:
            return records.listed_findings(connection, self._chosen, asked, cut)

    def finding(self, finding_id: str) -> ListedFinding | None:
        """One finding; None where there is none in the scope."""
        with reading(self._engine) as connection:
            return records.one_finding(connection, self._chosen, finding_id)

    def changed_since(self, since_ns: int, most: int) -> Changed:
        """What came in and what moved since a moment."""
        with reading(self._engine) as connection:
            return changed_since(connection, self._chosen, since_ns, most)

    def cases(self, asked: AskedCases, cut: ListCut = WHOLE) -> list[Case]:
        """Cases, what is due first at the top."""
        with reading(self._engine) as connection:
            return records.listed_cases(connection, self._chosen, asked, cut)

    def case(self, case_id: int) -> Case | None:
        """One case; None where there is none in the scope."""
        with reading(self._engine) as connection:
            return records.one_case(connection, self._chosen, case_id)

    def attachments(self, case: Case) -> list[CaseAttachment]:
        """The files of a case, removed ones too."""
        with reading(self._engine) as connection:
            return attachments_of(connection, case.case_id)

    def case_addresses(self, case: Case) -> list[str]:
        """The addresses that a case is about."""
        with reading(self._engine) as connection:
            return case_reader.addresses(connection, case)

    def owners_of(self, address: str) -> list[AddressOwner]:
        """Whose an address was, oldest first; who lies elsewhere is left out."""
        with reading(self._engine) as connection:
            return address_owners(connection, address, self._chosen)

    def search(self, text: str, addresses: list[str] | None, most: int) -> SearchAnswer:
        """What a text may mean."""
        with reading(self._engine) as connection:
            return searching.search(connection, self._chosen, text, addresses, most)

    def addresses_of_worker(self, worker: str) -> list[str]:
        """The addresses at which machines of a name mined."""
        with reading(self._engine) as connection:
            return searching.addresses_of_worker(connection, self._chosen, worker)

    def summary(self, from_ns: int, to_ns: int, grounds: Grounds, weights: SiteWeights) -> Summary:
        """What the ledger has of [from_ns, to_ns)."""
        with reading(self._engine) as connection:
            return periods.summary(connection, from_ns, to_ns, weights, grounds, self._chosen, self._memory)

    def energy_by_place(self, from_ns: int, to_ns: int, level: float) -> dict[Place, Range]:
        """Kilowatt-hours of every place whose roll-ups begin in [from_ns, to_ns), false alarms included."""
        with reading(self._engine) as connection:
            return energy_by_place(connection, from_ns, to_ns, level, self._chosen)

    def periods(self, from_ns: int, length_ns: int, count: int, level: float) -> list[PeriodEnergy]:
        """Energy and addresses of periods in a row."""
        with reading(self._engine) as connection:
            return weeks.energy_of_periods(connection, self._chosen, from_ns, length_ns, count, level)

    def coverage(self, from_ns: int, to_ns: int) -> Coverage:
        """When sensors listened. They stand at lines of an operator and belong to no division: all see them."""
        with reading(self._engine) as connection:
            return coverage(connection, from_ns, to_ns)

    def sensors(self) -> list[SensorSummary]:
        """The sensors; how many findings they have told is not for this scope, and is not counted."""
        with reading(self._engine) as connection:
            return sensors.sensors(connection, counted=False)

    def newest_ns(self) -> int | None:
        """Until when anything was watched, or mined; None in an empty ledger."""
        with reading(self._engine) as connection:
            return _newest_ns(connection, self._chosen)


def _newest_ns(connection: Connection, chosen: Selection) -> int | None:
    found = (connection.scalar(select(func.max(COVERAGE.c.to_ns))), periods.newest_ns(connection, chosen))
    return max((ns for ns in found if ns is not None), default=None)
