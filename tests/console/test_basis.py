"""What is not known is said and is never 0; nothing found, not watched and not yours are told apart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sensor.console.desk import Desk
from sensor.ledger import Ledger
from tests.console.province import SUZHOU, XUZHOU, client, desk_of, made_ledger, miner, viewer
from tests.ledger.mining import DAY, HOUR, MONDAY

LISTS = ("enterprises", "sites", "addresses", "findings", "cases", "pools")


def open_ledger(folder: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{folder}/ledger.db")


def rows(ledger: Ledger, path: str, **changes: Any) -> list[dict[str, Any]]:
    browser = client(desk_of(ledger, **changes), viewer("lead", language="en"))
    found: list[dict[str, Any]] = json.loads(browser.get(f"{path}?format=json").content)["rows"]
    return found


def test_three_reasons_for_an_empty_list_are_told_apart(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    browser = client(desk_of(ledger), viewer("officer", SUZHOU, language="en"))
    for name in LISTS:
        assert "Not watched: no sensor listened" in browser.get(f"/{name}").text
    ledger.add_coverage(MONDAY, MONDAY + 6 * DAY)
    watched = client(desk_of(ledger), viewer("officer", SUZHOU, language="en"))
    for name in LISTS:
        text = watched.get(f"/{name}").text
        assert "Sensors listened for 144 h of the week" in text
        assert "Not watched" not in text
    for name in LISTS:
        text = watched.get(f"/{name}?division={XUZHOU}").text
        assert "This division is not one of yours." in text
    assert "not one of yours" not in watched.get("/sites?division=320000").text  # his is in it
    ledger.close()


def test_an_empty_week_is_not_observed_or_0_as_it_was_watched(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)

    def tiles() -> dict[str, str]:
        text = client(desk_of(ledger), viewer("lead", language="en")).get("/overview").text
        return dict(re.findall(r"<dt>([^<]+)</dt><dd class=\"value[^>]*><bdi>([^<]*)</bdi>", text))

    unwatched = tiles()
    assert {value.removeprefix("≥ ") for value in unwatched.values()} == {"not observed"}
    ledger.add_coverage(MONDAY, MONDAY + 6 * DAY)
    assert {tiles()[name] for name in ("Addresses", "Organisations", "Electricity seen")} == {"0"}
    ledger.close()


def test_work_that_is_not_known_is_never_0(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    unknown = {"hashrate_hps": None, "power_watts": None, "energy_kwh": None, "work_hashes": None, "algorithm": None}
    import dataclasses

    unproven = dataclasses.replace(
        miner(0), **unknown, watched_seconds=0.0, unknown_shares=960, unknown_seconds=48 * 3600.0
    )
    ledger.record([unproven], MONDAY)
    ledger.add_coverage(MONDAY, MONDAY + 6 * DAY)
    for name in ("enterprises", "sites", "addresses"):
        (row,) = rows(ledger, f"/{name}")
        assert row["power_watts"] == row["energy_kwh"] == "unknown"
        assert "unknown" in row["hashrate"]
        assert row["projected_kwh"] in ("unknown", "not-projected")
        assert row["mining_hours"] > 0
    (row,) = rows(ledger, "/findings")
    assert (row["hashrate"], row["power_watts"], row["watched_hours"]) == ("unknown",) * 3
    ledger.close()


def test_nothing_is_projected_where_too_little_was_watched(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.record([miner(0)], MONDAY)
    ledger.add_coverage(MONDAY, MONDAY + 3 * DAY)
    (row,) = rows(ledger, "/addresses")
    assert row["projected_kwh"] == "not-projected"
    assert row["energy_kwh"]["low"] < row["energy_kwh"]["best"] < row["energy_kwh"]["high"]
    text = client(desk_of(ledger), viewer("lead", language="en")).get("/overview").text
    assert "Too little of this week was watched" in text
    assert "≥ 1" in text
    ledger.close()


def test_a_week_in_which_an_address_was_not_seen_says_why(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.record([miner(0)], MONDAY)
    ledger.add_coverage(MONDAY - DAY, MONDAY + 16 * DAY)
    browser = client(desk_of(ledger), viewer("lead", language="en"))

    def cell(week: str) -> Any:
        return json.loads(browser.get(f"/addresses?format=json&week={week}").content)["rows"][0]["energy_kwh"]

    assert cell("2023-W47")["best"] > 0
    assert cell("2023-W48") == "none"
    assert cell("2023-W45") == "not-observed"
    ledger.close()


def test_every_list_says_what_its_figures_are_of(desk: Desk) -> None:
    browser = client(desk, viewer("lead", language="en"))
    for name in LISTS:
        text = browser.get(f"/{name}").text
        assert "Figures are of 2023-11-19 to 2023-11-25 (Asia/Shanghai): watched 144 of 168 hours" in text
        document = json.loads(browser.get(f"/{name}?format=json").content)
        assert (document["from"], document["until"], document["hours_watched"]) == ("2023-11-19", "2023-11-25", 144.0)


def test_times_are_of_the_desks_zone(desk: Desk) -> None:
    import dataclasses
    from zoneinfo import ZoneInfo

    assert "2023-11-20 00:00" in client(desk, viewer("lead")).get("/addresses").text
    elsewhere = dataclasses.replace(desk, zone=ZoneInfo("UTC"))
    assert "2023-11-19 16:00" in client(elsewhere, viewer("lead")).get("/addresses").text


def test_a_capture_is_served_with_the_hash_that_the_page_shows(tmp_path: Path) -> None:
    import hashlib

    evidence = tmp_path / "evidence"
    evidence.mkdir()
    with made_ledger(tmp_path, 0, 2) as ledger:
        mine, foreign = (
            next(entry.finding.finding_id for entry in ledger.reader.findings() if entry.finding.miner_ip == address)
            for address in ("10.0.0.1", "10.0.2.1")
        )
        for name in (mine, foreign):
            (evidence / f"{name}.pcapng").write_bytes(b"\x0a\x0d\x0d\x0a" + name.encode())
        browser = client(desk_of(ledger, evidence=evidence), viewer("officer", SUZHOU))
        digest = hashlib.sha256((evidence / f"{mine}.pcapng").read_bytes()).hexdigest()
        assert digest in browser.get(f"/findings/{mine}").text
        answer = browser.get(f"/findings/{mine}/capture", headers={"Range": "bytes=0-1,2-3"})
        assert (answer.status_code, hashlib.sha256(answer.content).hexdigest()) == (200, digest)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert browser.get(f"/findings/{foreign}/capture").status_code == 404
        for escape in ("..%2Fledger.db", "%2e%2e", "x"):
            assert browser.get(f"/findings/{escape}/capture").status_code == 404


def test_an_hour_more_changes_no_past_week(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.record([miner(0)], MONDAY)
    ledger.add_coverage(MONDAY, MONDAY + 6 * DAY)
    before = rows(ledger, "/sites", now_ns=MONDAY + 6 * DAY)
    ledger.add_coverage(MONDAY + 6 * DAY, MONDAY + 6 * DAY + HOUR)
    browser = client(desk_of(ledger), viewer("lead", language="en"))
    after = json.loads(browser.get("/sites?format=json&week=2023-W47").content)["rows"]
    assert before[0]["energy_kwh"] == after[0]["energy_kwh"]
    ledger.close()
