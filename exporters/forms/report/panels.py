"""What a page shows of one finding: names, times, figures, reasons, the conversation, whose the address was.

Pure: a record in, a panel of texts and drawings out. Text of the network or of a book is stripped of control and
direction marks and cut to a length; a person is not named. Knows no page and no colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from exporters.forms import cells
from exporters.forms.amounts import digits_of, duration, interval, percent, quantity, rate_unit
from exporters.forms.documents.languages import ENGLISH, Language
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import short
from exporters.forms.report import strips
from exporters.forms.report.details import Detail, details
from exporters.forms.report.lengths import SessionPanel, session_panels
from exporters.forms.report.rows import A_PERSON, MOST_NAME, MOST_TEXT, claim_row, connection
from exporters.redaction.attribution import without_persons
from sensor.model.attribution import Attribution
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Finding
from sensor.model.text import N_
from sensor.model.time import SECOND_NS, rfc3339_text, second_text

#: Shown of one finding; how many there are stands beside it. Texts are cut in their middle.
MOST_FLOWS, MOST_CLAIMS = 12, 8
#: Legend of a drawing, and who speaks in a conversation.
TALLEST = N_("each bar {width}, the tallest {most} shares")
SPEAKERS = {"miner": N_("miner"), "pool": N_("pool"), "originator": N_("originator"), "responder": N_("responder")}
#: What each grade means, in a sentence.
MEANINGS = {
    Grade.LOOKED_UP: N_("a pool's name was looked up"),
    Grade.CONTACTED: N_("a pool's address was contacted"),
    Grade.NAMED: N_("a pool's name was said"),
    Grade.BEHAVES: N_("an attempt, one side alone, or lengths that fit an encrypted dialect"),
    Grade.SPEAKS: N_("a mining dialect is spoken"),
    Grade.ACCEPTED: N_("the pool accepted a share"),
    Grade.VERIFIED: N_("shares were recomputed: the work was done"),
}


@dataclass(frozen=True)
class Excerpt:
    """One message of the evidence."""

    time: str
    by: str  # miner, pool, originator, responder
    speaker: str  # the same in words
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
    grade: str  # its label, which events have
    grade_name: str
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


def panel(number: int, item: Finding, axis: strips.TimeAxis, language: Language = ENGLISH) -> Panel:
    """The panel of a finding; `axis` is the time that all panels of the page share."""
    item, _ = without_persons(item), language.translate
    answer = item.attribution
    return Panel(
        number=number,
        anchor=f"f{number}",
        title=" ".join(
            filter(None, (_text(item.coin or "", 24), _text(item.algorithm or item.dialect or _(cells.NO_DIALECT), 40)))
        ),
        worker=_text(item.worker or item.login or "", 24),
        miner=_text(item.miner_ip),
        pool=_text(_(cells.pool_end(item))),
        pool_name=pool_name(item),
        what=_text(item.dialect or _(cells.NO_DIALECT), MOST_NAME),
        who=_text(item.login or "", 72) or _("no login seen"),
        holder=holder(answer, language),
        premises=cells.premises(answer.site)[:MOST_TEXT] if answer else "",
        grade=item.grade.label,
        grade_name=language.grade(item.grade),
        meaning=_(MEANINGS[item.grade]),
        sure=percent(item.confidence),
        since=second_text(item.first_ns),
        until=second_text(item.last_ns),
        lasted=cells.lasted(item),
        **_rate(item, _),
        power=_range(item, energy=False),
        energy=_range(item, energy=True),
        shares=cells.shares(item, _),
        **_shares_chart(item, language),
        strip=strip(item, axis, language),
        counted=item.timeline is not None,
        details=list(details(item, language)),
        reasons=[_text(language.recorded(reason), 400) for reason in reversed(item.reasons)],
        notes=[_text(language.recorded(note), 400) for note in item.estimate_notes],
        evidence=[
            excerpt(piece, language) for piece in sorted(item.evidence, key=_place) if "lengths" not in piece.detail
        ],
        flows=[connection(flow) for flow in item.flows[-MOST_FLOWS:]],
        flows_more=item.flow_count - len(item.flows[-MOST_FLOWS:]),
        whose=[_text(language.recorded(reason), 400) for reason in answer.reasons] if answer else [],
        claims=[claim_row(answer, place, language) for place in range(min(len(answer.claims), MOST_CLAIMS))]
        if answer
        else [],
        sessions=session_panels(item, language),
    )


def _place(piece: Evidence) -> tuple[int, int]:
    return piece.time_ns, piece.offset


def holder(answer: Attribution | None, language: Language = ENGLISH) -> str:
    """Who holds the miner's address, or why nobody is named; empty where no books were asked."""
    if answer is None:
        return ""
    if answer.enterprise is None:
        return language.translate(cells.UNNAMED[answer.result]).strip("()（）")
    return language.translate(A_PERSON) if answer.enterprise.individual else _text(answer.enterprise.name)


def pool_name(item: Finding) -> str:
    """The pool by its name of the catalogue, else the host that was spoken of."""
    return _text(item.pool.name or item.pool.host or item.pool_host or "", MOST_NAME)


def excerpt(piece: Evidence, language: Language = ENGLISH) -> Excerpt:
    """A piece of evidence as a message."""
    by = language.translate(SPEAKERS.get(piece.direction, piece.direction))
    remark = piece.detail.get("proof") or piece.detail.get("message") or ""
    return Excerpt(
        rfc3339_text(piece.time_ns, digits=3)[11:-1],
        piece.direction,
        by,
        language.grade(piece.grade),
        f"{piece.offset:,}",
        _text(piece.flow, MOST_NAME),
        _text(piece.excerpt),
        _text(language.recorded(str(remark)), MOST_TEXT),
    )


def row(number: int, item: Finding, language: Language = ENGLISH) -> dict[str, str]:
    """A finding as a row of a table."""
    item, _ = without_persons(item), language.translate
    what = " ".join(filter(None, (item.coin, item.algorithm or item.dialect or _(cells.NO_DIALECT))))
    return {
        "number": f"{number:,}",
        "miner": _text(item.miner_ip),
        "holder": holder(item.attribution, language),
        "pool": _text(_(cells.pool_end(item))),
        "what": _text(what, 40),
        "who": _text(item.login or "", 40),
        "since": second_text(item.first_ns),
        "shares": f"{item.shares.submitted:,}" if cells.is_read(item) else _(cells.NOT_READ),
        "rate": str(_rate(item, _)["rate"]),
        "grade": language.grade(item.grade),
    }


def strip(item: Finding, axis: strips.TimeAxis, language: Language = ENGLISH) -> Markup:
    """The finding's shares on the time that all share, before its connections."""
    line = item.timeline
    times = (line.start_ns, line.bin_ns, line.counts) if line else (0, 1, ())
    form = language.translate(N_("{count} shares from {first} to {last} UTC"))
    times_text = {"first": second_text(item.first_ns), "last": second_text(item.last_ns)}
    label = form.format(count=item.shares.submitted, **times_text)
    return strips.bars(axis, *times, [(flow.first_ns, flow.last_ns) for flow in item.flows], label)


def _text(text: str, room: int = MOST_TEXT) -> str:
    return short(text, room)


def _shares_chart(item: Finding, language: Language) -> dict[str, Any]:
    line = item.timeline
    if line is None or not line.counts:
        return {"chart": Markup(""), "chart_legend": "", "chart_from": "", "chart_to": ""}
    end_ns = line.start_ns + line.bin_ns * len(line.counts)
    most = max(line.counts)
    form = N_("each bar {width}, the tallest {most} share") if most == 1 else TALLEST
    legend = language.translate(form).format(width=duration(line.bin_ns / SECOND_NS), most=f"{most:,}")
    chart = strip(item, strips.TimeAxis(((line.start_ns, end_ns),)), language)
    return {
        "chart": chart,
        "chart_legend": legend,
        "chart_from": second_text(line.start_ns),
        "chart_to": second_text(end_ns),
    }


def _rate(item: Finding, _: Translate) -> dict[str, Any]:
    found = item.hashrate_hps
    if found is None:
        unknown = _("unknown") if item.shares.submitted else ""
        return {"rate": unknown, "rate_range": "", "rate_chart": Markup("")}
    unit = rate_unit(item.work_unit)
    if not found.best:
        return {
            "rate": _("under {rate}").format(rate=quantity(found.high, unit)),
            "rate_range": _("no share seen; {level} bound").format(level=f"{found.level:.0%}"),
            "rate_chart": Markup(""),
        }
    count = digits_of(found.low, found.best, found.high)
    ends = interval(found.low, found.high, unit, count)
    marks = [value for value in (item.claimed_hashrate_hps, item.nominal_hashrate_hps) if value]
    low, middle, high = (quantity(value, unit, count) for value in (found.low, found.best, found.high))
    label = _("best {best}, from {low} to {high}").format(best=middle, low=low, high=high)
    chart = strips.band(found.low, found.best, found.high, label, marks)
    best = f"{cells.least(item)}{middle}"
    return {"rate": best, "rate_range": f"{ends} ({found.level:.0%})", "rate_chart": chart}


def _range(item: Finding, energy: bool) -> str:
    found = item.energy_kwh if energy else item.power_watts
    if found is None or item.power_watts is None or item.power_watts.best < cells.LEAST_WATTS:
        return ""
    unit, factor = ("Wh", 1000) if energy else ("W", 1)
    count = digits_of(found.low, found.best, found.high)
    low, best, high = (quantity(factor * value, unit, count) for value in (found.low, found.best, found.high))
    return f"{cells.least(item)}{best} ({low} – {high})"
