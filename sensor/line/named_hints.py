"""Makes the hint of a name: its subject, its weight, its evidence. Pure; which name it is has been decided before."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sensor.line.flow_facts import TCP, address_text, community_id
from sensor.model.evidence import Evidence, Grade
from sensor.model.observation import Named, Observation, ObservationPoint, Subject
from sensor.model.text import printable
from sensor.names.catalogue import ListedHost, NameClaim
from sensor.names.learnt import LearntAddress
from sensor.names.sessions import ConnectionEnds
from sensor.names.taught import TaughtAddress
from sensor.signatures.weights import WeightTable

#: What recognised an address that no list has.
LEARNT, TAUGHT = "learnt-addresses", "taught-addresses"
MAX_EXCERPT = 160


class Statement(NamedTuple):
    """What is said of a pool's end: by which table, of which host, how strongly, and what else."""

    claim: NameClaim
    table: str
    row: str  # the table's row: however many hosts below it are made up, they say the same
    host: str | None
    lost_bits: float = 0.0
    detail: tuple[tuple[str, object], ...] = ()


def of_host(found: ListedHost, claim: NameClaim, by: str, lost_bits: float = 0.0) -> Statement:
    """What a listed host says, seen `by` dns, sni, certificate, proxy or host."""
    detail: list[tuple[str, object]] = [("by", by), ("host", found.host), ("operator", printable(found.row.operator))]
    if found.row.stale:
        detail.append(("stale", True))
    return Statement(claim, found.row.table, found.row.suffix, found.host, lost_bits, tuple(detail))


def of_learnt(learnt: LearntAddress, port: int, lost_bits: float) -> Statement:
    """What an address says at which a share was accepted in clear, perhaps at another port."""
    strength = "learnt" if port in learnt.ports else "learnt-elsewhere"
    detail = (("by", "clear session"), ("ports", ", ".join(map(str, sorted(learnt.ports)))))
    return Statement(NameClaim(Grade.CONTACTED, strength), LEARNT, "", None, lost_bits, detail)


def of_taught(taught: TaughtAddress, lost_bits: float) -> Statement:
    """What an address says at which another sensor saw shares accepted in clear."""
    its = taught.its
    ports = ", ".join(map(str, sorted(its.ports)))
    detail = (("by", "another sensor"), ("sensor", taught.sensor_id), ("ports", ports), ("last_ns", its.last_ns))
    return Statement(NameClaim(Grade.CONTACTED, "taught"), TAUGHT, "", None, lost_bits, detail)


def hint_of(
    statement: Statement, subject: Subject, span_ns: tuple[int, int], weights: WeightTable, flow: str | None = None
) -> Named:
    """The hint of a statement about a subject, first and last seen then; `flow` is the connection's Community ID."""
    claim, (first_ns, last_ns) = statement.claim, span_ns
    detail = {**dict(statement.detail), "strength": claim.strength}
    bits = max(0.0, weights.of("named", claim.strength) - statement.lost_bits)
    observation = Observation("named", claim.grade, statement.table, round(bits, 4), first_ns, detail=detail)
    evidence: tuple[Evidence, ...] = ()
    if flow is not None:
        excerpt = printable(statement.host or "")[:MAX_EXCERPT]
        by_pool = claim.strength == "shown"
        side: Literal["miner", "pool"] = "pool" if by_pool else "miner"
        evidence = (Evidence(claim.grade, statement.table, first_ns, flow, side, 0, excerpt, dict(statement.detail)),)
    return Named(subject, observation, evidence, first_ns, last_ns)


def subject_of(ends: ConnectionEnds, host: str | None) -> Subject:
    """The client as the miner, and the server's end."""
    point = ObservationPoint(ends.source, ends.vlans)
    return Subject(address_text(ends.client), address_text(ends.server), ends.port, point, host)


def community_of(ends: ConnectionEnds) -> str:
    """The Community ID of a connection over TCP."""
    return community_id(TCP, (ends.client, ends.client_port), (ends.server, ends.port))
