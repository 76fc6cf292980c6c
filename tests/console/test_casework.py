"""Cases are worked on in the browser: allowed moves alone, by those who may, once, and with the same history as the
command line writes."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from exporters.forms.documents.translations import catalogue
from sensor.cases import states
from sensor.cases.vocabulary import CONCLUSION_NAMES, MACHINE_NAMES, MEASURE_NAMES
from sensor.cli.main import main
from sensor.console.casework.forms import ACTIONS
from sensor.console.casework.sentences import CONCLUSION_TITLES, MACHINE_TITLES, MEASURE_TITLES, REFUSALS
from sensor.ledger import Ledger
from sensor.ledger.store.database import writing
from sensor.model.casework import FieldResult, FoundMachines
from sensor.model.summary import Change
from tests.console.workers import OWN, CaseRoom, case_room
from tests.ledger.mining import DAY
from tests.ledger.servers import postgresql
from tests.people.desk import audited

ROOT = Path(__file__).parents[2]
FIELDS: dict[str, dict[str, str]] = {
    "move": {"state": "notified", "why": "letter"},
    "note": {"why": "they called"},
    "due": {"due": "2023-12-24"},
    "assign": {"assignee": "li"},
    "conclude": {"conclusion": "household", "hours": "0"},
}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseRoom]:
    folder = tmp_path_factory.mktemp("room")
    with case_room(f"sqlite:///{folder}/ledger.db", folder) as opened_room:
        yield opened_room


@pytest.fixture(scope="module")
def workers(room: CaseRoom) -> Any:
    """A browser of each account, and what a form of it would say."""
    return {login: room.worker(login) for login in ("root", "zhao", "sun", "li", "qian", "xu", "chen", "hu")}


def put_back(room: CaseRoom, number: int, state: states.State = "new") -> None:
    """A case as it was when it was opened, but in this state."""
    with writing(room.engine) as connection:
        its = {"number": number, "state": state}
        connection.execute(
            text(
                "DELETE FROM changes WHERE case_id = :number AND change_id > "
                "(SELECT MIN(change_id) FROM changes WHERE case_id = :number)"
            ),
            its,
        )
        connection.execute(text("DELETE FROM attachments WHERE case_id = :number"), its)
        connection.execute(text("UPDATE changes SET state = :state WHERE case_id = :number"), its)
        columns = "state = :state, assignee = NULL, own_due_ns = NULL, conclusion = NULL"
        connection.execute(text(f"UPDATE cases SET {columns} WHERE case_id = :number"), its)


def refusal(answer: Any) -> str:
    """What a page says of the form that was not done."""
    found = re.search(r'<p class="refused" role="alert">([^<]*)</p>', answer.text)
    return html.unescape(found[1]) if found else ""


@pytest.mark.parametrize("before", states.STATES)
def test_the_moves_offered_are_the_moves_taken_and_no_others_are(
    room: CaseRoom, workers: Any, before: states.State
) -> None:
    put_back(room, 1, before)
    for login, works in (("li", True), ("chen", True), ("sun", False)):
        page = workers[login].get("/cases/1").text
        form = re.search(r'<select id="f-move-state"[^>]*>(.*?)</select>', page, re.DOTALL)
        offered = re.findall(r'<option value="([\w-]+)"', form[1]) if form else []
        assert tuple(offered) == (states.FOLLOWS[before] if works else ())
    for after in states.STATES:
        answer = workers["li"].fill_in("/cases/1/move", state=after, why="x", steps=room.steps(1))
        assert (answer.status_code == 303) == (after in states.FOLLOWS[before]), after
        assert (room.case(1).state == after) == (after in states.FOLLOWS[before] or after == before)
        put_back(room, 1, before)


@pytest.mark.parametrize("action", [*ACTIONS, "attachments", "attachments/remove", "bulk", "download"])
def test_who_may_not_work_on_a_case_changes_nothing_on_any_route(room: CaseRoom, workers: Any, action: str) -> None:
    """Role by route by object. A foreign case is answered as one that is not there."""
    put_back(room, 1)
    room.clerk.attach(1, b"a letter", "letter.txt", "account:li", room.now_ns)
    before = room.case(1)
    answers: dict[str, tuple[int, str]] = {}
    for login, browser in workers.items():
        for number in ("1", "4", "999"):
            if login in ("li", "qian", "chen") and number == "1":
                continue
            if login == "hu" and number == "4":
                continue
            if action == "attachments":
                answer = browser.upload(f"/cases/{number}/attachments", b"x", steps="2")
            elif action == "download":
                answer = browser.get(f"/cases/{number}/attachments/1")
            elif action == "bulk":
                answer = browser.fill_in("/cases", do="note", why="x", **{f"case-{number}": "2"})
            else:
                fields = FIELDS.get(action, {"number": "1", "why": "x"})
                answer = browser.fill_in(f"/cases/{number}/{action}", steps="2", **fields)
            body = re.sub(r"\b(999|4|1)\b", "N", answer.text)
            answers[f"{login} {number}"] = (answer.status_code, body)
    for login in ("root", "zhao", "sun"):
        assert {answers[f"{login} {number}"][0] for number in ("1", "4", "999")} == {403}, login
    for login, foreign in (("li", "4"), ("chen", "4"), ("xu", "1"), ("hu", "1")):
        status, body = answers[f"{login} {foreign}"]
        lead_alone = action == "attachments/remove" and login in ("li", "xu")
        assert status == (403 if lead_alone else 200 if action == "bulk" else 404), login
        assert body == answers[f"{login} 999"][1], login
    assert room.case(1) == before
    assert len(room.ledger.reader.attachments(1)) == 1


def test_a_form_counts_only_with_its_token_from_its_own_page(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)
    li, before = workers["li"], room.case(1)
    for headers in (
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
    ):
        assert li.fill_in("/cases/1/note", headers=headers, why="x", steps="1").status_code == 403
        assert li.fill_in("/cases", headers=headers, do="note", why="x", **{"case-1": "1"}).status_code == 403
    for token in ("", "0" * 64, workers["qian"].token):
        fields = {"token": token, "why": "x", "steps": "1"}
        assert li.post("/cases/1/note", data=fields, headers=OWN).status_code == 403
        files = {"file": ("a.txt", b"x")}
        assert li.post("/cases/1/attachments", data=fields, files=files, headers=OWN).status_code == 403
    assert li.fill_in("/cases/1/note", why="x", steps="1", role="lead").status_code == 400
    assert li.get("/cases/1/note").status_code in (404, 405)
    assert room.case(1) == before


def test_a_form_of_an_older_page_is_refused_and_nothing_typed_is_lost(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)
    assert workers["li"].fill_in("/cases/1/note", why="first", steps="1").status_code == 303
    for action, fields in FIELDS.items():
        answer = workers["qian"].fill_in(f"/cases/1/{action}", steps="1", **{**fields, "why": "<b>typed & kept</b>"})
        if action == "assign":  # to somebody else: that is refused whatever the page
            continue
        assert answer.status_code == 409, action
        assert "was changed since this page was read" in refusal(answer)
        assert "&lt;b&gt;typed &amp; kept&lt;/b&gt;</textarea>" in answer.text
        assert 'name="steps" value="2"' in answer.text
    for steps in ("", "x", "-1", "1" * 30, "2 "):
        assert workers["qian"].fill_in("/cases/1/note", why="x", steps=steps).status_code == 409
    assert len(room.case(1).changes) == 2


def test_what_fits_the_field_of_a_browser_is_taken_whatever_ends_its_lines(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)
    lines = "\r\n".join(["seven c"] * 250)  # 1,999 characters as a browser counts them, 2,248 as it sends them
    assert workers["li"].fill_in("/cases/1/note", why=lines, steps="1").status_code == 303
    assert workers["li"].upload("/cases/1/attachments", b"a letter", why=lines, steps="2").status_code == 303
    assert workers["li"].fill_in("/cases/1/note", why=lines + "xx", steps="3").status_code == 400
    assert len(room.case(1).changes) == 3


def test_an_officer_takes_a_case_and_a_lead_assigns_it(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)

    def assigned(login: str, to: str) -> tuple[int, str]:
        answer = workers[login].fill_in("/cases/1/assign", assignee=to, steps=room.steps(1))
        return answer.status_code, refusal(answer)

    assert assigned("li", "qian")[1].startswith("Only a lead")
    assert assigned("li", "li")[0] == 303
    assert assigned("qian", "")[1].startswith("Only a lead")
    assert "Give it up" in workers["li"].get("/cases/1").text
    assert "Take it" in workers["qian"].get("/cases/1").text
    for nobody in ("xu", "sun", "zhao", "root", "nobody-there", "hu"):
        assert assigned("chen", nobody) == (400, f"There is no account {nobody} that could take this case")
    page = workers["chen"].get("/cases/1").text
    offered = re.findall(
        r'<option value="(\w*)"', re.findall(r'id="f-assign-assignee".*?</select>', page, re.DOTALL)[0]
    )
    assert offered == ["", "chen", "qian"]
    assert assigned("chen", "qian")[0] == 303
    assert room.case(1).work.assignee == "qian"
    assert assigned("qian", "")[0] == 303
    listed = {
        login: re.findall(r'href="/cases/(\d+)"', workers["chen"].get(f"/cases?assigned={login}").text)
        for login in ("me", "nobody", "qian")
    }
    assert listed["me"] == listed["qian"] == []
    assert "1" in listed["nobody"]
    workers["qian"].fill_in("/cases/1/assign", assignee="qian", steps=room.steps(1))
    assert re.findall(r'href="/cases/(\d+)"', workers["qian"].get("/cases?assigned=me").text) == ["1"]
    assert "Open cases that are assigned to you" in workers["qian"].get("/overview").text
    assert "Open cases that are assigned to you" not in workers["li"].get("/overview").text
    assert workers["li"].get("/cases?assigned=%0a").status_code == 400


def test_what_is_not_known_is_not_nought_and_stands_beside_the_estimate(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)
    li = workers["li"]
    assert "Field result beside the estimate" not in li.get("/cases/1").text
    fields = {
        "conclusion": "mine",
        "measure-power-cut": "yes",
        "count-asic": "540",
        "model-asic": "S19 <x>",
        "count-gpu": "0",
    }
    answer = li.fill_in("/cases/1/conclude", steps="1", **fields, hours="", kwh="")
    assert answer.status_code == 303
    found = (FoundMachines("asic", 540, "S19 <x>"), FoundMachines("gpu", 0))
    assert room.case(1).work.field_result == FieldResult(found, None, None)
    page = li.get("/cases/1").text
    assert "ASICs 540 (S19 &lt;x&gt;), machines with graphics cards 0" in page
    row = re.search(r"<th[^>]*>Electricity, as metered</th>(.*?)</tr>", page, re.DOTALL) or re.search(
        r"Electricity, as metered(.*?)</tr>", page, re.DOTALL
    )
    assert row
    assert row[1].count("unknown") == 2
    answer = li.fill_in("/cases/1/conclude", steps="2", **fields, hours="1,300", kwh="370,000")
    assert answer.status_code == 303
    page = li.get("/cases/1").text
    assert "370,000 kWh" in page
    assert "285 kW" in page
    assert re.search(r"kWh in as many hours", page)
    exported = li.get("/cases?conclusion=mine&format=csv").content.decode("utf-8-sig").splitlines()
    assert len(exported) == 2
    assert "industrial mine" in exported[1]
    assert exported[1].endswith('"ASICs 540 (S19 <x>), machines with graphics cards 0",1300,370000')
    everything = dict(re.findall(r'<input[^>]*name="([\w-]+)"[^>]*value="([^"]*)"', page))
    assert everything["count-asic"] == "540"
    assert everything["count-cpu"] == ""


@pytest.mark.parametrize(
    ("action", "fields", "sentence"),
    [
        ("move", {"state": "solved", "why": "x"}, "'solved' is no state of a case"),
        ("move", {"state": "notified", "why": "  "}, "Say what was found or done"),
        ("move", {"state": "relapsed", "why": "x"}, "A case that is new cannot go to relapsed"),
        ("note", {"why": "a\x00b"}, "The text has characters that do not print"),
        ("due", {"due": "2023-01-01"}, "A due date lies ahead"),
        ("due", {"due": "2029-01-01"}, "at most two years ahead"),
        ("due", {"due": "soon"}, "'soon' is no date"),
        ("due", {"due": ""}, "The case has no due date of its own"),
        ("conclude", {}, "Say a conclusion, a measure or what was found"),
        ("conclude", {"conclusion": "guilty"}, "'guilty' is no conclusion"),
        ("conclude", {"measure-none": "yes", "measure-promise": "yes"}, "No measure was taken, or there was one"),
        ("conclude", {"count-asic": "-1"}, "'-1' is no number of machines"),
        ("conclude", {"count-asic": "9999999"}, "Machines are counted from 0 to 1,000,000"),
        ("conclude", {"hours": "1e9"}, "'1e9' is no number"),
        ("conclude", {"kwh": "99999999999"}, "Kilowatt-hours lie between 0 and"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    room: CaseRoom, workers: Any, action: str, fields: dict[str, str], sentence: str
) -> None:
    put_back(room, 1)
    answer = workers["li"].fill_in(f"/cases/1/{action}", steps="1", **{"why": "kept", **fields})
    assert answer.status_code == 400
    assert sentence in refusal(answer)
    if "why" not in fields:
        assert ">kept</textarea>" in answer.text
    for name, typed in fields.items():
        if name in ("due", "hours", "kwh", "count-asic"):
            assert f'value="{typed}"' in answer.text
    assert len(room.case(1).changes) == 1


def test_several_at_once_are_as_one_by_one(room: CaseRoom, workers: Any) -> None:
    for number in (1, 2):
        put_back(room, number)
    chosen = {"case-1": "1", "case-2": "1", "case-4": "1", "case-999": "1"}
    workers["chen"].fill_in("/cases/2/note", why="meanwhile", steps="1")
    answer = workers["chen"].fill_in("/cases", do="move-notified", why="one letter", back="/cases?state=new", **chosen)
    assert answer.status_code == 200
    assert "1 cases done, 3 not done" in answer.text
    assert 'href="/cases?state=new"' in answer.text
    assert answer.text.count("There is no such case, or it is not yours to see.") == 2
    assert "was changed since this page was read" in answer.text
    together = room.case(1)
    put_back(room, 1)
    workers["chen"].fill_in("/cases/1/move", state="notified", why="one letter", steps="1")
    alone = room.case(1)
    assert together.changes == alone.changes
    assert (together.state, together.due_ns) == (alone.state, alone.due_ns)
    assert room.case(2).state == "new"
    for do, to, state in (("take", "", "chen"), ("assign", "li", "li"), ("assign", "", None)):
        workers["chen"].fill_in("/cases", do=do, to=to, **{"case-1": room.steps(1)})
        assert room.case(1).work.assignee == state
    assert "Only a lead" in workers["li"].fill_in("/cases", do="assign", to="qian", **{"case-1": room.steps(1)}).text


def test_what_is_no_form_of_several_is_refused(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)
    chen = workers["chen"]
    many = {f"case-{number}": "1" for number in range(1, 102)}
    for fields in (
        {},
        many,
        {"case-x": "1"},
        {"case-1": "x"},
        {"case-1": "1", "do": "delete"},
        {"case-1": "1", "do": "move-new"},
    ):
        answer = chen.fill_in("/cases", **{"do": "note", "why": "x", **fields})
        assert answer.status_code == 400, fields
    for back in ("https://evil.example/", "//evil.example", '/cases?x="><script>', "javascript:alert(1)", "/people"):
        page = chen.fill_in("/cases", do="note", why="x", back=back, **{"case-1": room.steps(1)}).text
        assert "evil" not in page
        assert 'href="/cases"' in page
    assert room.case(1).state == "new"


def test_who_reads_has_no_boxes_and_no_forms(workers: Any) -> None:
    for path in ("/cases", "/cases/1"):
        assert "<textarea" in workers["li"].get(path).text
        assert "<textarea" not in workers["sun"].get(path).text
        assert 'type="checkbox"' not in workers["sun"].get(path).text


def test_a_locked_ledger_is_said_and_nothing_typed_is_lost(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)
    writer = Ledger.open(str(room.ledger.engine.url.render_as_string(hide_password=False)))
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(writer.engine) as connection:
            connection.execute(text("UPDATE cases SET last_ns = last_ns"))
            held.set()
            free.wait(40)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    answer = workers["li"].fill_in("/cases/1/note", why="typed", steps="1")
    free.set()
    thread.join()
    writer.close()
    assert (answer.status_code, ">typed</textarea>" in answer.text) == (503, True)
    assert "nothing was changed" in refusal(answer)
    assert len(room.case(1).changes) == 1


def test_who_may_not_write_the_ledger_reads_and_is_told_so(
    room: CaseRoom, workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(room.clerk), "refusal", lambda _clerk: "no permission")
    page = workers["li"].get("/cases/1").text
    assert "cases are only read here" in page
    assert "<textarea" not in page
    assert "<textarea" not in workers["li"].get("/cases").text
    assert workers["li"].fill_in("/cases/1/note", why="x", steps="1").status_code == 503


def test_every_change_has_its_rows_in_the_audit(room: CaseRoom, workers: Any, tmp_path: Path) -> None:
    put_back(room, 1)
    place = f"sqlite:///{room.clerk.files.path.parent}/beside.db" if room.clerk.files else str(tmp_path)
    before = len(audited(place))
    workers["li"].fill_in("/cases/1/assign", assignee="li", steps="1")
    workers["li"].fill_in("/cases/1/move", state="relapsed", why="x", steps="2")
    rows = [row for row in audited(place)[before:] if row["kind"] == "change"]
    assert [(row["action"], row["phase"], row["objects"]) for row in rows] == [
        ("case.assign", "asked", ["case:1"]),
        ("case.assign", "done", ["case:1"]),
        ("case.set", "asked", ["case:1"]),
        ("case.set", "failed", ["case:1"]),
    ]
    assert {row["actor"]["account"] for row in rows} == {"li"}
    assert rows[1]["after"]["assignee"] == "li"


def plain(change: Change) -> tuple[object, ...]:
    return change.state, change.kind, change.why, change.details


def test_command_line_and_console_write_the_same_history(
    room: CaseRoom, workers: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_back(room, 1)
    url = str(room.ledger.engine.url)
    (tmp_path / "a.txt").write_bytes(b"a letter")
    fields = {
        "conclusion": "mine",
        "measure-promise": "yes",
        "count-asic": "5",
        "model-asic": "S9",
        "hours": "10",
        "kwh": "",
    }
    forms: tuple[tuple[str, dict[str, str]], ...] = (
        ("note", {"why": "seen"}),
        ("move", {"state": "under-check", "why": "on the way"}),
        ("conclude", {**fields, "why": "visited"}),
        ("remove", {"number": "1", "why": "wrong"}),
    )
    assert workers["chen"].upload("/cases/1/attachments", b"a letter", "a.txt", steps="1").status_code == 303
    for action, values in forms:
        path = "attachments/remove" if action == "remove" else action
        assert workers["chen"].fill_in(f"/cases/1/{path}", steps=room.steps(1), **values).status_code == 303
    browser = [plain(change) for change in room.case(1).changes]
    put_back(room, 1)
    for words in (
        ("--attach", str(tmp_path / "a.txt")),
        ("--why", "seen"),
        ("under-check", "--why", "on the way"),
        (
            "--conclusion",
            "mine",
            "--measure",
            "promise",
            "--machines",
            "asic=5:S9",
            "--hours",
            "10",
            "--why",
            "visited",
        ),
        ("--remove", "1", "--why", "wrong"),
    ):
        folder = str(room.clerk.files.path) if room.clerk.files else ""
        assert main(["ledger", "set", "1", *words, "--ledger", url, "--set", f"ledger.attachments={folder}"]) == 0, (
            words
        )
    capsys.readouterr()
    assert [plain(change) for change in room.case(1).changes] == browser


def test_every_refusal_can_be_said_in_both_languages_and_fixed_words_are_the_same() -> None:
    found = set()
    sources = [*(ROOT / "sensor/cases").glob("*.py"), ROOT / "sensor/ledger/write/casework.py"]
    for path in [*sources, ROOT / "sensor/ledger/casework.py", ROOT / "sensor/people/assignment.py"]:
        found |= set(re.findall(r'^[A-Z_]+ = "([a-z{][^"]* [^"]*)"$', path.read_text(encoding="utf-8"), re.MULTILINE))
    assert found == set(REFUSALS)
    chinese = {**catalogue("zh"), **catalogue("zh", "sensor.console")}
    for titles, names in (
        (CONCLUSION_TITLES, CONCLUSION_NAMES), (MEASURE_TITLES, MEASURE_NAMES), (MACHINE_TITLES, MACHINE_NAMES),
    ):  # fmt: skip
        assert {key: (chinese[title], title) for key, title in titles.items()} == names


def test_both_databases_take_the_same_forms_and_show_the_same(tmp_path: Path) -> None:
    """One after the other, each step of a case, an export and several at once."""
    seen: list[list[object]] = []
    with postgresql() as server:
        for name, url in (("small", f"sqlite:///{tmp_path}/ledger.db"), ("large", server)):
            (tmp_path / name).mkdir()
            with case_room(url, tmp_path / name, (0, 1, 2)) as one_room:
                chen, answers = one_room.worker("chen"), []
                for action, fields in [*FIELDS.items(), ("move", {"state": "relapsed", "why": "x"})]:
                    fields = {**fields, "why": fields.get("why", "x")}
                    answer = chen.fill_in(f"/cases/1/{action}", steps=one_room.steps(1), **fields)
                    answers.append((answer.status_code, refusal(answer)))
                answer = chen.upload("/cases/1/attachments", b"letter", "a.txt", steps=one_room.steps(1))
                answers.append((answer.status_code, chen.get("/cases/1/attachments/1").content))
                several = {f"case-{number}": one_room.steps(number) for number in (1, 2, 3)}
                pages = [chen.fill_in("/cases", do="move-under-check", why="x", **several).text]
                pages += [
                    chen.get(path).text for path in ("/cases/1", "/cases?assigned=li", "/cases?format=csv", "/overview")
                ]
                hidden = re.compile(r'name="token" value="\w+"')
                seen.append([*answers, *(hidden.sub("", page) for page in pages), one_room.case(1)])
    assert seen[0] == seen[1]


def test_a_due_date_of_ones_own_is_shown_and_ends_with_its_step(room: CaseRoom, workers: Any) -> None:
    put_back(room, 1)
    assert workers["li"].fill_in("/cases/1/due", due="2023-12-24", steps="1").status_code == 303
    page = workers["li"].get("/cases/1").text
    assert "2023-12-24 23:59, a date of its own" in page
    assert 'type="date" value="2023-12-24"' in page.replace('name="due" ', "")
    assert room.case(1).overdue(room.now_ns + 40 * DAY)
    workers["li"].fill_in("/cases/1/move", state="notified", why="x", steps="2")
    assert room.case(1).work.own_due_ns is None
    assert "Next step due on 2023-12-24." in workers["li"].get("/cases/1").text
