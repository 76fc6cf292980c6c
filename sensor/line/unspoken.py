"""A finding in which nothing was spoken: what names and behaviour say of one miner and one pool's end, joined.

Joining is commutative, and everything that is kept is bounded. Knows observations; no sessions and no logins.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import NamedTuple

from sensor.line.combine import combine
from sensor.line.flow_facts import stable_id
from sensor.line.judge import MAX_EVIDENCE, Spoken, evidence_order
from sensor.line.unread import unread_finding
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Finding
from sensor.model.observation import KINDS, Hint, Observation, ObservationKind, Subject
from sensor.model.text import N_

#: Different observations of one kind kept of one subject, the strongest; each that is left out is counted.
MAX_OBSERVATIONS = 16
#: What is said of an observation: alone, with its detail, with its chance, with both.
FORMS = {
    "named": (
        N_("named: {signature}"),
        N_("named: {signature} ({detail})"),
        N_("named: {signature}, by chance with p = {p}"),
        N_("named: {signature}, by chance with p = {p} ({detail})"),
    ),
    "behaved": (
        N_("behaved: {signature}"),
        N_("behaved: {signature} ({detail})"),
        N_("behaved: {signature}, by chance with p = {p}"),
        N_("behaved: {signature}, by chance with p = {p} ({detail})"),
    ),
}
#: Names of what stands in a detail.
DETAIL_NAMES = (
    *(N_("by"), N_("host"), N_("operator"), N_("stale"), N_("strength"), N_("ports"), N_("session"), N_("dialects")),
    *(N_("coin"), N_("port"), N_("interface")),
)


class SubjectKey(NamedTuple):
    """By what observations of different kinds are found to be of the same subject."""

    miner_ip: str
    pool_ip: str | None
    pool_port: int | None


def subject_key(seen: Spoken | Hint) -> SubjectKey:
    """The key of what an observation is of."""
    subject = seen if isinstance(seen, Spoken) else seen.subject
    return SubjectKey(subject.miner_ip, subject.pool_ip, subject.pool_port)


def unspoken_id(kind: ObservationKind, key: SubjectKey) -> str:
    """The identity of a finding in which nothing was spoken: the same at every replay."""
    return stable_id(kind, *key)


@dataclass(slots=True)
class Unspoken:
    """What names and behaviour say of one subject."""

    subject: Subject  # as it was seen last
    first_ns: int = 1 << 63
    last_ns: int = 0
    parts: dict[tuple[str, str, str], Observation] = field(default_factory=dict)  # by kind, signature and detail
    evidence: list[Evidence] = field(default_factory=list)
    dropped: int = 0  # observations that the bound left out
    changes: int = 0  # how often something new was said
    named: tuple[int, str] | None = None  # the pool's name that was seen last, and when

    @property
    def kind(self) -> ObservationKind:
        """The kind that the finding is of: the most telling. Raises StopIteration before anything was added."""
        kinds = {part.kind for part in self.parts.values()}
        return next(kind for kind in KINDS if kind in kinds)

    @property
    def grade(self) -> Grade:
        """The best grade of any part. Raises ValueError before anything was added."""
        return max(part.grade for part in self.parts.values())

    @property
    def host(self) -> str | None:
        """The pool's name."""
        return None if self.named is None else self.named[1]

    @property
    def observations(self) -> tuple[Observation, ...]:
        """The parts, each once."""
        return tuple(self.parts.values())

    def add(self, seen: Hint) -> None:
        """Join one more. The same kind, signature and detail count once: the strongest, the earliest of equals."""
        order = (seen.last_ns, seen.subject.point.source, seen.subject.point.vlans)
        if order >= (self.last_ns, self.subject.point.source, self.subject.point.vlans):
            self.subject = seen.subject
        if seen.subject.host:
            self.named = max(self.named or (0, ""), (seen.last_ns, seen.subject.host))
        self.first_ns, self.last_ns = min(self.first_ns, seen.first_ns), max(self.last_ns, seen.last_ns)
        before = (dict(self.parts), list(self.evidence))
        self._keep(seen.observation)
        fresh = [piece for piece in seen.evidence if piece not in self.evidence]
        self.evidence = sorted([*self.evidence, *fresh], key=evidence_order)[:MAX_EVIDENCE]
        self.changes += before != (self.parts, self.evidence)

    def _keep(self, part: Observation) -> None:
        detail = json.dumps(part.detail, sort_keys=True, default=str)
        key = (part.kind, part.signature, detail)
        self.parts[key] = max(self.parts.get(key, part), part, key=_strength)
        alike = sorted((_strength(self.parts[name]), name) for name in self.parts if name[0] == part.kind)
        for _, name in alike[: max(0, len(alike) - MAX_OBSERVATIONS)]:
            del self.parts[name]
            self.dropped += 1

    def finding(self, identity: str, prior_bits: float) -> Finding:
        """The record: what was said, sent or counted in a connection is not known."""
        verdict = combine(self.observations, prior_bits)
        ends = (self.subject.miner_ip, self.subject.pool_ip, self.subject.pool_port)
        finding = unread_finding(identity, verdict, ends, (self.first_ns, self.last_ns), self.subject.point)
        finding.evidence, finding.reasons = list(self.evidence), unspoken_reasons(self.observations)
        return finding


def unspoken_reasons(parts: tuple[Observation, ...]) -> tuple[str, ...]:
    """What names and behaviour say, in words, the strongest last."""
    return tuple(_reason(part) for part in sorted(parts, key=_strength))


def _reason(part: Observation) -> str:
    detail = ", ".join(f"{name} {value}" for name, value in part.detail.items())
    chance = None if part.p is None else f"{part.p:.2g}"
    forms = FORMS.get(part.kind) or tuple(form.replace("named", part.kind, 1) for form in FORMS["named"])
    form = forms[2 * (chance is not None) + bool(detail)]
    return form.format(signature=part.signature, p=chance, detail=detail)


def _strength(part: Observation) -> tuple[float, int, int, float, str, str]:
    p = 1.0 if part.p is None else part.p
    return part.bits, int(part.grade), -part.time_ns, -p, part.signature, part.kind
