"""Runs every example and counterexample of the signatures through the real pipeline, and reports those that do not
hold.

Also makes a dialogue into the events a core would give, which is all a test needs to speak to the pipeline. Knows no
captures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from sensor.line.combine import combine
from sensor.line.flow_facts import TCP
from sensor.line.pipeline import Pipeline
from sensor.line.power_proofs import power_failures, senseless
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.observation import Observation, ObservationKind
from sensor.model.record import LineRecord
from sensor.model.time import MILLISECOND_NS
from sensor.signatures.model import DialogueLine, Example, NodeSignature, SignatureSet
from sensor.signatures.weights import WeightTable

#: Any instant does; this one is easy to recognise in output.
EPOCH_NS = 1_700_000_000_000_000_000
STEP_NS = MILLISECOND_NS
#: Pools and notes differ in the constant of difficulty 1 by 1.5e-5 (bdiff and pdiff).
RELATIVE_ERROR = 2e-5

FIELDS = (
    "dialect",
    "login",
    "worker",
    "agent",
    "coin",
    "algorithm",
    "hashes_per_share",
    "work_hashes",
    "claimed_hashrate_hps",
    "jobs",
    "transport",
    "framing",
    "pool_host",
)
SHARES = ("submitted", "accepted", "rejected", "unanswered", "verified")


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that does not hold."""

    file: str
    line: int
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name}: {self.what}"


def dialogue_events(
    lines: Iterable[DialogueLine],
    *,
    flow: int = 1,
    proto: int = TCP,
    midstream: bool = False,
    since_ns: int = EPOCH_NS,
) -> Iterator[Event]:
    """The events of one flow with these lines as its messages, a millisecond apart; 198.51.100.10 (the C of a
    dialogue) is the originator.
    """
    opened = Open(
        flow=flow,
        ts_ns=since_ns,
        proto=proto,
        orig_addr=bytes([198, 51, 100, 10]),
        orig_port=40_000 + flow % 20_000,
        resp_addr=bytes([203, 0, 113, 5]),
        resp_port=3333,
        basis="first-seen" if midstream else "syn",
        midstream=midstream,
        first_ns=since_ns,
        vlans=(),
        source="example",
    )
    yield opened
    offsets, packets = [0, 0], [1, 1]
    now = since_ns
    for line in lines:
        now += STEP_NS
        yield Chunk(flow, now, line.direction, offsets[line.direction], 0, line.data)
        offsets[line.direction] += len(line.data)
        packets[line.direction] += 1
    sizes = (offsets[0] + 40 * packets[0], offsets[1] + 40 * packets[1])
    yield Close(flow, now, "fin", since_ns, now, (packets[0], packets[1]), sizes, 0, 0)


def _weight_failures(weights: WeightTable) -> list[Failure]:
    """Every example of the weights that comes to another confidence."""
    failures = []
    for example in weights.examples:
        name = ", ".join(example.observations)
        keys = [tuple(text.split("/", 1)) for text in example.observations]
        if unknown := [key for key in keys if key not in weights.bits]:
            failures.append(Failure(example.file, example.line, name, f"no such weight: {'/'.join(unknown[0])}"))
            continue
        parts = [
            Observation(cast(ObservationKind, kind), Grade.SPEAKS, name, weights.bits[kind, strength], 0)
            for kind, strength in keys
        ]
        confidence = combine(parts, weights.prior).confidence
        if confidence != example.confidence:
            what = f"confidence is {confidence:g}, expected {example.confidence:g}"
            failures.append(Failure(example.file, example.line, name, what))
    return failures


def prove(signatures: SignatureSet) -> list[Failure]:
    """Every example and counterexample that does not hold, those of the tables first."""
    broken = [*signatures.agents.failures(), *power_failures(signatures.devices), *signatures.pools.failures()]
    broken += signatures.resolvers.failures()
    failures = [Failure(*place) for place in broken]
    failures += _weight_failures(signatures.weights)
    for group in (signatures.framings, signatures.dialects, signatures.nodes, signatures.generic):
        for signature in group:
            for example in signature.header.examples:
                name = (
                    signature.header.name
                    if not isinstance(signature, NodeSignature) and group in (signatures.dialects, signatures.generic)
                    else None
                )
                for what in check(signatures, example, name):
                    failures.append(Failure(example.file, example.line, example.name, what))
    return failures


def check(signatures: SignatureSet, example: Example, dialect: str | None) -> list[str]:
    """What is wrong with one example; `dialect` is expected unless the example names another."""
    pipeline = Pipeline(signatures)
    since_ns = EPOCH_NS if example.since_ns is None else example.since_ns
    pipeline.step(dialogue_events(example.dialogue, proto=example.proto, since_ns=since_ns))
    records = pipeline.finish()
    if example.counter:
        return [_unwanted(record) for record in records if isinstance(record, Node) or record.grade >= Grade.SPEAKS]
    by_sizes = any(
        dialect_.sizes_only for dialect_ in signatures.dialects if dialect_.name == dialect
    )  # no gate of bytes can see sizes
    wrong = (
        [] if by_sizes or _gated(signatures, example) else ["no literal and no opening lets it through the prefilter"]
    )
    left = list(records)
    for expected in example.expects:
        wanted = {"dialect": dialect, **expected} if dialect and "protocol" not in expected else dict(expected)
        found = next((record for record in left if _identifies(record, wanted)), None)
        if found is None:
            seen = "; ".join(_name(record) for record in records) or "nothing"
            wrong.append(f"{_wish(wanted)} was not found; found: {seen}")
            continue
        left.remove(found)
        wrong.extend(_differences(found, wanted))
    wrong.extend(f"unexpected: {_name(record)}" for record in left)
    findings = [record for record in records if isinstance(record, Finding)]
    wrong.extend(what for record in findings if (what := senseless(signatures.devices, record)))
    return wrong


def _gated(signatures: SignatureSet, example: Example) -> bool:
    for direction in (0, 1):
        parts = [line.data for line in example.dialogue if line.direction == direction]
        stream = b"".join(parts)
        if example.proto == TCP and any(literal in stream for literal in signatures.literals):
            return True
        first = parts[0] if parts else b""
        if any(opening.fits(example.proto, first) for opening in signatures.openings):
            return True
    return False


def _identifies(record: LineRecord, wanted: Mapping[str, object]) -> bool:
    if isinstance(record, Node):
        return wanted.get("protocol") == record.protocol
    return "protocol" not in wanted and ("login" not in wanted or wanted["login"] == record.login)


def _name(record: LineRecord) -> str:
    if isinstance(record, Node):
        return f"node {record.protocol}"
    return f"{record.dialect} login {record.login!r} ({record.grade.label})"


def _wish(wanted: Mapping[str, object]) -> str:
    if "protocol" in wanted:
        return f"node {wanted['protocol']}"
    return f"{wanted.get('dialect', 'a finding')}" + (f" login {wanted['login']!r}" if "login" in wanted else "")


def _unwanted(record: LineRecord) -> str:
    return f"must not be found: {_name(record)}"


def _differences(record: LineRecord, wanted: Mapping[str, object]) -> Iterator[str]:
    actual = _facts(record)
    for key, value in wanted.items():
        if key not in actual:
            yield f"{key} cannot be expected of a {'node' if isinstance(record, Node) else 'finding'}"
        elif not _same(actual[key], value):
            yield f"{key} is {actual[key]!r}, expected {value!r}"


def _facts(record: LineRecord) -> dict[str, object]:
    if isinstance(record, Node):
        return {"protocol": record.protocol, "network": record.network, "coin": record.coin, "agent": record.agent}
    facts: dict[str, object] = {name: getattr(record, name) for name in FIELDS}
    facts |= {name: getattr(record.shares, name) for name in SHARES}
    facts["grade"] = record.grade.label
    facts["miner"] = "C" if record.miner_ip == "198.51.100.10" else "S"
    return facts


def _same(actual: object, wanted: object) -> bool:
    if isinstance(actual, float) and isinstance(wanted, int | float):
        return math.isclose(actual, wanted, rel_tol=RELATIVE_ERROR)
    return actual == wanted
