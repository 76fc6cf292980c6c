"""From every released schema to the present one, with data: what was known is there, rolled up, and goes on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, insert, select, text

from sensor.ledger import Ledger
from sensor.ledger.store.database import MIGRATIONS, reading
from sensor.ledger.store.records import dumps
from sensor.ledger.store.schema import FINDINGS
from sensor.ledger.write.finding_rows import FindingLinks, finding_row
from sensor.ledger.write.lifecycle import HeldFinding
from sensor.ledger.write.merge import sum_parts
from sensor.ledger.write.rollup_state import RollupState
from sensor.model.finding import Finding, Pool
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned
from tests.ledger.servers import differences, postgresql
from tests.ledger.test_rollups import agree, sums

MINERS = 1_300  # more than two pages
#: Of schema 0011: what findings share, out of their records.
SHARED_COLUMNS = ("pool", "workers", "work_unit", "rate_low", "rate_best", "rate_high")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    with postgresql() as server:
        yield server


def earlier_release(url: str, schema: str, findings: list[tuple[Finding, Finding | None]]) -> None:
    """A ledger as a release with this schema left it. Its records lack the fields that came later."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    columns = [
        "finding_id",
        "miner_ip",
        "pool_ip",
        "pool_port",
        "dialect",
        "coin",
        "algorithm",
        "grade",
        "state",
        "first_ns",
        "last_ns",
    ]
    names = [*columns, "run_id", "recorded_ns", "record", "earlier"]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
        statement = text(
            f"INSERT INTO findings ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
        )
        for one, before in findings:
            row = {name: getattr(one, name) for name in columns} | {
                "grade": int(one.grade),
                "run_id": "old",
                "recorded_ns": one.last_ns,
            }
            connection.execute(statement, row | {"record": old(one), "earlier": before and old(before)})
    engine.dispose()


def to_schema(url: str, schema: str) -> Engine:
    """An empty ledger of a schema, and an engine for it."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema)
    return engine


def old(one: Finding) -> str:
    record = json.loads(dumps(one))
    del record["stream_bytes"], record["watched_seconds"]
    return json.dumps(record)


def test_findings_of_the_first_schema_are_rolled_up_and_go_on(url: str) -> None:
    first = [
        mined(number, MONDAY, MONDAY + 9 * HOUR, 40, attribution=owned(number // 4), state="closed")
        for number in range(MINERS)
    ]
    before = mined(MINERS, MONDAY, MONDAY + HOUR, 5)
    joined = sum_parts([before, mined(MINERS, MONDAY + 5 * HOUR, MONDAY + 7 * HOUR, 20)], {})
    earlier_release(url, "0001", [*((one, None) for one in first), (joined, before)])

    ledger = Ledger.open(url)
    with reading(ledger.engine) as connection:
        assert differences(connection) == []
    agree(ledger)
    assert sums(ledger)["shares"] == 40 * MINERS + 25
    assert len(ledger.reader.cases()) == MINERS // 4 + 1
    told = ledger.reader.summary(MONDAY, MONDAY + DAY)
    assert (told.addresses, told.enterprises) == (MINERS + 1, MINERS // 4)

    ledger.record(
        [mined(1, MONDAY + 20 * HOUR, MONDAY + 21 * HOUR, 7), mined(MINERS, MONDAY + 20 * HOUR, MONDAY + 21 * HOUR, 7)],
        MONDAY,
    )
    agree(ledger)
    assert sums(ledger)["shares"] == 40 * MINERS + 25 + 14
    before_again = sums(ledger)
    ledger.close()
    again = Ledger.open(url)
    assert sums(again) == before_again
    again.close()


def test_a_capture_replayed_into_a_ledger_of_the_first_schema_adds_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    one = dataclasses.replace(mined(1, MONDAY, MONDAY + 9 * HOUR, 40, state="closed"), stream_bytes=0)
    earlier_release(url, "0001", [(one, None)])
    ledger = Ledger.open(url)
    ledger.record([one], MONDAY)
    assert sums(ledger)["shares"] == 40
    agree(ledger)


def test_a_copy_is_made_before_the_schema_changes_and_none_of_a_new_ledger(url: str, tmp_path: Path) -> None:
    one = dataclasses.replace(mined(1, MONDAY, MONDAY + 9 * HOUR, 40, state="closed"), stream_bytes=0)
    earlier_release(url, "0001", [(one, None)])
    Ledger.open(url).close()
    if url.startswith("sqlite"):
        copy = create_engine(f"sqlite:///{tmp_path}/ledger.db.before-0001")
        prefix = ""
    else:
        copy, prefix = create_engine(url), "minewatch_before_0001."
    with copy.connect() as connection:
        assert connection.scalar(text(f"SELECT count(*) FROM {prefix}findings")) == 1
        assert connection.scalar(text(f"SELECT version_num FROM {prefix}alembic_version")) == "0001"
    copy.dispose()
    Ledger.open(f"sqlite:///{tmp_path}/new.db").close()
    assert not list(tmp_path.glob("new.db.before-*"))


def test_a_live_sensor_goes_on_with_a_ledger_of_before_there_were_sensors(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    one = dataclasses.replace(mined(1, MONDAY, MONDAY + 9 * HOUR, 40), stream_bytes=0)
    earlier_release(url, "0002", [(one, None)])
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO watched VALUES (:hour, 1800)"), {"hour": MONDAY // HOUR})
        connection.execute(text("INSERT INTO cursors VALUES ('eve', 7, 1, 2)"))
    engine.dispose()
    ledger = Ledger.open(url, sensor_id="edge-1")
    assert ledger.begin(MONDAY) is False
    (sensor,) = ledger.reader.sensors()
    assert (sensor.sensor_id, sensor.findings, sensor.watched_seconds) == ("edge-1", 1, 1_800)
    assert sensor.exporters == ("eve",)
    assert ledger.outbox.backlog("eve").dropped == 1
    ledger.record([mined(1, MONDAY + 20 * HOUR, MONDAY + 21 * HOUR, 7)], MONDAY)
    assert sums(ledger)["shares"] == 47
    agree(ledger)
    ledger.close()


def test_what_findings_share_is_taken_out_of_the_records_of_an_earlier_schema(url: str) -> None:
    names = ("rig-alpha", "rig-\ud800", "雷")
    one = dataclasses.replace(mined(1, MONDAY, MONDAY + 9 * HOUR, 40, state="closed"), workers=tuple(sorted(names)))
    plain = dataclasses.replace(one, finding_id="plain", workers=(), hashrate_hps=None, pool=Pool(name="One pool"))
    long = dataclasses.replace(one, finding_id="long", reasons=("a sentence " * 2_000,))
    damaged, endless, halved = (dataclasses.replace(one, finding_id=name) for name in ("damaged", "endless", "halved"))
    engine = to_schema(url, "0010")
    with engine.begin() as connection:
        for each in (one, plain, long, damaged, endless, halved):
            row = finding_row(HeldFinding(each, None), FindingLinks(RollupState()), MONDAY)
            former = {name: value for name, value in row.items() if name not in SHARED_COLUMNS}
            if each is damaged:
                former["record"] = "zlib64:!!"
            if each in (endless, halved):  # a rate that is none, beside what is sound
                record = json.loads(dumps(each))
                record["hashrate_hps"]["high"] = 10**400 if each is endless else None
                former["record"] = json.dumps(record)
            connection.execute(insert(FINDINGS).values(former))
    engine.dispose()
    ledger = Ledger.open(url)
    with reading(ledger.engine) as connection:
        assert differences(connection) == []
        rows = {row["finding_id"]: row for row in connection.execute(select(FINDINGS)).mappings()}
    for each in (one, plain, long):
        wanted = finding_row(HeldFinding(each, None), FindingLinks(RollupState()), MONDAY)
        assert {name: rows[each.finding_id][name] for name in SHARED_COLUMNS} == {
            name: wanted[name] for name in SHARED_COLUMNS
        }
    assert all(rows["damaged"][name] is None for name in SHARED_COLUMNS)
    for name in SHARED_COLUMNS:
        wanted_value = None if name.startswith("rate_") else rows[one.finding_id][name]
        assert (rows["endless"][name], rows["halved"][name]) == (wanted_value, wanted_value)
    ledger.close()
