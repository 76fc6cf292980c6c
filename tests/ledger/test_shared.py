"""What sensors, addresses and sites share is what a plain count of the findings says, in whatever order and pieces
sensors reported them; and of names that anybody can choose it is said how little they prove."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, delete, literal, select, update

from sensor.cli.main import main
from sensor.ledger import Ledger, StoredFinding
from sensor.ledger.central import CentralLedger, CollectBatch, CollectPage, PlacedReport, TopicPlace
from sensor.ledger.read.lists.cut import ListCut, ListKey
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.read.lists.shared import AskedShared, ListedShared, SharedKind
from sensor.ledger.read.lists.shared_rates import RatedSpan, shared_rates
from sensor.ledger.read.lists.usual_names import is_usual, usual
from sensor.ledger.store.database import writing
from sensor.ledger.store.schema import FINDINGS, METADATA, SITES
from sensor.ledger.write.forget import ForgetSubject
from sensor.model.evidence import Grade
from sensor.model.finding import Finding, Pool, Wallet
from sensor.model.range import Range
from sensor.model.scope import EVERYWHERE, Scope
from sensor.model.wire import SensorReport
from tests.cli.test_json import answer
from tests.ledger.mining import HOUR, MONDAY, mined, owned
from tests.ledger.servers import postgresql

KINDS: tuple[SharedKind, ...] = ("wallet", "pool", "worker", "enterprise")
SENSORS = ("east", "north", "west")
TOPIC = "minewatch.reports.v1"


class Miner(NamedTuple):
    """A miner as some sensors see it, each in so many pieces."""

    wallet: str | None
    pool: str | None
    workers: tuple[str, ...]
    algorithm: str | None
    activity: str | None
    grade: Grade
    donation: bool
    owner: int | None
    person: bool
    suppressed: bool
    begins_h: int
    lasts_h: int
    seen: dict[str, int]

    def finding(self, number: int, hours: int) -> Finding:
        """What was seen of it after so many hours."""
        first = MONDAY + self.begins_h * HOUR
        category = "individual" if self.person else "enterprise"
        owner = None if self.owner is None else owned(self.owner + 10 * self.person, category)
        made = mined(number, first, first + hours * HOUR, 20 * hours, algorithm=self.algorithm, attribution=owner)
        return dataclasses.replace(
            made,
            wallet=None if self.wallet is None else Wallet(self.wallet, "account"),
            login=None,
            pool=Pool(name=self.pool),
            workers=tuple(sorted(self.workers)),
            activity=self.activity,
            grade=self.grade,
            donation=self.donation,
            hashrate_hps=None if self.algorithm is None else made.hashrate_hps,
        )


MINERS = st.lists(
    st.builds(
        Miner,
        wallet=st.sampled_from([None, "wallet-a", "wallet-b", "x", "worker1"]),
        pool=st.sampled_from([None, "one.example", "two.example"]),
        workers=st.sets(st.sampled_from(["", "rig-alpha", "rig-beta", "7", "'; DROP", "雷\\", "0001"])).map(tuple),
        algorithm=st.sampled_from([None, "sha256d", "randomx"]),
        activity=st.sampled_from([None, "mining", "mining", "probe", "observer"]),
        grade=st.sampled_from([Grade.BEHAVES, Grade.SPEAKS, Grade.ACCEPTED]),
        donation=st.sampled_from([False, False, True]),
        owner=st.sampled_from([None, 1, 2, 3]),
        person=st.sampled_from([False, False, True]),
        suppressed=st.sampled_from([False, False, True]),
        begins_h=st.integers(0, 30),
        lasts_h=st.integers(1, 5),
        seen=st.dictionaries(st.sampled_from(SENSORS), st.integers(1, 3), min_size=1),
    ),
    min_size=1,
    max_size=7,
)


def reports_of(miners: Sequence[Miner], order: Sequence[float]) -> list[SensorReport]:
    """The reports of all sensors; those of a sensor of one miner stay in their order, all others come as they like."""
    found: list[tuple[float, SensorReport]] = []
    places = iter(order * 50)
    for number, miner in enumerate(miners, 1):
        for sensor_id, pieces in miner.seen.items():
            hours = sorted({max(1, miner.lasts_h * piece // pieces) for piece in range(1, pieces + 1)})
            for place, length in zip(sorted(next(places) for _ in hours), hours, strict=True):
                record = miner.finding(number, length)
                muted = {record.finding_id: "a rule"} if miner.suppressed else {}
                report = SensorReport(sensor_id, "run", record.last_ns, (record,), suppressed=muted)
                found.append((place, report))
    return [report for _, report in sorted(found, key=lambda entry: entry[0])]


def take(ledger: Ledger, reports: Sequence[SensorReport], per_batch: int) -> None:
    """Bring reports into a central ledger, some at once."""
    central = CentralLedger(ledger, 10)
    for start in range(0, len(reports), per_batch):
        batch = reports[start : start + per_batch]
        placed = [PlacedReport(TopicPlace(TOPIC, 0, start + at), report) for at, report in enumerate(batch)]
        ends = {(TOPIC, 0): start}, {(TOPIC, 0): start + len(batch)}
        central.take(CollectBatch((CollectPage(placed),), *ends), MONDAY)


def keys_of(by: SharedKind, one: Finding) -> list[str]:
    if by == "wallet":
        return [] if one.wallet is None or one.wallet.address is None else [one.wallet.address]
    if by == "pool":
        return [one.pool.name or f"{one.pool_ip}:{one.pool_port}"]
    if by == "worker":
        return [name for name in one.workers if name]
    whose = one.attribution and one.attribution.enterprise
    return [] if whose is None or whose.individual else [whose.enterprise_id]


def plainly_shared(
    by: SharedKind, entries: Sequence[StoredFinding], seen: dict[str, set[str]], usual_names: bool, uncounted: bool
) -> dict[str, tuple[Any, ...]]:
    """The same without SQL, from whole records."""
    groups: dict[str, list[Finding]] = defaultdict(list)
    for entry in entries:
        one = entry.finding
        counts = one.counts and entry.suppressed is None and (by == "enterprise" or not one.donation)
        for key in keys_of(by, one) if counts or uncounted else ():
            if usual_names or by not in ("wallet", "worker") or not usual(key):
                groups[key].append(one)
    found = {}
    for key, group in groups.items():
        sensors = set().union(*(seen[one.finding_id] for one in group))
        addresses = {one.miner_ip for one in group}
        owners = {one.attribution.enterprise for one in group if one.attribution is not None}
        nobody = {one.miner_ip for one in group if one.attribution is None}
        if max(len(sensors), len(addresses), len(owners)) >= 2:
            rates = rates_plainly(group)
            least = min(one.grade for one in group)
            times = min(one.first_ns for one in group), max(one.last_ns for one in group)
            best = max(one.grade for one in group)
            counted = (len(group), tuple(sorted(sensors)), len(addresses), len(owners), len(owners), len(nobody))
            found[key] = (*counted, best, least, *times, rates)
    return found


def rates_plainly(group: Sequence[Finding]) -> dict[str, Any]:
    """Each finding is of an address of its own, so rates are added by algorithm; those that are not known are
    counted."""
    found: dict[str, list[float | int]] = defaultdict(lambda: [0.0, 0])
    for one in group:
        if one.hashrate_hps is None:
            found[one.algorithm or ""][1] += 1
        else:
            found[one.algorithm or ""][0] += one.hashrate_hps.best
    return {name: (pytest.approx(rate), unrated) for name, (rate, unrated) in found.items()}


def as_plain(rows: Sequence[ListedShared]) -> dict[str, tuple[Any, ...]]:
    found = {}
    for row in rows:
        assert row.rates is not None
        rates = {
            rate.algorithm or "": (0.0 if rate.hashrate_hps is None else rate.hashrate_hps.best, rate.unrated)
            for rate in row.rates
        }
        assert row.sensors == len(row.sensor_names)
        counted = (row.findings, row.sensor_names, row.seen.addresses, row.seen.sites, row.enterprises, row.unnamed)
        times = row.seen.first_ns, row.seen.last_ns
        found[row.name] = (*counted, row.seen.grade, row.least_grade, *times, rates)
    return found


def emptied(ledger: Ledger) -> Ledger:
    with writing(ledger.engine) as connection:
        for table in METADATA.sorted_tables:
            connection.execute(delete(table).where(SITES.c.site_id != 0) if table is SITES else delete(table))
    return ledger


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with postgresql() as server:
        yield {"sqlite": f"sqlite:///{tmp_path_factory.mktemp('shared')}/ledger.db", "postgresql": server}


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, urls: dict[str, str]) -> Iterator[Ledger]:
    """An empty one."""
    opened = emptied(Ledger.open(urls[request.param]))
    yield opened
    opened.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(miners=MINERS, order=st.lists(st.floats(0, 1), min_size=1, max_size=12), per_batch=st.integers(1, 9))
def test_what_is_shared_is_what_a_plain_count_says_in_any_order_and_pieces(
    ledger: Ledger, miners: list[Miner], order: list[float], per_batch: int
) -> None:
    take(emptied(ledger), reports_of(miners, order), per_batch)
    seen = {miner.finding(number, 1).finding_id: set(miner.seen) for number, miner in enumerate(miners, 1)}
    entries = ledger.reader.findings()
    reader = DeskReader(ledger.engine, EVERYWHERE)
    for by in KINDS:
        for asked in (AskedShared(by), AskedShared(by, usual_names=True), AskedShared(by, uncounted=True)):
            whole = reader.shared(asked)
            assert as_plain(whole) == plainly_shared(by, entries, seen, asked.usual_names, asked.uncounted)
            assert reader.count_shared(asked) == len(whole)
            pages, after = [], None
            while page := reader.shared(asked, ListCut(after, 1)):
                pages += page
                after = ListKey(page[-1].seen.last_ns, page[-1].name)
            assert pages == whole
            assert [row for at in range(len(whole)) for row in reader.shared(asked, ListCut(None, 1), at)] == whole
            assert [row for row in whole if row.sensors >= 3] == reader.shared(dataclasses.replace(asked, sensors=3))


def told(ledger: Ledger, *findings: Finding, sensor_id: str = "east", **more: Any) -> None:
    reports = [SensorReport(sensor_id, "run", one.last_ns, (one,), **more) for one in findings]
    take_at = [PlacedReport(TopicPlace(f"{TOPIC}-{sensor_id}", 0, at), report) for at, report in enumerate(reports)]
    queue = (f"{TOPIC}-{sensor_id}", 0)
    CentralLedger(ledger, 10).take(CollectBatch((CollectPage(take_at),), {queue: 0}, {queue: len(reports)}), MONDAY)


def paid(number: int, wallet: str, **changes: Any) -> Finding:
    return dataclasses.replace(
        mined(number, MONDAY, MONDAY + HOUR, 20), wallet=Wallet(wallet, "valid"), login=None, **changes
    )


def test_a_wallet_that_one_sensor_sees_at_one_address_is_not_shared(ledger: Ledger) -> None:
    told(ledger, paid(1, "lonely-wallet"))
    assert DeskReader(ledger.engine, EVERYWHERE).shared(AskedShared()) == []


def test_a_connection_that_two_sensors_saw_counts_once_in_the_hashrate(ledger: Ledger) -> None:
    one = paid(1, "wallet-of-both")
    told(ledger, one)
    told(ledger, one, sensor_id="west")
    (row,) = DeskReader(ledger.engine, EVERYWHERE).shared(AskedShared())
    assert (row.sensors, row.seen.addresses, row.findings, row.seen.sites, row.unnamed) == (2, 1, 1, 0, 1)
    assert row.rates is not None
    assert row.rates[0].hashrate_hps is not None
    assert one.hashrate_hps is not None
    assert row.rates[0].hashrate_hps.best == pytest.approx(one.hashrate_hps.best)


@pytest.mark.parametrize("figure", [1e308, -1e308, float("inf"), 0.0])
def test_a_rate_that_is_no_measure_is_not_known(ledger: Ledger, figure: float) -> None:
    told(ledger, paid(1, "wallet-a"), paid(2, "wallet-a"), paid(3, "wallet-a"))
    before = DeskReader(ledger.engine, EVERYWHERE).shared(AskedShared())[0].rates
    with writing(ledger.engine) as connection:  # as a collector of an earlier release took it
        ids = sorted(connection.scalars(select(FINDINGS.c.finding_id)))[:2]
        names = ("rate_low", "rate_best", "rate_high")
        connection.execute(update(FINDINGS).where(FINDINGS.c.finding_id.in_(ids)).values(dict.fromkeys(names, figure)))
    (rate,) = DeskReader(ledger.engine, EVERYWHERE).shared(AskedShared())[0].rates or ()
    assert before is not None
    assert before[0].hashrate_hps is not None
    assert rate.unrated == 2
    assert rate.hashrate_hps is not None
    assert rate.hashrate_hps.best == pytest.approx(before[0].hashrate_hps.best / 3)


def test_a_scope_joins_what_is_in_it_alone(ledger: Ledger) -> None:
    told(ledger, *(paid(number, "wallet-a", attribution=owned(number)) for number in (1, 2)))
    told(ledger, paid(3, "wallet-a", attribution=owned(3, division="330106")), sensor_id="west")
    everywhere, there = (DeskReader(ledger.engine, scope) for scope in (EVERYWHERE, Scope(("3205",))))
    assert [(row.seen.addresses, row.sensors) for row in everywhere.shared(AskedShared())] == [(3, 2)]
    assert [(row.seen.addresses, row.sensors) for row in there.shared(AskedShared())] == [(2, 1)]
    assert DeskReader(ledger.engine, Scope(())).shared(AskedShared()) == []
    asked = AskedShared(division=Scope(("33",)), addresses=1)
    assert [row.seen.addresses for row in everywhere.shared(asked)] == [1]
    assert there.shared(asked) == []


def test_a_false_alarm_joins_nothing_unless_it_is_asked_for(ledger: Ledger) -> None:
    for number in (1, 2):
        told(ledger, paid(number, "wallet-a", attribution=owned(number)), sensor_id=f"sensor-{number}")
    case = min(ledger.reader.cases(), key=lambda case: case.case_id)
    reader = DeskReader(ledger.engine, EVERYWHERE)
    assert len(reader.shared(AskedShared())) == 1
    ledger.set_case(case.case_id, "false-alarm", MONDAY, who="desk", why="a test bench")
    assert reader.shared(AskedShared()) == []
    assert [row.seen.addresses for row in reader.shared(AskedShared(uncounted=True))] == [2]


def test_a_period_and_a_grade_are_those_of_findings(ledger: Ledger) -> None:
    told(ledger, paid(1, "wallet-a"), paid(2, "wallet-a", grade=Grade.SPEAKS))
    reader = DeskReader(ledger.engine, EVERYWHERE)
    assert len(reader.shared(AskedShared(from_ns=MONDAY, to_ns=MONDAY + HOUR))) == 1
    assert reader.shared(AskedShared(from_ns=MONDAY + 2 * HOUR)) == []
    assert reader.shared(AskedShared(to_ns=MONDAY)) == []
    assert reader.shared(AskedShared(grade=Grade.ACCEPTED)) == []
    assert [row.least_grade for row in reader.shared(AskedShared(name="wallet-a"))] == [Grade.SPEAKS]
    assert reader.shared(AskedShared(name="wallet-")) == []


def test_forgetting_takes_the_names_with_it(ledger: Ledger) -> None:
    told(ledger, *(paid(number, "wallet-a", workers=("rig-of-li",), state="closed") for number in (1, 2)))
    reader = DeskReader(ledger.engine, EVERYWHERE)
    assert len(reader.shared(AskedShared("worker"))) == 1
    ledger.forget(ForgetSubject(address="10.0.1.1"), MONDAY + HOUR)
    assert reader.shared(AskedShared("worker")) == []


@given(
    spans=st.lists(
        st.builds(
            RatedSpan,
            address=st.sampled_from("ab"),
            algorithm=st.sampled_from([None, "sha256d", "randomx"]),
            work_unit=st.just("hashes"),
            first_ns=st.integers(0, 9),
            last_ns=st.integers(10, 20),
            rate=st.none() | st.builds(lambda best: Range(best / 2, best, best * 2), st.floats(0, 1e18)),
        )
    )
)
def test_hashrates_are_never_added_over_algorithms_nor_over_time(spans: list[RatedSpan]) -> None:
    found = shared_rates(spans)
    assert found == shared_rates(reversed(spans))
    assert Counter(rate.algorithm for rate in found) == Counter({span.algorithm for span in spans})
    for rate in found:
        its = [span for span in spans if span.algorithm == rate.algorithm]
        known = [span.rate for span in its if span.rate is not None]
        assert rate.unrated == len(its) - len(known)
        assert (rate.hashrate_hps is None) == (not known)
        if rate.hashrate_hps is not None:
            assert rate.hashrate_hps.best <= sum(each.best for each in known) * (1 + 1e-9)
            assert rate.hashrate_hps.best >= max(each.best for each in known) / 20 * (1 - 1e-9)


def test_a_rig_that_signs_in_again_is_not_twice_as_fast() -> None:
    rate = Range(1.0, 2.0, 4.0)

    def span(first: int, last: int, address: str = "a") -> RatedSpan:
        return RatedSpan(address, "sha256d", "hashes", first, last, rate)

    def best(*spans: RatedSpan) -> float:
        (found,) = shared_rates(spans)
        assert found.hashrate_hps is not None
        return found.hashrate_hps.best

    assert best(span(0, 10), span(10, 20)) == pytest.approx(2.0)
    assert best(span(0, 10), span(0, 10)) == pytest.approx(4.0)
    assert best(span(0, 10), span(50, 60, "b")) == pytest.approx(4.0)
    assert best(span(0, 10), span(5, 15)) == pytest.approx(2.0 * 20 / 15)


@pytest.mark.parametrize("name", ["x", "worker1", "Default", "rig_02", "001", "10x12", "192x168x1x12", "MINER", ""])
def test_usual_names_are_known(name: str) -> None:
    assert usual(name)


@pytest.mark.parametrize("name", ["li-garage", "13800138000", "hall7-row3", "雷神一号", "f2pool-account"])
def test_other_names_are_not_usual(name: str) -> None:
    assert not usual(name)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text("xX0 7_-.#worke雷'%\\", max_size=10))
def test_usual_names_are_the_same_in_sql(ledger: Ledger, name: str) -> None:
    with ledger.engine.connect() as connection:
        assert bool(connection.scalar(select(is_usual(literal(name, Text))))) == usual(name)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Two sensors see a wallet at two enterprises, a hostile one at two addresses of nobody."""
    place = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(place)
    told(ledger, paid(1, "wallet-a", attribution=owned(1)), paid(3, "=cmd()\x1b[2J"), paid(5, "x"))
    told(ledger, paid(2, "wallet-a", attribution=owned(2)), paid(4, "=cmd()\x1b[2J"), paid(6, "x"), sensor_id="west")
    ledger.close()
    return place


def test_the_answer_is_as_its_schema_says_and_names_what_is_left_out(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "ledger shared", "ledger", "shared", "--ledger", url)
    assert found["total"] == 2
    hostile, one = sorted(found["shared"], key=lambda row: row["name"])
    assert one["is_hint"] is True
    assert (one["sensors"], one["sensor_names"], one["sites"], one["enterprises"]) == (2, ["east", "west"], 2, 2)
    assert (hostile["sites"], hostile["enterprises"], hostile["addresses_of_nobody"]) == (None, None, 2)
    assert len(found["left_out"]) == 5
    every = answer(
        capsys, "ledger shared", "ledger", "shared", "--ledger", url, "--usual-names", "--uncounted", "--limit", "1"
    )
    assert (every["total"], len(every["shared"]), every["left_out"]) == (3, 1, [])
    for by in KINDS[1:]:
        answer(capsys, "ledger shared", "ledger", "shared", "--ledger", url, "--by", by)
    by_owner = answer(
        capsys, "ledger shared", "ledger", "shared", "--ledger", url, "--by", "enterprise", "--sites", "1"
    )
    assert [row["enterprise"]["name"] for row in by_owner["shared"]] == ["企业1", "企业2"]
    assert main(["ledger", "shared", "--ledger", url, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_a_hostile_name_steers_neither_terminal_nor_spreadsheet(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "shared", "--ledger", url, "--language", "en"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "is a hint, and proves nothing" in text
    assert "left out: attempts" in text
    assert main(["ledger", "shared", "--ledger", url, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out.lstrip("\ufeff"))))
    assert {row["name"][:6] for row in rows} == {"wallet", "'=cmd("}
    assert {row["sites"] for row in rows} == {"2", ""}


def test_what_cannot_be_asked_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("--since", "yesterday"), ("--division", "999999"), ("--sensors", "0"), ("--by", "coin")):
        with pytest.raises(SystemExit) if words[0] in ("--sensors", "--by") else contextlib.nullcontext():
            assert main(["ledger", "shared", "--ledger", url, *words]) == 2
        assert capsys.readouterr().err
