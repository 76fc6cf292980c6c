"""An encrypted session as an analyst looks at it: its records over time with the equations that hold in them, the waits
behind blocks, and every part of the judgement with its number. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from exporters.forms.amounts import duration
from exporters.forms.documents.languages import ENGLISH, Language
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import short
from sensor.model.finding import Finding
from sensor.model.text import N_

#: Sessions shown of one finding, and equations that are drawn, each in a colour of its own.
MOST_SESSIONS, MOST_MARKS = 4, 6
#: Units of the drawing, and the least of a record's.
WIDTH, HEIGHT, LEAST_HEIGHT, BAR_WIDTH = 1000.0, 100.0, 3.0, 2.5
#: A record of so many bytes is drawn of full height.
TALLEST_BYTES = 16_640
_OPEN = Markup('<svg class="lengths" viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" aria-label="{}">')
_RECT = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')


@dataclass(frozen=True)
class SessionPanel:
    """One session."""

    flow: str
    chart: Markup
    chart_to: str
    explained_by: str
    answered: str
    equations: list[dict[str, str]]
    parts: list[dict[str, str]]
    beats: list[dict[str, str]]
    looks: str


def session_panels(item: Finding, language: Language = ENGLISH) -> list[SessionPanel]:
    """The encrypted sessions that are in a finding's evidence, each as it was at its newest look."""
    newest: dict[str, Mapping[str, Any]] = {}
    for piece in sorted(item.evidence, key=lambda piece: len(_list(piece.detail, "looks"))):
        if piece.detail.get("lengths"):
            newest[piece.flow] = piece.detail
    return [_panel(flow, detail, language) for flow, detail in list(newest.items())[:MOST_SESSIONS]]


def _panel(flow: str, detail: Mapping[str, Any], language: Language) -> SessionPanel:
    _ = language.translate
    equations = _list(detail, "relations")
    records = _list(detail, "lengths")
    low, high = (*_list(detail, "answered_shares"), 0, 0)[:2]
    lasted = records[-1][0] if records else 0.0
    after = _("p = {p} after {time}")
    looks = [after.format(p=f"{look['p']:.2g}", time=duration(look["at_s"])) for look in _list(detail, "looks")]
    return SessionPanel(
        flow=short(flow, 80),
        chart=_chart(records, equations, _),
        chart_to=_("{time}, the first {count} records").format(time=duration(lasted), count=len(records)),
        explained_by=", ".join(short(str(name), 40) for name in _list(detail, "dialects")),
        answered=f"{low:,}" if low == high else _("{low} to {high}").format(low=f"{low:,}", high=f"{high:,}"),
        equations=list(_equations(equations, language)),
        parts=[_part(part, language) for part in _list(detail, "parts")],
        beats=[_beat(beat, language) for beat in _list(detail, "beats")],
        looks="; ".join(looks),
    )


def _list(detail: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = detail.get(name, ())
    return found if isinstance(found, list | tuple) else ()


def _equations(equations: Sequence[Mapping[str, Any]], language: Language) -> Iterator[dict[str, str]]:
    for place, each in enumerate(equations):
        mark = f"m{place}" if place < MOST_MARKS else ""
        name, text = language.recorded(each["name"]), short(language.recorded(each["detail"]), 200)
        yield {"mark": mark, "name": name, "text": text, "p": f"{each['p']:.2g}"}


def _part(part: Mapping[str, Any], language: Language) -> dict[str, str]:
    p, _ = part["p"], language.translate
    return {
        "name": language.recorded(part["name"]),
        "text": short(language.recorded(part["detail"]), 200),
        "p": "" if p is None else f"{p:.2g}",
        "counts": _("counts") if part["counts"] else _("does not count"),
    }


def _beat(beat: Mapping[str, Any], language: Language) -> dict[str, str]:
    waits = beat.get("waits_s")
    form = language.translate(N_("waits behind a block: {waits} (quartiles)"))
    text = form.format(waits=", ".join(f"{wait:.1f} s" for wait in waits)) if waits else ""
    return {
        "coin": short(str(beat["coin"]), 20),
        "answer": language.recorded(beat["answer"]),
        "blocks": f"{beat['blocks']:,}",
        "p": f"{beat['p_counted']:.2g}",
        "text": text,
    }


def _chart(records: Sequence[Sequence[Any]], equations: Sequence[Mapping[str, Any]], _: Translate) -> Markup:
    """The miner's records up, the pool's down, as high as the logarithm of their length."""
    marks: dict[tuple[str, int], str] = {}
    for place, each in enumerate(equations[:MOST_MARKS]):
        for length in each.get("lengths", ()):
            marks.setdefault((each.get("sent_by", "pool"), length), f"m{place}")
    last_s = max((float(at_s) for at_s, _, _ in records), default=0.0) or 1.0
    drawn = [_OPEN.format(_("lengths of records over time: the miner's upwards, the pool's downwards"))]
    drawn.append(_RECT.format("axis", 0.0, HEIGHT - 0.5, WIDTH, 1.0, ""))
    by = {"miner": _("{length} bytes by the miner at {time}"), "pool": _("{length} bytes by the pool at {time}")}
    for at_s, sender, length in records:
        height = max(LEAST_HEIGHT, HEIGHT * math.log1p(length) / math.log1p(TALLEST_BYTES))
        top = HEIGHT - height if sender == "miner" else HEIGHT
        left = (WIDTH - BAR_WIDTH) * float(at_s) / last_s
        label = by[sender].format(length=length, time=f"{at_s:.1f} s")
        drawn.append(_RECT.format(marks.get((sender, length), "plain"), left, top, BAR_WIDTH, height, label))
    return Markup("").join([*drawn, Markup("</svg>")])
