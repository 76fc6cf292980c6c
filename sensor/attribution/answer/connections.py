"""What is asked of the connections of a finding, and one answer for several: named only where all lead to one
holder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from sensor.attribution.answer.explanation import MOST_CLAIMS
from sensor.model.attribution import Attribution, Claim, HolderStretch
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.text import N_
from sensor.sheets.dates import instant_text

#: Where connections of one finding lead to: nobody, one holder and nobody, several.
LEADS = (
    N_("the connections of this finding lead to nobody known: through other ports, or at other times; nobody is named"),
    N_(
        "the connections of this finding lead to {names} and nobody known: through other ports, or at other times; "
        "nobody is named"
    ),
    N_(
        "the connections of this finding lead to different holders ({names}): through other ports, or at other times; "
        "nobody is named"
    ),
)


class Asked(NamedTuple):
    """What is asked of a connection, beside the time."""

    port: int | None
    vlans: tuple[int, ...]
    interface: str | None


class AskedTime(NamedTuple):
    """From when until before when it is asked."""

    asked: Asked
    from_ns: int
    to_ns: int


def ask_about(finding: Finding, live: bool) -> list[AskedTime]:
    """What is asked of the connections of a finding, each for its time. Time in which there were connections that are
    not listed is asked for without a port; so is a finding without any.
    """
    points = list(dict.fromkeys((tuple(flow.vlans), flow.source if live else None) for flow in finding.flows))
    if not points:
        vlans, source = (finding.point.vlans, finding.point.source) if finding.point is not None else ((), None)
        points = [(vlans, source if live else None)]
    listed = [
        AskedTime(Asked(flow.key.src_port, tuple(flow.vlans), flow.source if live else None), *_time(flow))
        for flow in finding.flows
    ]
    until_ns = min((time.from_ns for time in listed), default=max(finding.last_ns, finding.first_ns) + 1)
    if (not listed or finding.flow_count > len(listed)) and finding.first_ns < until_ns:
        listed += [AskedTime(Asked(None, *point), finding.first_ns, until_ns) for point in points]
    return listed


def _time(flow: FlowSummary) -> tuple[int, int]:
    """A connection's time, its last packet included."""
    return flow.first_ns, max(flow.first_ns, flow.last_ns) + 1


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
    reason = LEADS[min(len(named), 2)].format(names=", ".join(named))
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


def ended_before(last: HolderStretch, earlier: Attribution) -> Attribution:
    """The answer where no book speaks of the last time any more: nobody, and until when it was otherwise."""
    answer = last.attribution
    if earlier.enterprise is None:
        return answer
    form = N_("no book speaks of the time since {since} UTC; before, it was {name}")
    reason = form.format(since=instant_text(last.from_ns), name=earlier.enterprise.name)
    return replace(answer, claims=(*answer.claims, *earlier.claims)[:MOST_CLAIMS], reasons=(reason, *answer.reasons))


def carried_for(answer: Attribution, clients: list[str]) -> None:
    """Name nobody where a proxy at the address states that it carries for others: its holder is not the miner, and whom
    it states is a claim of its own."""
    form = N_("a proxy at this address carried for {clients}, as it says itself: whoever mines is behind it")
    reason = form.format(clients=", ".join(clients[:3]))
    answer.result, answer.enterprise, answer.site = "shared", None, None
    answer.reasons = (reason, *answer.reasons)
