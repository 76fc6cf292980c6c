"""The one read side of a ledger: for bulletin, export, explain, `ledger list` and `show`, delivery, and a console. It
changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Engine

from sensor.ledger.read import cases, conditions, connections, energy, findings, owners, periods, sensors
from sensor.ledger.read.energy import EnergyPiece
from sensor.ledger.read.findings import StoredFinding
from sensor.ledger.read.owners import AddressOwner
from sensor.ledger.read.sensors import SensorSummary
from sensor.ledger.store.attachment_rows import attachments_of
from sensor.ledger.store.coverage import stretches
from sensor.ledger.store.database import reading
from sensor.model.address import canonical_if_address
from sensor.model.attribution import Enterprise
from sensor.model.casework import CaseAttachment
from sensor.model.chance import LEVEL
from sensor.model.condition import Condition
from sensor.model.coverage import DEFAULT_GROUNDS, Grounds, ListeningSpan, union
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.node import Node
from sensor.model.range import Range
from sensor.model.summary import Case, Place, Summary
from sensor.model.time import SECOND_NS
from sensor.signatures.loader import shipped_sites
from sensor.signatures.sites import SiteWeights


class LedgerReader:
    """What one database knows. Any thread may ask; every answer is of one moment. All methods raise LedgerError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def findings(
        self,
        address: str | None = None,
        state: str | None = None,
        *,
        finding_id: str | None = None,
        activity: str | None = None,
        limit: int = 10_000,
    ) -> list[StoredFinding]:
        """Findings, newest first: of a miner's or pool's address, in a state ("opened", "updated", "closed", or "open"
        for both of the first), of one identity, or of an activity."""
        with reading(self._engine) as connection:
            return findings.findings(
                connection,
                address and canonical_if_address(address),
                state,
                finding_id=finding_id,
                limit=limit,
                activity=activity,
            )

    def reported_findings(self, from_ns: int, to_ns: int, newest: int) -> list[Finding]:
        """The findings seen in [from_ns, to_ns) that are not suppressed, in order of first packet and identity. Only so
        many of the newest findings are looked through."""
        return findings.reported(self.findings(limit=newest), from_ns, to_ns)

    def open_findings(self, after: str = "", most: int = 500) -> list[Finding]:
        """A page of the findings that are open and not suppressed, in the order of their identities."""
        with reading(self._engine) as connection:
            return findings.open_findings(connection, after, most)

    def suppressions(self, identities: Sequence[str]) -> dict[str, str]:
        """Those of some findings that are suppressed, and why, by identity."""
        with reading(self._engine) as connection:
            return findings.suppressions(connection, identities)

    def nodes(self, address: str | None = None, limit: int = 10_000) -> list[Node]:
        """The nodes of an address, or all, newest first."""
        with reading(self._engine) as connection:
            return findings.nodes(connection, address and canonical_if_address(address), limit)

    def cases(self) -> list[Case]:
        """All cases as they are now, in the order of their numbers."""
        with reading(self._engine) as connection:
            return list(cases.cases(connection).values())

    def case(self, case_id: int) -> Case | None:
        """One case as it is now; None if there is none of this number."""
        with reading(self._engine) as connection:
            return next(iter(cases.cases(connection, case_id=case_id).values()), None)

    def attachments(self, case_id: int) -> list[CaseAttachment]:
        """The files of a case, removed ones too."""
        with reading(self._engine) as connection:
            return attachments_of(connection, case_id)

    def cases_of(self, address: str) -> list[Case]:
        """The cases that an address belongs to, as they are now, in the order of their numbers."""
        with reading(self._engine) as connection:
            return cases.of_address(connection, canonical_if_address(address))

    def case_grades(self) -> dict[int, Grade]:
        """The highest grade of the findings of each case, by its number, as far as findings are kept."""
        with reading(self._engine) as connection:
            return cases.grades(connection)

    def case_addresses(self, case: Case) -> list[str]:
        """The addresses that a case is about."""
        with reading(self._engine) as connection:
            return cases.addresses(connection, case)

    def case_logins(self, case: Case) -> list[str]:
        """The logins, or wallets, of a case's findings."""
        with reading(self._engine) as connection:
            return cases.logins(connection, case.case_id)

    def address_owners(self, address: str) -> list[AddressOwner]:
        """Whose an address was, oldest first."""
        with reading(self._engine) as connection:
            return owners.address_owners(connection, canonical_if_address(address))

    def enterprises(self, name: str) -> list[Enterprise]:
        """The enterprises and persons of an identity, a unified social credit code or a name, in the order of their
        identities."""
        with reading(self._engine) as connection:
            return owners.enterprises_named(connection, name)

    def sensors(self) -> list[SensorSummary]:
        """Every sensor that told this ledger anything, in the order of their ids."""
        with reading(self._engine) as connection:
            return sensors.sensors(connection)

    def connections_between(self, ends: str, at_ns: int) -> list[FlowSummary]:
        """The connections of a Community ID that may be there at a time, newest last."""
        with reading(self._engine) as connection:
            return connections.connections_between(connection, ends, at_ns)

    def begun_condition(self, sensor_id: str) -> Condition | None:
        """What a sensor said of itself that is not over yet."""
        with reading(self._engine) as connection:
            return conditions.begun_condition(connection, sensor_id)

    def newest_ns(self) -> int | None:
        """When the last of all mining was seen; None in an empty ledger."""
        with reading(self._engine) as connection:
            return periods.newest_ns(connection)

    def summary(
        self, from_ns: int, to_ns: int, grounds: Grounds = DEFAULT_GROUNDS, weights: SiteWeights | None = None
    ) -> Summary:
        """What the ledger has of [from_ns, to_ns), and on what grounds; the kinds of sites by the weights, without them
        by the shipped ones. Raises ValueError if the period has no length."""
        if to_ns <= from_ns:
            raise ValueError("a period must end after it begins")
        with reading(self._engine) as connection:
            return periods.summary(connection, from_ns, to_ns, weights or shipped_sites(), grounds)

    def energy_by_place(self, from_ns: int, to_ns: int, level: float = LEVEL) -> dict[Place, Range]:
        """Kilowatt-hours of every place whose roll-ups begin in [from_ns, to_ns), false alarms included."""
        with reading(self._engine) as connection:
            return energy.energy_by_place(connection, from_ns, to_ns, level)

    def site_energy(self, site_ids: Iterable[int], from_ns: int, to_ns: int) -> dict[int, tuple[EnergyPiece, ...]]:
        """Kilowatt-hours of sites by the hour, in order of time; what is suppressed is left out."""
        with reading(self._engine) as connection:
            return energy.site_energy(connection, site_ids, from_ns, to_ns)

    def listened_seconds(self, sensor_id: str, from_ns: int, to_ns: int) -> float:
        """How long one sensor listened in [from_ns, to_ns), in seconds."""
        with reading(self._engine) as connection:
            spans = stretches(connection, from_ns, to_ns).get(sensor_id, ())
        return sum(end_ns - start_ns for start_ns, end_ns in spans) / SECOND_NS

    def listened(self, from_ns: int, to_ns: int) -> list[ListeningSpan]:
        """The stretches of [from_ns, to_ns) in which at least one sensor listened, in order."""
        with reading(self._engine) as connection:
            by_sensor = stretches(connection, from_ns, to_ns)
        return union(span for spans in by_sensor.values() for span in spans)
