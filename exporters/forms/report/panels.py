"""What a page shows of one finding: names, times, figures, reasons, the conversation, whose the address was.

Pure: a record in, a panel of texts and drawings out. Text of the network or of a book is stripped of control and
direction marks and cut to a length; a person is not named. Knows no page and no colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from exporters.forms import cells
from exporters.forms.amounts import duration, interval, percent, plural, quantity, rate_unit
from exporters.forms.fitting import short
from exporters.forms.report import strips
from exporters.forms.report.details import Detail, details
from exporters.forms.report.lengths import SessionPanel, session_panels
from exporters.redaction.attribution import without_persons
from sensor.model.attribution import Attribution
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.node import Node
from sensor.model.text import endpoint_text, file_name
from sensor.model.time import SECOND_NS, day_text, rfc3339_text, second_text

#: Shown of one finding; how many there are stands beside it. Texts are cut in their middle.
MOST_FLOWS, MOST_CLAIMS, MOST_TEXT, MOST_NAME = 12, 8, 200, 80
#: What each grade means, in a sentence.
MEANINGS = {
    Grade.LOOKED_UP: "a pool's name was looked up",
    Grade.CONTACTED: "a pool's address was contacted",
    Grade.NAMED: "a pool's name was said",
    Grade.BEHAVES: "an attempt, one side alone, or lengths that fit an encrypted dialect",
    Grade.SPEAKS: "a mining dialect is spoken",
    Grade.ACCEPTED: "the pool accepted a share",
    Grade.VERIFIED: "shares were recomputed: the work was done",
}
#: What a claim about an address is worth for the answer.
STANDINGS = {
    "answer": "the answer rests on it",
    "agrees": "agrees",
    "wider": "a wider range",
    "conflict": "contradicts",
    "shared": "several holders",
    "machine": "names the machine",
    "context": "context",
}


@dataclass(frozen=True)
class Excerpt:
    """One message of the evidence."""

    time: str
    by: str  # miner, pool, originator, responder
    grade: str
    offset: str
    flow: str
    text: str
    remark: str


@dataclass(frozen=True)
class Panel:
    """One finding as it is shown."""

    number: int
    anchor: str
    title: str
    worker: str
    miner: str
    pool: str
    pool_name: str
    what: str
    who: str
    holder: str
    premises: str
    grade: str
    meaning: str
    sure: str
    since: str
    until: str
    lasted: str
    rate: str
    rate_range: str
    rate_chart: Markup
    power: str
    energy: str
    shares: list[str]
    chart: Markup
    chart_legend: str
    chart_from: str
    chart_to: str
    strip: Markup
    counted: bool  # whether shares were seen
    details: list[Detail]
    reasons: list[str]
    notes: list[str]
    evidence: list[Excerpt]
    flows: list[dict[str, str]]
    flows_more: int
    whose: list[str]
    claims: list[dict[str, str]]
    sessions: list[SessionPanel]  # encrypted ones, by the lengths of their records


def panel(number: int, item: Finding, axis: strips.TimeAxis) -> Panel:
    """The panel of a finding; `axis` is the time that all panels of the page share."""
    item = without_persons(item)
    answer = item.attribution
    return Panel(
        number=number,
        anchor=f"f{number}",
        title=" ".join(
            filter(None, (_text(item.coin or "", 24), _text(item.algorithm or item.dialect or cells.NO_DIALECT, 40)))
        ),
        worker=_text(item.worker or item.login or "", 24),
        miner=_text(item.miner_ip),
        pool=_text(cells.pool_end(item)),
        pool_name=pool_name(item),
        what=_text(item.dialect or cells.NO_DIALECT, MOST_NAME),
        who=_text(item.login or "", 72) or "no login seen",
        holder=holder(answer),
        premises=cells.premises(answer.site)[:MOST_TEXT] if answer else "",
        grade=item.grade.label,
        meaning=MEANINGS[item.grade],
        sure=percent(item.confidence),
        since=second_text(item.first_ns),
        until=second_text(item.last_ns),
        lasted=cells.lasted(item),
        **_rate(item),
        power=_range(item, energy=False),
        energy=_range(item, energy=True),
        shares=cells.shares(item),
        **_shares_chart(item),
        strip=strip(item, axis),
        counted=item.timeline is not None,
        details=list(details(item)),
        reasons=[_text(reason, 400) for reason in reversed(item.reasons)],
        notes=[_text(note, 400) for note in item.estimate_notes],
        evidence=[excerpt(piece) for piece in sorted(item.evidence, key=_place) if "lengths" not in piece.detail],
        flows=[_flow(flow) for flow in item.flows[-MOST_FLOWS:]],
        flows_more=item.flow_count - len(item.flows[-MOST_FLOWS:]),
        whose=[_text(reason, 400) for reason in answer.reasons] if answer else [],
        claims=[_claim(answer, number) for number in range(min(len(answer.claims), MOST_CLAIMS))] if answer else [],
        sessions=session_panels(item),
    )


def _place(piece: Evidence) -> tuple[int, int]:
    return piece.time_ns, piece.offset


def holder(answer: Attribution | None) -> str:
    """Who holds the miner's address, or why nobody is named; empty where no books were asked."""
    if answer is None:
        return ""
    if answer.enterprise is None:
        return cells.UNNAMED[answer.result].strip("()")
    return "a private person" if answer.enterprise.individual else _text(answer.enterprise.name)


def pool_name(item: Finding) -> str:
    """The pool by its name of the catalogue, else the host that was spoken of."""
    return _text(item.pool.name or item.pool.host or item.pool_host or "", MOST_NAME)


def excerpt(piece: Evidence) -> Excerpt:
    """A piece of evidence as a message."""
    remark = piece.detail.get("proof") or piece.detail.get("message") or ""
    return Excerpt(
        rfc3339_text(piece.time_ns, digits=3)[11:-1],
        piece.direction,
        piece.grade.label,
        f"{piece.offset:,}",
        _text(piece.flow, MOST_NAME),
        _text(piece.excerpt),
        _text(str(remark), MOST_TEXT),
    )


def node(item: Node) -> dict[str, str]:
    """A row about a node."""
    key = item.key
    return {
        "from": endpoint_text(_text(key.src_ip), key.src_port),
        "to": endpoint_text(_text(key.dest_ip), key.dest_port),
        "what": _text(" ".join(filter(None, (item.protocol, item.network))), MOST_NAME),
        "agent": _text(item.agent or "", MOST_NAME),
        "sure": f"{item.confidence:.0%}",
        "since": second_text(item.first_ns),
    }


def row(number: int, item: Finding) -> dict[str, str]:
    """A finding as a row of a table."""
    item = without_persons(item)
    return {
        "number": f"{number:,}",
        "miner": _text(item.miner_ip),
        "holder": holder(item.attribution),
        "pool": _text(cells.pool_end(item)),
        "what": _text(" ".join(filter(None, (item.coin, item.algorithm or item.dialect or cells.NO_DIALECT))), 40),
        "who": _text(item.login or "", 40),
        "since": second_text(item.first_ns),
        "shares": f"{item.shares.submitted:,}" if cells.is_read(item) else cells.NOT_READ,
        "rate": str(_rate(item)["rate"]),
        "grade": item.grade.label,
    }


def strip(item: Finding, axis: strips.TimeAxis) -> Markup:
    """The finding's shares on the time that all share, before its connections."""
    line = item.timeline
    times = (line.start_ns, line.bin_ns, line.counts) if line else (0, 1, ())
    label = f"{item.shares.submitted} shares from {second_text(item.first_ns)} to {second_text(item.last_ns)} UTC"
    return strips.bars(axis, *times, [(flow.first_ns, flow.last_ns) for flow in item.flows], label)


def _text(text: str, room: int = MOST_TEXT) -> str:
    return short(text, room)


def _shares_chart(item: Finding) -> dict[str, Any]:
    line = item.timeline
    if line is None or not line.counts:
        return {"chart": Markup(""), "chart_legend": "", "chart_from": "", "chart_to": ""}
    end_ns = line.start_ns + line.bin_ns * len(line.counts)
    most = max(line.counts)
    legend = f"each bar {duration(line.bin_ns / SECOND_NS)}, the tallest {most:,} {plural(most, 'share')}"
    chart = strip(item, strips.TimeAxis(((line.start_ns, end_ns),)))
    return {
        "chart": chart,
        "chart_legend": legend,
        "chart_from": second_text(line.start_ns),
        "chart_to": second_text(end_ns),
    }


def _rate(item: Finding) -> dict[str, Any]:
    found = item.hashrate_hps
    if found is None:
        unknown = "unknown" if item.shares.submitted else ""
        return {"rate": unknown, "rate_range": "", "rate_chart": Markup("")}
    unit = rate_unit(item.work_unit)
    if not found.best:
        return {
            "rate": f"under {quantity(found.high, unit)}",
            "rate_range": f"no share seen; {found.level:.0%} bound",
            "rate_chart": Markup(""),
        }
    ends = interval(found.low, found.high, unit)
    marks = [value for value in (item.claimed_hashrate_hps, item.nominal_hashrate_hps) if value]
    label = f"best {quantity(found.best, unit)}, from {quantity(found.low, unit)} to {quantity(found.high, unit)}"
    chart = strips.band(found.low, found.best, found.high, label, marks)
    best = f"{cells.least(item)}{quantity(found.best, unit)}"
    return {"rate": best, "rate_range": f"{ends} ({found.level:.0%})", "rate_chart": chart}


def _range(item: Finding, energy: bool) -> str:
    found = item.energy_kwh if energy else item.power_watts
    if found is None or item.power_watts is None or item.power_watts.best < cells.LEAST_WATTS:
        return ""
    unit, factor = ("Wh", 1000) if energy else ("W", 1)
    low, best, high = (quantity(factor * value, unit) for value in (found.low, found.best, found.high))
    return f"{cells.least(item)}{best} ({low} – {high})"


def _flow(flow: FlowSummary) -> dict[str, str]:
    key, counted = flow.key, flow.shares
    return {
        "from": endpoint_text(_text(key.src_ip), key.src_port),
        "to": endpoint_text(_text(key.dest_ip), key.dest_port),
        "since": second_text(flow.first_ns),
        "lasted": duration((flow.last_ns - flow.first_ns) / SECOND_NS),
        "shares": f"{counted.submitted:,} / {counted.accepted:,} / {counted.rejected:,}",
        "vlan": ", ".join(map(str, flow.vlans)),
        "transport": _text(flow.transport, MOST_NAME),
        "source": _text(file_name(flow.source), MOST_NAME),
        "flow": _text(key.community_id, MOST_NAME),
    }


def _claim(answer: Attribution, number: int) -> dict[str, str]:
    claim = answer.claims[number]
    name = claim.enterprise.name if claim.enterprise else ""
    return {
        "standing": STANDINGS[claim.standing],
        "name": "a private person" if claim.enterprise and claim.enterprise.individual else _text(name, MOST_NAME),
        "premises": cells.premises(claim.site)[:MOST_TEXT],
        "source": _text(f"{claim.source}, {file_name(claim.place)}", MOST_NAME),
        "as_of": day_text(claim.as_of_ns) if claim.as_of_ns is not None else "",
        "strength": f"{claim.strength:.2f}",
        "allocation": _text(claim.allocation, MOST_NAME),
        "reason": _text(claim.reason, 400),
    }
