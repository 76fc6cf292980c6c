"""Commands to cases in the ledger: one step of the history each, all or none, on both databases."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from sensor.cases import commands
from sensor.cases.commands import AssignCase, CaseCommand, ConcludeCase, MoveCase, NoteCase, RemoveFile, SetDue
from sensor.cases.states import CaseError, NoSuchCaseError
from sensor.ledger import Ledger
from sensor.ledger.casework import CaseClerk, changed_facts
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.read.lists.records import NOBODY, AskedCases
from sensor.ledger.store.attachments import AttachmentError, AttachmentFolder, attachments_folder
from sensor.ledger.store.database import writing
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.write.casework import MOST_FILES
from sensor.ledger.write.forget import ForgetSubject
from sensor.model.casework import FieldResult, FoundMachines
from sensor.model.scope import EVERYWHERE, Scope
from sensor.model.summary import Case
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned
from tests.ledger.servers import postgresql
from tests.ledger.test_read_only import BECOME, GROUP, READER, ROOT, SERVICE, left, root, service

RESULT = FieldResult((FoundMachines("asic", 540, "S19"), FoundMachines("gpu", None, "?")), None, 370_000.0)
DUE = MONDAY + 40 * DAY


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db"
        return
    with postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def ledger(url: str) -> Iterator[Ledger]:
    opened = Ledger.open(url)
    for number in range(1, 40):
        opened.record([mined(number, MONDAY, MONDAY + 5 * HOUR, 900, attribution=owned(number))], MONDAY)
    opened.add_coverage(MONDAY, MONDAY + DAY)
    yield opened
    opened.close()


@pytest.fixture
def clerk(url: str, tmp_path: Path) -> Iterator[CaseClerk]:
    made = CaseClerk.beside_readers(url, AttachmentFolder(tmp_path / "files"))
    yield made
    made.close()


NEXT = iter(range(1, 40))


@pytest.fixture
def number(ledger: Ledger) -> int:
    """A case that no other test has."""
    return ledger.reader.cases()[next(NEXT) % 39].case_id


def case_of(ledger: Ledger, number: int) -> Case:
    found = ledger.reader.case(number)
    assert found is not None
    return found


def test_every_command_is_a_step_with_who_and_when(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    given: list[CaseCommand] = [
        AssignCase("li", "yours"),
        SetDue(DUE),
        MoveCase("notified", "letter 12"),
        NoteCase("they called back"),
        SetDue(DUE + DAY, "holidays"),
        ConcludeCase("mine", ("power-cut",), RESULT, "visited"),
    ]
    for at, command in enumerate(given, 1):
        done = clerk.command(number, [command], "account:li", MONDAY + at * DAY, steps=at)
        assert (done.before.steps, done.after.steps) == (at, at + 1)
    case = case_of(ledger, number)
    kinds = ["move", "assign", "due", "move", "note", "due", "conclude"]
    assert [step.kind for step in case.changes] == kinds
    assert {step.who for step in case.changes[1:]} == {"account:li"}
    assert [step.why for step in case.changes[1:]] == [
        "yours",
        "",
        "letter 12",
        "they called back",
        "holidays",
        "visited",
    ]
    assert (case.state, case.due_ns, case.work.assignee) == ("notified", DUE + DAY, "li")
    assert (case.work.conclusion, case.work.measures, case.work.field_result) == ("mine", ("power-cut",), RESULT)
    earlier = ledger.reader.cases_of("10.0.0.1")
    assert number not in {each.case_id for each in earlier}
    before, after = changed_facts(done)
    assert (before, after) == ({"state": "notified", "conclusion": None}, {"state": "notified", "conclusion": "mine"})


def test_all_or_none(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    before = case_of(ledger, number)
    for given in ([NoteCase("x"), MoveCase("relapsed", "x")], [AssignCase("li"), SetDue(MONDAY - 1)], []):
        with pytest.raises(CaseError):
            clerk.command(number, given, "li", MONDAY)  # type: ignore[arg-type]
    assert case_of(ledger, number) == before


def test_who_read_an_older_case_changes_nothing(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    steps = len(case_of(ledger, number).changes)
    clerk.command(number, [NoteCase("first")], "li", MONDAY, steps=steps)
    with pytest.raises(CaseError, match="was changed since"):
        clerk.command(number, [MoveCase("notified", "second")], "wang", MONDAY, steps=steps)
    assert case_of(ledger, number).state == "new"


def test_of_many_at_once_one_is_first(ledger: Ledger, url: str, number: int) -> None:
    steps = len(case_of(ledger, number).changes)
    answers: list[str] = []

    def work(login: str) -> None:
        clerk = CaseClerk.beside_readers(url)
        try:
            clerk.command(number, [MoveCase("notified", login)], login, MONDAY, steps=steps)
            answers.append("done")
        except CaseError as error:
            answers.append(error.sentence)
        finally:
            clerk.close()

    threads = [threading.Thread(target=work, args=(f"li{each}",)) for each in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["done", *[commands.CHANGED_SINCE] * 5]
    assert len(case_of(ledger, number).changes) == steps + 1


def test_what_lies_elsewhere_is_not_there(clerk: CaseClerk, number: int) -> None:
    for scope, there in ((Scope(("3205",)), True), (Scope(("3203",)), False), (Scope(()), False), (EVERYWHERE, True)):
        if there:
            clerk.command(number, [NoteCase("x")], "li", MONDAY, scope=scope)
            continue
        with pytest.raises(NoSuchCaseError) as foreign:
            clerk.command(number, [NoteCase("x")], "li", MONDAY, scope=scope, steps=77)
        with pytest.raises(NoSuchCaseError) as absent:
            clerk.command(9_999, [NoteCase("x")], "li", MONDAY, scope=scope)
        assert str(foreign.value).replace(str(number), "") == str(absent.value).replace("9999", "")


def test_lists_know_whose_it_is_when_it_is_due_and_what_it_was(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    clerk.command(number, [AssignCase("zhou"), SetDue(MONDAY + DAY), ConcludeCase("household")], "li", MONDAY)
    reader = DeskReader(ledger.engine, EVERYWHERE)

    def listed(asked: AskedCases) -> list[int]:
        return [each.case_id for each in reader.cases(asked, ListCut())]

    assert listed(AskedCases(assignee="zhou")) == listed(AskedCases(conclusion="household")) == [number]
    assert number not in listed(AskedCases(assignee=NOBODY))
    assert listed(AskedCases(overdue_at_ns=MONDAY + 2 * DAY, assignee="zhou")) == [number]
    assert listed(AskedCases())[0] == number
    first = reader.cases(AskedCases(), ListCut(None, 1))[0]
    assert first.due_ns == MONDAY + DAY


def test_a_relapse_begins_a_new_round(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    subject = case_of(ledger, number)
    mine = next(
        each for each in range(1, 40) if subject.enterprise and subject.enterprise.enterprise_id == f"name:{each}"
    )
    clerk.command(number, [AssignCase("qian"), ConcludeCase("mine", ("promise",), RESULT)], "li", MONDAY + DAY)
    clerk.command(number, [MoveCase("closed", "gone")], "li", MONDAY + DAY)
    again = mined(mine, MONDAY, MONDAY + 9 * DAY, 9_000, attribution=owned(mine))
    ledger.record([again], MONDAY + 9 * DAY)
    case = case_of(ledger, number)
    assert (case.state, case.work.assignee, case.work.conclusion, case.work.field_result) == (
        "relapsed",
        "qian",
        None,
        None,
    )
    assert any(step.kind == "conclude" and step.details for step in case.changes)
    reader = DeskReader(ledger.engine, EVERYWHERE)
    assert number not in [each.case_id for each in reader.cases(AskedCases(conclusion="mine"), ListCut())]
    past = [each for each in ledger.reader.summary(MONDAY, MONDAY + 2 * DAY).cases if each.case_id == number]
    assert (past[0].state, past[0].work.conclusion) == ("closed", "mine")


def test_files_are_by_their_hash_bounded_and_leave_a_row(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    assert clerk.files is not None
    done = clerk.attach(number, b"letter", "../../etc/passwd\0.html", "li", MONDAY + DAY, why="as sent")
    (file,) = done.after.attachments
    assert (file.number, file.name, file.kind, file.size_bytes) == (1, "passwd·.html", "text", 6)
    assert [each.name for each in clerk.files.path.iterdir()] == [file.sha256]
    with pytest.raises(CaseError, match="attached already"):
        clerk.attach(number, b"letter", "other.txt", "li", MONDAY + DAY)
    with pytest.raises(CaseError, match="none of these"):
        clerk.attach(number, b"<svg onload=x>", "a.pdf", "li", MONDAY + DAY)
    other = next(each.case_id for each in ledger.reader.cases() if each.case_id != number)
    clerk.attach(other, b"letter", "same.txt", "li", MONDAY + DAY)
    clerk.command(number, [RemoveFile(1, "the wrong one")], "chen", MONDAY + 2 * DAY)
    assert clerk.files.read(file.sha256) == b"letter"  # another case has it
    clerk.command(other, [RemoveFile(len(ledger.reader.attachments(other)), "too")], "chen", MONDAY + 2 * DAY)
    assert list(clerk.files.path.iterdir()) == []
    (gone,) = ledger.reader.attachments(number)
    assert (gone.removed_by, gone.removed_why, gone.sha256) == ("chen", "the wrong one", file.sha256)
    with pytest.raises(CaseError, match="no attachment 1"):
        clerk.command(number, [RemoveFile(1, "again")], "chen", MONDAY + 2 * DAY)


def test_a_case_takes_so_many_files_and_no_more(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    for at in range(MOST_FILES):
        clerk.attach(number, f"file {at}".encode(), f"{at}.txt", "li", MONDAY)
    for at in range(3):
        with pytest.raises(CaseError, match=f"at most {MOST_FILES}"):
            clerk.attach(number, f"more {at}".encode(), "x.txt", "li", MONDAY)
    assert clerk.files is not None
    assert len(ledger.reader.attachments(number)) == MOST_FILES == len(list(clerk.files.path.iterdir()))


def test_what_is_forgotten_takes_its_files_and_words_with_it(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    done = clerk.attach(number, b"holder's letter", "Mr Li.txt", "li", MONDAY)
    clerk.command(number, [ConcludeCase("mine", (), RESULT)], "li", MONDAY)
    enterprise = case_of(ledger, number).enterprise
    assert enterprise is not None
    ledger.forget(ForgetSubject(enterprise_id=enterprise.enterprise_id), MONDAY + DAY)
    # the process dies here; another one comes to it
    assert clerk.files is not None
    assert [path.name for path in clerk.files.path.iterdir()] == [done.after.attachments[0].sha256]
    assert clerk.drop_left_over() == 1
    assert not list(clerk.files.path.iterdir())
    assert {each.sha256 for each in ledger.reader.attachments(number)} == {""}
    assert clerk.drop_left_over() == 0
    case = case_of(ledger, number)
    assert case.work.conclusion is None
    assert all(step.details is None for step in case.changes)
    assert {each.name for each in ledger.reader.attachments(number)} == {"(forgotten)"}


def test_another_file_in_its_place_is_not_handed_out(tmp_path: Path) -> None:
    files = AttachmentFolder(tmp_path / "files")
    digest = files.store(b"a letter")
    assert oct((tmp_path / "files").stat().st_mode)[-3:] == "700"
    assert oct((tmp_path / "files" / digest).stat().st_mode)[-3:] == "600"
    (tmp_path / "files" / digest).write_bytes(b"another")
    with pytest.raises(AttachmentError, match="not what was attached"):
        files.read(digest)
    assert files.store(b"a letter") == digest  # mended
    assert files.read(digest) == b"a letter"
    for strange in ("../ledger.db", "", "a" * 64 + "/", digest.upper(), "..", "\0"):
        with pytest.raises(AttachmentError):
            files.read(strange)
    (tmp_path / "files" / ".incoming-x").write_bytes(b"half")
    (tmp_path / "files" / "notes").write_bytes(b"not ours")
    assert files.sweep() == 0
    assert files.sweep(time.time() + 9_999) == 1
    assert sorted(each.name for each in (tmp_path / "files").iterdir()) == sorted([digest, "notes"])


def test_files_are_beside_the_ledger_or_where_is_said() -> None:
    assert attachments_folder("sqlite:////srv/ledger.db") == Path("/srv/ledger.db.attachments")
    assert attachments_folder("postgresql+psycopg://minewatch@/ledger") is None
    assert attachments_folder("postgresql+psycopg://minewatch@/ledger", "/srv/files") == Path("/srv/files")


def test_a_locked_ledger_is_waited_for_a_bounded_time(ledger: Ledger, clerk: CaseClerk, number: int) -> None:
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(ledger.engine) as connection:
            connection.execute(text("UPDATE cases SET last_ns = last_ns"))
            held.set()
            free.wait(40)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    began = time.monotonic()
    with pytest.raises(LedgerError) as error:
        clerk.command(number, [NoteCase("x")], "li", MONDAY)
    waited = time.monotonic() - began
    free.set()
    thread.join()
    assert error.value.fault == "locked"
    assert 2.0 < waited < 12.0
    clerk.command(number, [NoteCase("x")], "li", MONDAY)


#: A user who is only in the service's group asks whether cases can be written, and tries it.
MEMBER_PROGRAM = f"""{BECOME}
from sensor.cases.commands import NoteCase
from sensor.ledger.casework import CaseClerk
from sensor.ledger.store.errors import LedgerError
url = sys.argv[1]
become({READER}, {READER}, {GROUP})
clerk = CaseClerk.beside_readers(url)
print(clerk.refusal())
try:
    clerk.command(1, [NoteCase("x")], "li", 1)
except LedgerError as error:
    print(error)
"""


@contextlib.contextmanager
def services_folder() -> Iterator[Path]:
    """A service's folder that its group may write, where everybody may pass."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "state"
        folder.mkdir()
        os.chown(folder, SERVICE, GROUP)
        folder.chmod(0o2770)
        yield folder


@root
def test_who_may_only_read_is_told_so_and_what_root_writes_is_the_services() -> None:
    with services_folder() as folder:
        url = f"sqlite:///{folder}/ledger.db"
        with service(url) as process:
            for running in (True, False):
                if not running:
                    process.communicate("", 20)
                before = left(folder)
                words = [sys.executable, "-c", MEMBER_PROGRAM, url]
                done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
                assert done.stdout.count("no permission to write") == 2, done.stderr
                assert left(folder) == before
        clerk = CaseClerk.beside_readers(url, AttachmentFolder(folder / "ledger.db.attachments"))
        clerk.attach(1, b"letter", "a.txt", "li", MONDAY)
        assert set(left(folder)) == {"ledger.db", "ledger.db.attachments"}
        for path in (folder, folder / "ledger.db.attachments"):
            assert {owner for owner, _mode in left(path).values()} == {SERVICE}
        with service(url, 2):
            pass


def test_a_write_leaves_a_stopped_ledger_as_readers_want_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    opened = Ledger.open(url)
    opened.record([mined(1, MONDAY, MONDAY + 5 * HOUR, 900, attribution=owned(1))], MONDAY)
    opened.close()
    CaseClerk.beside_readers(url).command(1, [NoteCase("x")], "li", MONDAY)
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.db"]
    reader = Ledger.open_to_read(url)
    assert len(case_of(reader, 1).changes) == 2
    reader.close()


def test_another_releases_schema_is_not_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger.open(url).close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    with pytest.raises(LedgerError, match="another release"):
        CaseClerk.beside_readers(url).command(1, [NoteCase("x")], "li", MONDAY)
