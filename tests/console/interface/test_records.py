"""Every page of the interface is the list of the console and of the command line, and of the viewer alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sensor.cli.main import main
from sensor.console.desk import Desk
from sensor.console.interface.description import description
from sensor.console.interface.endpoints import ENDPOINTS
from sensor.console.interface.records import OFFICERS
from sensor.console.web.problem import BASE
from tests.console.interface.programs import Programs, walked
from tests.console.province import FOREIGN, PERSONS_NAME, PERSONS_STREET, client, viewer

LISTS = ("findings", "cases", "enterprises", "sites", "addresses")
#: The key of a row in the console's export, and of the same record here.
IDENTITIES: dict[str, tuple[str, Any]] = {
    "findings": ("finding_id", lambda record: record["finding_id"]),
    "cases": ("case", lambda record: record["case"]),
    "enterprises": ("name", lambda record: record["enterprise"]["name"]),
    "sites": ("site", lambda record: record["site_id"]),
    "addresses": ("address", lambda record: record["address"]),
}
FILTERS = {
    "findings": ("", "grade=accepted&open=yes", "division=320300", "worker=rig3", "activity=probe", "wallet=WALLET2"),
    "cases": ("", "state=new", "overdue=yes", "name=192.0.2.200", "division=320500"),
    "enterprises": ("", "name=企业3号", "state=closed"),
    "sites": ("", "division=320300", "since=2023-11-20&until=2023-11-20"),
    "addresses": ("", "address=10.0.0.0%2F16", "pool=pool1.example%3A3333", "algorithm=scrypt"),
}
WHO = {"lead": viewer("lead", language="en"), "officer": viewer("officer", "320500", language="en")}


def exported(desk: Desk, who: str, name: str, filters: str) -> list[dict[str, Any]]:
    """The rows of the console's export."""
    text = client(desk, WHO[who]).get(f"/{name}?format=json&{filters}".rstrip("&")).content
    rows: list[dict[str, Any]] = json.loads(text)["rows"]
    return rows


def figure(cell: object) -> dict[str, float] | None:
    """A cell of an export as a figure: what is not known is null."""
    return {name: cell[name] for name in ("low", "best", "high")} if isinstance(cell, dict) else None


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", LISTS)
def test_pages_together_are_the_consoles_export(programs: Programs, desk: Desk, who: str, name: str) -> None:
    program = programs.of(who)
    column, identity = IDENTITIES[name]
    for filters in FILTERS[name]:
        rows = exported(desk, who, name, filters)
        for limit in (1, 3, 500):
            records = walked(program, f"{BASE}/{name}?limit={limit}&{filters}".rstrip("&"))
            assert [identity(record) for record in records] == [row[column] for row in rows], filters
        for record, row in zip(records, rows, strict=True):
            same_figures(name, record, row)


def same_figures(name: str, record: dict[str, Any], row: dict[str, Any]) -> None:
    """Every figure of a row is that of its record."""
    if name == "findings":
        assert record["shares"]["submitted"] == row["shares"]
        assert record["confidence"] == pytest.approx(row["confidence"], abs=1e-4)
        assert record["power_watts"] == pytest.approx(figure(row["power_watts"]))
        assert record["watched_seconds"] / 3_600 == pytest.approx(row["watched_hours"], abs=0.01)
    elif name != "cases":
        total = record["figures"]["total"]
        assert total["machines_at_least"] == row["machines"]
        for key in ("power_watts", "energy_kwh", "projected_kwh"):
            assert total[key] == pytest.approx(figure(row[key])), key
        assert total["mining_seconds"] / 3_600 == pytest.approx(row["mining_hours"], rel=1e-3)


def test_cases_are_those_of_the_command_line_key_by_key(
    programs: Programs, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(desk.engine.url)
    assert main(["ledger", "list", "--all", "--json", "--ledger", url]) == 0
    printed = {case["case"]: case for case in json.loads(capsys.readouterr().out)["cases"]}
    records = walked(programs.of("lead"), f"{BASE}/cases?limit=2")
    assert {record["case"] for record in records} == set(printed)
    for record in records:
        its = printed[record["case"]]
        for name in ("grade", *OFFICERS):
            its.pop(name, None)
        assert record | {"overdue": None} == its | {"overdue": None}  # their clocks differ


def test_whose_an_address_is_and_its_findings_are_those_of_the_command_line(
    programs: Programs, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    program = programs.of("lead")
    assert main(["ledger", "show", "10.0.2.1", "--json", "--ledger", str(desk.engine.url)]) == 0
    printed = json.loads(capsys.readouterr().out)
    record = program.get(f"{BASE}/addresses/10.0.2.1").json()["record"]
    assert record["owners"] == printed["owners"]
    assert record["newest_findings"] == [finding["finding_id"] for finding in printed["findings"]]
    for finding in printed["findings"]:
        record = program.get(f"{BASE}/findings/{finding['finding_id']}").json()["record"]
        assert {key: record[key] for key in finding} == finding


def every_path(program: Any) -> list[str]:
    """A path of every route that a program may ask, with something behind it if there is anything."""
    found = [f"{BASE}{endpoint.path}" for endpoint in ENDPOINTS if "{" not in endpoint.path]
    for name in LISTS:
        for record in walked(program, f"{BASE}/{name}"):
            last = record["enterprise"]["enterprise_id"] if name == "enterprises" else IDENTITIES[name][1](record)
            found.append(f"{BASE}/{name}/{last}")
    return found


@pytest.mark.parametrize("who", ["lead", "officer", "reader"])
def test_every_answer_is_valid_against_its_schema(programs: Programs, who: str) -> None:
    document = json.loads(description())
    program = programs.of(who)
    tried = set()
    for path in [*every_path(program), f"{BASE}/findings/none", f"{BASE}/cases?x=1", f"{BASE}/figures?week=2026-W10"]:
        answer = program.get(path)
        route = next(key for key in document["paths"] if fits(key, path))
        content = document["paths"][route]["get"]["responses"][str(answer.status_code)]["content"]
        schema = content[answer.headers["content-type"]]["schema"]
        whole = {**schema, "components": document["components"]}
        Draft202012Validator(whole).validate(answer.json())
        tried.add(route)
    assert tried == set(document["paths"])


def fits(route: str, path: str) -> bool:
    """Whether a path is of a route."""
    ours, theirs = route.split("/"), path.partition("?")[0].split("/")
    return len(ours) == len(theirs) and all(
        a == b or a.startswith("{") for a, b in zip(ours, theirs, strict=True)
    )  # fmt: skip


def test_the_description_names_every_route_and_every_parameter_and_its_schemas_are_schemas() -> None:
    document = json.loads(description())
    assert document["openapi"] == "3.1.0"
    for endpoint in ENDPOINTS:
        operation = document["paths"][f"{BASE}{endpoint.path}"]["get"]
        queried = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
        assert queried == [parameter.name for parameter in endpoint.asked]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    named = json.dumps(document).split('"#/components/schemas/')[1:]
    assert {text.partition('"')[0] for text in named} <= set(document["components"]["schemas"])


def test_no_person_is_named_and_nobody_elses_record_is_there(programs: Programs) -> None:
    for who in ("lead", "officer", "reader"):
        program = programs.of(who)
        text = "".join(program.get(path).text for path in every_path(program))
        assert PERSONS_NAME not in text
        assert PERSONS_STREET not in text
        assert "individual" not in text or who != "officer"
    officer = programs.of("officer")
    text = "".join(officer.get(path).text for path in every_path(officer))
    assert not [foreign for foreign in FOREIGN if foreign in text]


def test_no_officer_is_named(programs: Programs) -> None:
    program = programs.of("lead")
    for path in every_path(program):
        for name in OFFICERS:
            assert f'"{name}":' not in program.get(path).text


def test_what_belongs_to_others_is_answered_as_what_does_not_exist(programs: Programs) -> None:
    everything, officer = every_path(programs.of("lead")), programs.of("officer")
    mine = set(every_path(officer))
    others = [path for path in everything if path not in mine]
    assert len(others) > 10
    for path in others:
        absent = path.rpartition("/")[0] + ("/999999" if path.rpartition("/")[2].isdigit() else "/none")
        if "/addresses/" in path:
            absent = f"{BASE}/addresses/203.0.113.250"
        answer, nothing = officer.get(path), officer.get(absent)
        assert (answer.status_code, answer.json()) == (404, nothing.json())


def test_a_token_sees_its_own_divisions_alone(programs: Programs) -> None:
    narrow = programs.client(programs.token("lead", divisions=frozenset({"320500"}))[1])
    officer = programs.of("officer")
    for path in every_path(officer):
        assert narrow.get(path).json() == officer.get(path).json(), path


def test_an_empty_list_says_why(programs: Programs) -> None:
    officer = programs.of("officer")
    for query, reason in (("division=320300", "not-yours"), ("name=nobody", "nothing-found"), ("", None)):
        assert officer.get(f"{BASE}/sites?{query}".rstrip("?")).json()["empty"] == reason
    answer = officer.get(f"{BASE}/sites?name=nobody&week=2023-W30").json()
    assert (answer["empty"], answer["basis"]["watched_seconds"]) == ("not-watched", 0)


def test_what_was_not_watched_is_null_and_what_was_is_a_count(programs: Programs) -> None:
    program = programs.of("officer")
    unwatched = program.get(f"{BASE}/figures?week=2023-W30").json()["record"]
    assert unwatched["addresses"] is None
    assert unwatched["figures"]["total"] is None
    watched = program.get(f"{BASE}/figures").json()["record"]
    assert watched["addresses"] == 2
    assert watched["figures"]["total"]["energy_kwh"]["low"] > 0
