"""What several sensors, addresses or sites have in common: a payee, a pool, a name of a rig, an enterprise. SQL in,
plain data out.

Names of payees and rigs are chosen by whoever sends them: what is shared by them is a hint. Usual names join nothing
unless it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    cast,
    distinct,
    exists,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from sensor.ledger.read.lists.asked import IS_PERSON
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.owners import Seen
from sensor.ledger.read.lists.shared_rates import RatedSpan, SharedRate, measured, shared_rates
from sensor.ledger.read.lists.usual_names import is_usual
from sensor.ledger.read.selection import Selection, division_within
from sensor.ledger.store.records import load_enterprise
from sensor.ledger.store.schema import CASES, COUNTED, ENTERPRISES, FINDINGS, PARTS, SITES
from sensor.model.attribution import Enterprise
from sensor.model.evidence import Grade
from sensor.model.scope import Scope

SharedKind = Literal["wallet", "pool", "worker", "enterprise"]
#: Chosen by whoever sends them.
CHOSEN_BY_SENDER = frozenset({"wallet", "worker"})
#: Sensors of one row that are named, and findings of a page whose hashrates are added: what is over has none.
MOST_SENSORS, MOST_RATED = 32, 100_000
#: No sensor's id has it.
BETWEEN = ","
#: A row is shared where it has so many of any of the three, if nothing else is asked.
LEAST = 2
#: Keys asked for in one query.
PAGE = 500


@dataclass(frozen=True)
class AskedShared:
    """What is to be shared, and by how many at least; without any such number by two sensors, addresses or sites."""

    by: SharedKind = "wallet"
    name: str | None = None  # this one, exactly; an enterprise by its identity
    sensors: int | None = None
    addresses: int | None = None
    sites: int | None = None
    grade: Grade | None = None  # that or a higher one
    division: Scope | None = None
    from_ns: int | None = None  # findings seen since
    to_ns: int | None = None  # and before
    usual_names: bool = False
    uncounted: bool = False  # attempts, observers, probes, donations, suppressed and weak ones, false alarms too


class ListedShared(NamedTuple):
    """A name with all that has it."""

    by: SharedKind
    name: str
    enterprise: Enterprise | None  # where it is one
    seen: Seen  # sites that are known; the best grade
    least_grade: Grade
    findings: int
    sensors: int  # 0: by none that is known
    sensor_names: tuple[str, ...]  # the first of them
    enterprises: int  # and persons; 0: none is known
    unnamed: int  # addresses of which nobody is named
    rates: tuple[SharedRate, ...] | None  # None: too many findings to add up


def listed_shared(
    connection: Connection, chosen: Selection, asked: AskedShared, cut: ListCut, offset: int = 0
) -> list[ListedShared]:
    """What is shared, seen last first; the first `offset` rows of the cut are left out."""
    its = _keyed(connection, chosen, asked)
    found = _summed(its, asked).subquery()
    query = cut.of(select(found), found.c.last_ns, found.c.key)
    rows = connection.execute(query.offset(offset) if offset else query).mappings().all()
    keys = [row["key"] for row in rows]
    rates = _rates(connection, its, {row["key"]: row["findings"] for row in rows})
    owners = _enterprises(connection, keys) if asked.by == "enterprise" else {}
    return [_listed(asked.by, row, owners, rates) for row in rows]


def count_shared(connection: Connection, chosen: Selection, asked: AskedShared) -> int:
    """How many rows there are in all."""
    found = _summed(_keyed(connection, chosen, asked), asked).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def _listed(
    by: SharedKind,
    row: Any,
    owners: dict[str, Enterprise],
    rates: dict[str, tuple[SharedRate, ...]],
) -> ListedShared:
    key = row["key"]
    return ListedShared(
        by=by,
        name=key,
        enterprise=owners.get(key),
        seen=Seen(row["addresses"], row["sites"], Grade(row["grade"]), row["first_ns"], row["last_ns"]),
        least_grade=Grade(row["least_grade"]),
        findings=row["findings"],
        sensors=row["sensors"],
        sensor_names=_first_names(row["sensor_names"]),
        enterprises=row["enterprises"],
        unnamed=row["unnamed"],
        rates=rates.get(key),
    )


def _first_names(joined: str | None) -> tuple[str, ...]:
    return tuple(sorted(joined.split(BETWEEN))[:MOST_SENSORS]) if joined else ()


def _keyed(connection: Connection, chosen: Selection, asked: AskedShared) -> CTE:
    """Each finding with its key, several times where it has several."""
    key, whole = _key(connection, asked.by)
    columns = (FINDINGS.c.finding_id, FINDINGS.c.miner_ip, FINDINGS.c.grade, FINDINGS.c.first_ns, FINDINGS.c.last_ns)
    site = func.coalesce(FINDINGS.c.site_id, 0).label("site_id")
    query = select(key.label("key"), *columns, site, SITES.c.enterprise_id).select_from(whole)
    return query.where(key.is_not(None), *_conditions(chosen, asked, key)).cte("its")


def _key(connection: Connection, by: SharedKind) -> tuple[ColumnElement[Any], Any]:
    """What is joined by, and where it stands."""
    whole = FINDINGS.outerjoin(SITES, SITES.c.site_id == FINDINGS.c.site_id)
    if by == "worker":
        names = _unfolded(connection, FINDINGS.c.workers)
        return names.c.value, whole.join(names, true())
    if by == "enterprise":
        owned = ENTERPRISES.c.enterprise_id == SITES.c.enterprise_id
        return SITES.c.enterprise_id, whole.join(ENTERPRISES, and_(owned, not_(IS_PERSON)))
    return (FINDINGS.c.wallet if by == "wallet" else FINDINGS.c.pool), whole


def _unfolded(connection: Connection, column: Column[Any]) -> Any:
    """A row for each text of an array of JSON."""
    if connection.dialect.name == "postgresql":
        return func.jsonb_array_elements_text(cast(column, JSONB)).table_valued("value", name="names")
    return func.json_each(column).table_valued("value", name="names")


def _conditions(chosen: Selection, asked: AskedShared, key: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    found = [chosen.findings]
    if not asked.uncounted:
        false_alarm = exists().where(
            CASES.c.state == "false-alarm",
            CASES.c.site_id == func.coalesce(FINDINGS.c.site_id, 0),
            or_(CASES.c.site_id != 0, CASES.c.address == FINDINGS.c.miner_ip),
        )
        found += [COUNTED, not_(false_alarm)]
        if asked.by != "enterprise":
            found.append(or_(FINDINGS.c.machines.is_(None), FINDINGS.c.machines != 0))  # 0: a program's own donation
    if asked.by in CHOSEN_BY_SENDER and not asked.usual_names:
        found.append(not_(is_usual(key)))
    if asked.name is not None:
        found.append(key == asked.name)
    if asked.grade is not None:
        found.append(FINDINGS.c.grade >= int(asked.grade))
    if asked.division is not None:
        found.append(division_within(SITES.c.division, asked.division))
    if asked.from_ns is not None:
        found.append(FINDINGS.c.last_ns >= asked.from_ns)
    if asked.to_ns is not None:
        found.append(FINDINGS.c.first_ns < asked.to_ns)
    return found


def _summed(its: CTE, asked: AskedShared) -> Select[Any]:
    """A row for each key that is shared by as many as are asked for."""
    nobody = case((its.c.site_id == 0, its.c.miner_ip))
    sums = select(
        its.c.key,
        func.count(distinct(its.c.finding_id)).label("findings"),
        func.count(distinct(its.c.miner_ip)).label("addresses"),
        func.count(distinct(func.nullif(its.c.site_id, 0))).label("sites"),
        func.count(distinct(its.c.enterprise_id)).label("enterprises"),
        func.count(distinct(nobody)).label("unnamed"),
        func.max(its.c.grade).label("grade"),
        func.min(its.c.grade).label("least_grade"),
        func.min(its.c.first_ns).label("first_ns"),
        func.max(its.c.last_ns).label("last_ns"),
    ).group_by(its.c.key).subquery()  # fmt: skip
    reports = select(its.c.key, PARTS.c.sensor_id).join(PARTS, PARTS.c.finding_id == its.c.finding_id)
    sensor = reports.where(PARTS.c.sensor_id != "").distinct().subquery()
    names = func.aggregate_strings(sensor.c.sensor_id, BETWEEN).label("sensor_names")
    counts = select(sensor.c.key, func.count().label("sensors"), names).group_by(sensor.c.key).subquery()
    sensors = func.coalesce(counts.c.sensors, 0)
    query = select(sums, sensors.label("sensors"), counts.c.sensor_names).outerjoin(counts, counts.c.key == sums.c.key)
    wanted = ((sensors, asked.sensors), (sums.c.addresses, asked.addresses), (sums.c.sites, asked.sites))
    if all(least is None for _, least in wanted):
        return query.where(or_(*(count >= LEAST for count, _ in wanted)))
    return query.where(*(count >= least for count, least in wanted if least is not None))


def _rates(connection: Connection, its: CTE, findings: dict[str, int]) -> dict[str, tuple[SharedRate, ...]]:
    """The hashrates of keys with MOST_RATED findings together at most; what is too much by then has none."""
    keys, left = [], MOST_RATED
    for key, count in findings.items():
        if count <= left:
            keys.append(key)
            left -= count
    columns = (FINDINGS.c[name] for name in ("algorithm", "work_unit", "rate_low", "rate_best", "rate_high"))
    query = select(its.c.key, its.c.miner_ip, its.c.first_ns, its.c.last_ns, *columns)
    query = query.join(FINDINGS, FINDINGS.c.finding_id == its.c.finding_id)
    found: dict[str, list[RatedSpan]] = {key: [] for key in keys}
    for start in range(0, len(keys), PAGE):
        for row in connection.execute(query.where(its.c.key.in_(keys[start : start + PAGE]))):
            rate = measured(row.rate_low, row.rate_best, row.rate_high)
            unit = row.work_unit or "hashes"
            span = RatedSpan(row.miner_ip, row.algorithm, unit, row.first_ns, row.last_ns, rate)
            found[row.key].append(span)
    return {key: shared_rates(spans) for key, spans in found.items()}


def _enterprises(connection: Connection, keys: Sequence[str]) -> dict[str, Enterprise]:
    found: dict[str, Enterprise] = {}
    for start in range(0, len(keys), PAGE):
        page = ENTERPRISES.c.enterprise_id.in_(keys[start : start + PAGE])
        for row in connection.execute(select(ENTERPRISES.c.enterprise_id, ENTERPRISES.c.record).where(page)):
            found[row.enterprise_id] = load_enterprise(row.record)
    return found
