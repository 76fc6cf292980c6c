"""What is said of attempts that are counted together: whose they were by their first words, and the finding of a group.

Sans-IO. Knows one flow's beginning, and counts.
"""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from sensor.dialects.stream.message import Message
from sensor.line.activity import PROBE_NS, reasons_with
from sensor.line.attempts import SEVERAL, AttemptCount, AttemptGroup, Beginner, Ends
from sensor.line.combine import combine
from sensor.line.flow_facts import FlowFacts, address_text
from sensor.line.open_flow import OpenFlow
from sensor.line.unread import unread_finding
from sensor.model.events import Close
from sensor.model.evidence import Grade
from sensor.model.finding import Activity, AttemptTotals, Finding
from sensor.model.naming import FAMILY_IDS, MIXED, MIXED_ID
from sensor.model.observation import Observation, ObservationPoint
from sensor.model.text import N_
from sensor.signatures.model import Match, SignatureSet

#: Ends of a flow after which nothing more comes of it.
OVER = frozenset({"fin", "rst", "reused", "evicted"})
#: Messages whose matches are remembered, by a digest of so many bytes: a flood says the same again and again, and what
#: it says may hold a password.
MAX_REMEMBERED, DIGEST_BYTES = 256, 16


class Matching:
    """What messages match, remembered for as long as the signatures are the same."""

    __slots__ = ("_found", "_signatures")

    def __init__(self) -> None:
        self._signatures: SignatureSet | None = None
        self._found: dict[bytes, list[Match]] = {}

    def __call__(self, signatures: SignatureSet, message: Message) -> list[Match]:
        """For each dialect the first rule that the message fits."""
        if signatures is not self._signatures or len(self._found) >= MAX_REMEMBERED:
            self._signatures, self._found = signatures, {}
        key = blake2b(marshal.dumps((message.framing, message.value)), digest_size=DIGEST_BYTES).digest()
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = signatures.match(message.value, message.framing)
        return found


class Glance(NamedTuple):
    """What a beginning shows at first sight."""

    beginner: Beginner
    ends: Ends
    counts: AttemptCount


def came_to_nothing(flow: OpenFlow, closed: Close | None, *, given_up: bool = False) -> bool:
    """Whether a flow that ended only began: it was not answered, or it was, and left within a minute. Where the run
    ends before it, whoever said more than one thing may still have been let in."""
    if not flow.is_beginning or not any(flow.spoke):
        return False
    if closed is None:
        return given_up or (not all(flow.spoke) and sum(1 for _ in flow.first_messages) == 1)
    if not all(flow.spoke):
        return True
    return closed.reason in OVER and closed.last_ns - closed.first_ns < PROBE_NS


def glance(flow: OpenFlow, facts: FlowFacts, signatures: SignatureSet, matching: Matching) -> Glance | None:
    """The attempt that a beginning is, by its first message that a dialect confirms; None if there is none."""
    messages = flow.first_messages
    for first in messages:
        matches = [match for match in matching(signatures, first) if match[1].confirms != "none"]
        if matches:
            break
    else:
        return None
    miner = first.direction if matches[0][1].side == "miner" else 1 - first.direction
    login = _login(first, matches)
    for read in messages if login is None else ():
        if login is None and read.direction == miner:
            login = _login(read, matching(signatures, read))
    families = {dialect.family for dialect, _ in matches}
    opened = facts.opened
    both = ((opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port))
    source, (pool, port) = address_text(both[miner][0]), both[1 - miner]
    counts = AttemptCount(
        count=1,
        answered=int(any(read.direction != miner and _lets_in(read.value) for read in flow.first_messages)),
        first_ns=facts.first_ns,
        last_ns=facts.last_ns,
        family=families.pop() if len(families) == 1 else MIXED,
        point=ObservationPoint(opened.source, opened.vlans),
    )
    ends = Ends(source, address_text(pool), port, login)
    return Glance(Beginner(facts.first_ns, source, address_text(pool), port, both[miner][1]), ends, counts)


def _lets_in(value: dict[str, object]) -> bool:
    """Whether a pool's message is more than a refusal."""
    return "method" in value or value.get("result") not in (None, False)


def _login(read: Message, matches: Sequence[Match]) -> str | None:
    """Whom one signs in as."""
    logins = (rule.take.read(read.value).get("login") for _, rule in matches if rule.kind == "login")
    return next((login for login in logins if login is not None), None)


def summary(group: AttemptGroup, began_ns: int, signatures: SignatureSet) -> Finding:
    """The finding of a group of attempts in the interval that began then."""
    counts = group.counts
    activity: Activity = "probe" if counts.answered else "attempt"
    name = counts.family if counts.family in FAMILY_IDS else MIXED
    strength = "refused" if counts.answered else "unanswered"
    observation = Observation(
        kind="spoken",
        grade=Grade.CONTACTED,
        signature=name,
        bits=signatures.weights.of("spoken", strength),
        time_ns=counts.first_ns,
        detail={"strength": strength},
    )
    verdict = combine([observation], signatures.weights.prior)
    ends = (group.source or SEVERAL, group.pool, group.pool_port)
    finding = unread_finding(group.identity(began_ns), verdict, ends, (counts.first_ns, counts.last_ns), counts.point)
    finding.dialect, finding.signature_id, finding.signature_rev = name, FAMILY_IDS.get(name, MIXED_ID), 1
    finding.signature = f"{name.capitalize()}: connections that came to nothing, counted together"
    finding.flow_count, finding.activity = counts.count, activity
    finding.reasons = reasons_with(_reasons(group), activity)
    finding.attempts = AttemptTotals(counts.count, counts.answered, group.sources, group.pools)
    return finding


def _reasons(group: AttemptGroup) -> tuple[str, ...]:
    counts = group.counts
    whence = {
        (True, True): N_("they came from {sources} address and went to {pools} pool"),
        (True, False): N_("they came from {sources} address and went to {pools} pools"),
        (False, True): N_("they came from {sources} addresses and went to {pools} pool"),
        (False, False): N_("they came from {sources} addresses and went to {pools} pools"),
    }[group.sources == 1, group.pools == 1]
    return (
        N_("{count} connections came to nothing and were counted together, {answered} of them answered").format(
            count=counts.count, answered=counts.answered
        ),
        whence.format(sources=group.sources, pools=group.pools),
    )
