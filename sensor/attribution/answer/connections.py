"""One answer for all connections of a finding: asked for each of them, named only where all lead to one holder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sensor.attribution.answer.explanation import MOST_CLAIMS
from sensor.model.attribution import Attribution, Claim
from sensor.model.finding import Finding


def ask_about(finding: Finding, live: bool) -> Iterator[tuple[int | None, int, tuple[int, ...], str | None]]:
    """Port, time, VLANs and interface of each connection, at its beginning and at its end; without connections those of
    the point where the finding was seen, and no port.
    """
    if not finding.flows:
        vlans, source = (finding.point.vlans, finding.point.source) if finding.point is not None else ((), None)
        for at_ns in dict.fromkeys((finding.first_ns, finding.last_ns)):
            yield None, at_ns, vlans, source if live else None
    for flow in finding.flows:
        for at_ns in dict.fromkeys((flow.first_ns, flow.last_ns)):
            yield flow.key.src_port, at_ns, tuple(flow.vlans), flow.source if live else None


def merge_answers(answers: list[Attribution]) -> Attribution:
    """One answer of many: theirs if they agree on the party, else that they do not."""
    first = answers[0]
    parties = {(answer.result, answer.enterprise.enterprise_id if answer.enterprise else None) for answer in answers}
    claims: dict[tuple[Any, ...], Claim] = {}
    for answer in answers:
        for claim in answer.claims:
            claims.setdefault((claim.place, claim.allocation, claim.ports, claim.valid_from_ns, claim.standing), claim)
    shown = tuple(claims.values())[:MOST_CLAIMS]
    if len(parties) == 1:
        sites = {answer.site for answer in answers}
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
    named = sorted({answer.enterprise.name for answer in answers if answer.enterprise})
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


def carried_for(answer: Attribution, clients: list[str]) -> None:
    """Name nobody where a proxy at the address states that it carries for others: its holder is not the miner."""
    reason = (
        f"a proxy at this address carried for {', '.join(clients[:3])}, as it says itself: whoever mines is behind it"
    )
    answer.result, answer.enterprise, answer.site = "shared", None, None
    answer.reasons = (reason, *answer.reasons)
