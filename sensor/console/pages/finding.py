"""One finding: what was seen, what it amounts to, the messages that prove it, whose the address was, its capture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from exporters.forms.amounts import duration
from exporters.forms.amounts import size as size_text
from exporters.forms.documents.labels import GRADES, N_
from exporters.forms.documents.model import Absent, Cell, Column, DocumentTable, KeyFigure, KeyFigures
from exporters.forms.fitting import short, visible
from exporters.forms.report import panels, strips
from exporters.forms.report.details import details
from exporters.forms.report.rows import STANDINGS
from exporters.redaction.attribution import without_persons
from sensor.console.address_bar import LANGUAGE
from sensor.console.blocks import (
    ConsoleBlock,
    ConsolePage,
    Dialogue,
    DownloadFile,
    Drawing,
    Fact,
    Facts,
    PagePart,
    SaidMessage,
    Sayings,
)
from sensor.console.desk import Visit
from sensor.console.figures import grade_text, owner_text, place_text
from sensor.console.pages.findings import finding_owner_text, pool_text, power_cell, rate_text, suppressed_text
from sensor.console.refusal import RefusalError
from sensor.evidence.files import evidence_path
from sensor.ledger.read.lists.records import ListedFinding
from sensor.model.finding import Finding
from sensor.model.text import endpoint_text, file_name
from sensor.model.time import SECOND_NS, moment

FINDING_ASKED = (LANGUAGE,)
#: Connections and claims that are listed; the record has more.
MOST_FLOWS, MOST_CLAIMS = 50, 20
#: Bytes of a capture that is served; the sensor keeps files far below (evidence.finding_bytes).
MOST_CAPTURE_BYTES = 64 * 1024 * 1024
SPEAKERS = {
    "miner": N_("miner"),
    "pool": N_("pool"),
    "originator": N_("who opened"),
    "responder": N_("who answered"),
}
NO_FINDING = N_("There is no such finding, or it is not yours to see.")


@dataclass(frozen=True)
class Capture:
    """The evidence file of a finding."""

    data: bytes

    @property
    def sha256(self) -> str:
        """Its hash, in hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def finding_of(visit: Visit, finding_id: str) -> ListedFinding:
    """The finding of an identity. Raises RefusalError where there is none in the scope: absent and foreign are one."""
    found = visit.reader.finding(finding_id)
    if found is None:
        raise RefusalError(404, NO_FINDING)
    return found


def finding(visit: Visit, finding_id: str) -> ConsolePage:
    """The page."""
    found = finding_of(visit, finding_id)
    item, _ = without_persons(found.stored.finding), visit._
    parts = (
        PagePart("figures", _("What it amounts to"), _figures(visit, item)),
        PagePart("why", _("Why"), _why(visit, item)),
        PagePart("said", _("What was said"), (_dialogue(visit, item),)),
        PagePart("whose", _("Whose address it was"), _whose(visit, found, item)),
        PagePart("connections", _("Connections"), (_connections(visit, item),)),
        PagePart("capture", _("Evidence to keep"), (_capture_facts(visit, item),)),
    )
    label = item.grade.label
    suppressed = suppressed_text(found)
    opening: tuple[ConsoleBlock, ...] = (
        (Sayings(_("It was not reported"), (visit.wording.recorded(suppressed),), foreign=True),) if suppressed else ()
    )
    return ConsolePage(
        "findings",
        f"{item.miner_ip} → {pool_text(visit, item)}",
        _("{owner}; {first} to {last}").format(
            owner=finding_owner_text(visit, found.stored.finding),
            first=_time(visit, item.first_ns),
            last=_time(visit, item.last_ns),
        ),
        (label, f"{grade_text(visit, label)}: {_(GRADES[label][1])}"),
        opening,
        parts,
    )


def _figures(visit: Visit, item: Finding) -> tuple[ConsoleBlock, ...]:
    _ = visit._
    rate = rate_text(visit, item)
    watched: Cell = round(item.watched_seconds / 3_600, 2) if item.watched_seconds else visit.cells.unknown()
    level = f"{100 * item.hashrate_hps.level:.0f} %" if item.hashrate_hps else "–"
    shares: Cell = item.shares.submitted if item.dialect else Absent("unknown", _("not read"))
    note = _("{accepted} accepted, {rejected} rejected, {verified} recomputed").format(
        accepted=f"{item.shares.accepted:,}", rejected=f"{item.shares.rejected:,}", verified=f"{item.shares.verified:,}"
    )
    figures = (
        KeyFigure(
            "hashrate", _("Hashrate while mining"), rate, "text", "", _("bounds hold in {level}").format(level=level)
        ),
        KeyFigure("power", _("Power while mining"), power_cell(visit, item, item.power_watts), "prefixed", "W"),
        KeyFigure("energy", _("Electricity seen"), power_cell(visit, item, item.energy_kwh), "figure", "kWh"),
        KeyFigure("shares", _("Shares sent"), shares, "count", "", note if item.dialect else ""),
        KeyFigure("watched", _("Hours watched"), watched, "figure", "h"),
        KeyFigure("loss", _("Not captured"), item.capture_loss, "part") if item.capture_loss is not None else None,
    )
    blocks: list[ConsoleBlock] = [KeyFigures("figures", "", tuple(figure for figure in figures if figure is not None))]
    line = item.timeline
    if line is not None and line.counts:
        end_ns = line.start_ns + line.bin_ns * len(line.counts)
        legend = _("each bar {width}, the tallest {most} shares").format(
            width=duration(line.bin_ns / SECOND_NS), most=f"{max(line.counts):,}"
        )
        drawing = panels.strip(item, strips.TimeAxis(((line.start_ns, end_ns),)), visit.wording)
        blocks.append(
            Drawing(_("Shares over time"), drawing, _time(visit, line.start_ns), _time(visit, end_ns), legend)
        )
    return tuple(blocks)


def _why(visit: Visit, item: Finding) -> tuple[ConsoleBlock, ...]:
    _ = visit._
    sure = _("Sure by {part} %.").format(part=f"{100 * item.confidence:.3g}")
    recorded = visit.wording.recorded
    facts = tuple(Fact(detail.name, detail.text, None, detail.code) for detail in details(item, visit.wording))
    reasons = tuple(short(recorded(text), 400) for text in reversed(item.reasons))
    notes = tuple(visible(recorded(text)) for text in item.estimate_notes)
    return (
        Sayings("", (sure,)),
        Sayings(_("Reasons, the strongest first"), reasons, True),
        *((Sayings(_("Notes on the figures"), notes, True),) if notes else ()),
        Facts("", facts),
    )


def _dialogue(visit: Visit, item: Finding) -> ConsoleBlock:
    _ = visit._
    pieces = sorted(item.evidence, key=lambda piece: (piece.time_ns, piece.offset))
    messages = [
        SaidMessage(
            moment(piece.time_ns, visit.desk.zone).strftime("%Y-%m-%d %H:%M:%S"),
            piece.direction,
            _(SPEAKERS[piece.direction]),
            grade_text(visit, piece.grade.label),
            _("byte {offset}").format(offset=f"{piece.offset:,}"),
            visible(piece.excerpt),
            short(visit.wording.recorded(str(piece.detail.get("proof") or piece.detail.get("message") or "")), 200),
        )
        for piece in pieces
    ]
    if not messages:
        return Sayings("", (_("No message was kept."),))
    return Dialogue(_("{count} messages are kept; passwords are blanked.").format(count=len(messages)), tuple(messages))


def _whose(visit: Visit, found: ListedFinding, item: Finding) -> tuple[ConsoleBlock, ...]:
    _, answer = visit._, item.attribution
    facts = [Fact(_("Miner"), item.miner_ip, visit.href(f"/addresses/{item.miner_ip}"), True)]
    if found.site_id:
        facts.append(Fact(_("Site"), str(found.site_id), visit.href(f"/sites/{found.site_id}")))
    if found.case_id is not None:
        facts.append(Fact(_("Case"), str(found.case_id), visit.href(f"/cases/{found.case_id}")))
    if answer is None:
        return (Facts("", tuple(facts)), Sayings("", (_("No book was asked, or none of yours speaks of it."),)))
    rows = []
    for claim in answer.claims[:MOST_CLAIMS]:
        rows.append(
            (
                _(STANDINGS[claim.standing]),
                owner_text(visit, claim.enterprise, claim.site) if claim.enterprise else None,
                place_text(visit, claim.enterprise, claim.site),
                visible(f"{claim.source}, {file_name(claim.place)}"),
                visit.cells.moment(claim.as_of_ns) if claim.as_of_ns is not None else visit.cells.unknown(),
                visible(claim.allocation),
                claim.strength,
            )
        )
    columns = (
        Column("standing", _("Worth")),
        Column("owner", _("Whose")),
        Column("division", _("Place")),
        Column("source", _("Source")),
        Column("as_of", _("As of"), "moment"),
        Column("allocation", _("Range")),
        Column("strength", _("Strength"), "figure"),
    )
    reasons = tuple(visible(visit.wording.recorded(text)) for text in answer.reasons)
    table = DocumentTable("claims", _("What books say"), columns, tuple(rows), _("No book says anything."))
    return (
        Facts("", tuple(facts)),
        *((Sayings(_("Reasons"), reasons, foreign=True),) if reasons else ()),
        table,
    )


def _connections(visit: Visit, item: Finding) -> ConsoleBlock:
    _ = visit._
    columns = (
        Column("community_id", _("Community ID")),
        Column("from", _("From")),
        Column("to", _("To")),
        Column("since", _("Began"), "moment"),
        Column("seconds", _("For"), "text"),
        Column("sent", _("Shares sent"), "count"),
        Column("accepted", _("accepted"), "count"),
        Column("rejected", _("rejected"), "count"),
        Column("vlan", _("VLAN")),
        Column("source", _("Seen in")),
    )
    rows = tuple(
        (
            visible(flow.key.community_id),
            endpoint_text(flow.key.src_ip, flow.key.src_port),
            endpoint_text(flow.key.dest_ip, flow.key.dest_port),
            visit.cells.moment(flow.first_ns),
            duration((flow.last_ns - flow.first_ns) / SECOND_NS),
            flow.shares.submitted,
            flow.shares.accepted,
            flow.shares.rejected,
            ", ".join(map(str, flow.vlans)) or None,
            visible(file_name(flow.source)),
        )
        for flow in item.flows[-MOST_FLOWS:]
    )
    title = _("{shown} of {count} connections, the newest").format(shown=len(rows), count=f"{item.flow_count:,}")
    return DocumentTable("connections", title, columns, rows, _("No connection was read."))


def _capture_facts(visit: Visit, item: Finding) -> ConsoleBlock:
    _, found = visit._, _capture(visit, item.finding_id)
    identity = Fact(_("Finding"), item.finding_id, None, True)
    if found is None:
        return Facts("", (identity, Fact(_("Capture"), _("none is kept of this finding"))))
    return Facts(
        "",
        (
            identity,
            Fact(_("Capture"), size_text(len(found.data)), visit.href(f"/findings/{item.finding_id}/capture")),
            Fact(_("SHA-256 of the capture"), found.sha256, None, True),
        ),
    )


def capture(visit: Visit, finding_id: str) -> DownloadFile:
    """The capture of a finding as a file. Raises RefusalError where there is none."""
    found = finding_of(visit, finding_id)
    kept_file = _capture(visit, found.stored.finding.finding_id)
    if kept_file is None:
        raise RefusalError(404, N_("No capture is kept of this finding."))
    name = f"minewatch-{kept_file.sha256[:16]}.pcapng"
    return DownloadFile(name, "application/octet-stream", kept_file.data)


def _capture(visit: Visit, finding_id: str) -> Capture | None:
    folder = visit.desk.evidence
    if folder is None:
        return None
    try:
        with evidence_path(folder, finding_id).open("rb") as file:
            data = file.read(MOST_CAPTURE_BYTES + 1)
    except OSError:
        return None
    return Capture(data) if len(data) <= MOST_CAPTURE_BYTES else None


def _time(visit: Visit, ns: int) -> str:
    return moment(ns, visit.desk.zone).strftime("%Y-%m-%d %H:%M")
