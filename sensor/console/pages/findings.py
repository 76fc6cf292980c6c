"""The list of findings."""

from __future__ import annotations

from exporters.forms import cells as finding_cells
from exporters.forms.amounts import digits, prefixed, quantity, rate_unit
from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell, Column, RangeCell, ranged
from exporters.forms.fitting import short, visible
from exporters.redaction.attribution import without_persons
from exporters.redaction.persons import without_names
from sensor.console.address_bar import (
    ADDRESS,
    ALGORITHM,
    CASE,
    DIVISION,
    GRADE,
    OF_LISTS,
    SINCE,
    SITE,
    UNTIL,
    Parameter,
    choice,
)
from sensor.console.blocks import ConsolePage, DownloadFile, ListedRow
from sensor.console.desk import Visit
from sensor.console.figures import grade_text, owner_text
from sensor.console.listing import RecordList, empty_sentence, list_page
from sensor.console.ranges import addresses_within
from sensor.ledger.read.lists.cut import ListKey
from sensor.ledger.read.lists.records import AskedFindings, ListedFinding
from sensor.model.address import canonical
from sensor.model.finding import Finding
from sensor.model.quantities import Power

ACTIVITIES = (
    ("mining", N_("mines")),
    ("attempt", N_("tries to, and is not let in")),
    ("observer", N_("signs in and watches")),
    ("probe", N_("looks whether a pool is there")),
)
ACTIVITY = choice("activity", N_("What it does"), ACTIVITIES)
OPEN = choice("open", N_("Goes on"), (("yes", N_("yes")), ("no", N_("no"))))
DIALECT = Parameter("dialect", N_("Dialect"))
WALLET = Parameter("wallet", N_("Wallet or account has"))
WORKER = Parameter("worker", N_("Machine's name"))
POOL_ADDRESS = Parameter("pool-address", N_("Pool's address"), canonical)
FINDINGS_ASKED = (
    *(ADDRESS, DIVISION, GRADE, ACTIVITY, OPEN, ALGORITHM, DIALECT, WALLET, WORKER, POOL_ADDRESS, SINCE, UNTIL),
    *(SITE, CASE, *OF_LISTS),
)


def asked_findings(visit: Visit) -> AskedFindings:
    """What was asked of the list."""
    asked = visit.asked
    miners = addresses_within(visit.reader, asked.get(ADDRESS))
    worker = asked.get(WORKER)
    if worker is not None:
        its = visit.reader.addresses_of_worker(worker)
        miners = its if miners is None else sorted(set(its) & set(miners))
    going_on = asked.get(OPEN)
    return AskedFindings(
        miners=miners,
        pool=asked.get(POOL_ADDRESS),
        dialect=asked.get(DIALECT),
        algorithm=asked.get(ALGORITHM),
        grade=asked.get(GRADE),
        activity=asked.get(ACTIVITY),
        open=None if going_on is None else going_on == "yes",
        division=visit.asked_division,
        site_id=asked.get(SITE),
        case_id=asked.get(CASE),
        wallet=asked.get(WALLET),
        from_ns=visit.since_ns,
        to_ns=visit.until_ns,
    )


def findings(visit: Visit) -> ConsolePage | DownloadFile:
    """What was concluded, by miner, pool and login."""
    note = visit._("What was concluded of a miner's address, a pool and a login, those seen last first.")
    return list_page(visit, findings_list(visit), FINDINGS_ASKED, note)


def findings_list(visit: Visit) -> RecordList[ListedFinding]:
    """The list, as it was asked for."""
    _, asked = visit._, asked_findings(visit)
    return RecordList(
        "findings",
        _("Findings"),
        finding_columns(visit),
        lambda cut: visit.reader.findings(asked, cut),
        lambda found: ListKey(found.stored.finding.last_ns, found.stored.finding.finding_id),
        lambda found: finding_row(visit, found),
        empty_sentence(visit, _("No such finding.")),
    )


def finding_columns(visit: Visit) -> tuple[Column, ...]:
    """Of `finding_row`."""
    _ = visit._
    return (
        Column("miner", _("Miner")),
        Column("pool", _("Pool")),
        Column("owner", _("Whose")),
        Column("dialect", _("Dialect")),
        Column("algorithm", _("Algorithm")),
        Column("login", _("Login")),
        Column("agent", _("Agent")),
        Column("shares", _("Shares sent"), "count"),
        Column("accepted", _("accepted"), "count"),
        Column("hashrate", _("Hashrate")),
        Column("power_watts", _("Power while mining"), "prefixed", "W", ranged=True),
        Column("watched_hours", _("Hours watched"), "figure", "h"),
        Column("grade", _("Evidence")),
        Column("confidence", _("Sure"), "part"),
        Column("first_seen", _("First seen"), "moment"),
        Column("last_seen", _("Last seen"), "moment"),
        Column("suppressed", _("Suppressed, for")),
        Column("finding_id", _("Finding")),
    )


def finding_row(visit: Visit, found: ListedFinding) -> ListedRow:
    """A finding as a row."""
    item, cells = without_persons(found.stored.finding), visit.cells
    read = finding_cells.is_read(item)
    values: tuple[Cell, ...] = (
        item.miner_ip,
        pool_text(visit, item),
        finding_owner_text(visit, found.stored.finding),
        item.dialect or cells.unknown(),
        visible(item.algorithm) if item.algorithm else cells.unknown(),
        short(item.login, 72) if item.login else visit._("none seen"),
        short(item.agent, 72) if item.agent else visit._("none seen"),
        item.shares.submitted if read else visit._("not read"),
        item.shares.accepted if read else visit._("not read"),
        rate_text(visit, item),
        power_cell(visit, item, item.power_watts),
        round(item.watched_seconds / 3_600, 2) if item.watched_seconds else cells.unknown(),
        grade_text(visit, item.grade.label),
        round(item.confidence, 4),
        cells.moment(item.first_ns),
        cells.moment(item.last_ns),
        suppressed_text(found),
        item.finding_id,
    )
    links = {"miner": visit.href(f"/findings/{item.finding_id}")}
    if found.site_id:
        links["owner"] = visit.href(f"/sites/{found.site_id}")
    return ListedRow(values, links)


def suppressed_text(found: ListedFinding) -> str | None:
    """Why it was not reported, without the name of a person; None for what was."""
    answer, reason = found.stored.finding.attribution, found.stored.suppressed
    if reason is None:
        return None
    its = (None, None) if answer is None else (answer.enterprise, answer.site)
    return visible(without_names(reason, *its, persons=False))


def finding_owner_text(visit: Visit, item: Finding) -> str:
    """Whose the miner's address was, or why nobody is named."""
    answer = item.attribution
    if answer is None or answer.enterprise is None:
        return visit._("holder not known")
    return owner_text(visit, answer.enterprise, answer.site)


def pool_text(visit: Visit, item: Finding) -> str:
    """The pool by name and by address."""
    name = item.pool.name or item.pool.host or item.pool_host
    end = finding_cells.pool_end(item) if item.pool_ip else visit._("address not known")
    return f"{short(name, 60)} · {end}" if name else end


def rate_text(visit: Visit, item: Finding) -> str | Cell:
    """The hashrate with its bounds; never 0 where it is not known."""
    found, unit = item.hashrate_hps, rate_unit(item.work_unit)
    if found is None:
        return visit.cells.unknown()
    if not found.best:
        return visit._("under {most}: no share was seen").format(most=quantity(found.high, unit))
    scale, prefix = prefixed(found.best)
    ends = f"{digits(found.low / scale)}–{digits(found.high / scale)}"
    return f"{finding_cells.least(item)}{digits(found.best / scale)} {prefix}{unit} ({ends})"


def power_cell(visit: Visit, item: Finding, value: Power | None) -> Cell:
    """Power or energy with its bounds."""
    if value is None or value.high <= 0.0:
        return visit.cells.unknown()
    cell: RangeCell = ranged(value.low, value.best, value.high, bool(finding_cells.least(item)))
    return cell
