"""Persons stand in no list unless asked for, and what is to be forgotten is gone: from every table of the ledger, on
SQLite and PostgreSQL, while the figures of past periods stay."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, select

from sensor.cli.main import main
from sensor.daemon.upkeep import LedgerUpkeep
from sensor.ledger import Ledger, LedgerBounds, LedgerError, LedgerLease
from sensor.ledger.casework import CaseClerk
from sensor.ledger.store.attachments import AttachmentFolder
from sensor.ledger.store.schema import METADATA
from sensor.ledger.write.forget import ForgetError, ForgetSubject
from sensor.model.attribution import Attribution, Claim, Enterprise, Site
from tests.ledger.made import BEGAN
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned, told
from tests.ledger.servers import postgresql
from tests.ledger.test_lease import HERE, Clock, acquire

NAME, STREET, IDENTITY = "张三丰", "平江路七号", "name:0123456789abcdef"
PERSON = Enterprise(IDENTITY, NAME, None, "individual")
HOME = Site(STREET, "320508", "江苏省苏州市姑苏区")
ADDRESS, OTHER = "10.0.9.1", "10.0.91.1"
SECRETS = (NAME, STREET, IDENTITY)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    whole = request.getfixturevalue("server")
    yield whole
    engine = create_engine(whole)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()


def at_home(address: str) -> Attribution:
    claim = Claim("inventory", "book.csv:2", None, 0.9, "10.0.9.0/28", "answer", f"{NAME} leases it", PERSON, HOME)
    return Attribution(address, None, BEGAN, "named", PERSON, HOME, (claim,), (f"the book names {NAME}",))


def disputed(address: str) -> Attribution:
    """Two books disagree; one of them names the person."""
    answer = at_home(address)
    other = dataclasses.replace(answer.claims[0], enterprise=Enterprise("name:ffff", "企业9", None, "enterprise"))
    return dataclasses.replace(answer, result="conflict", enterprise=None, site=None, claims=(*answer.claims, other))


def filled(url: str) -> Ledger:
    ledger = Ledger.open(url)
    ledger.outbox.subscribe(["eve"])
    ledger.add_coverage(MONDAY, MONDAY + DAY)
    for number, (address, answer) in enumerate(
        ((ADDRESS, at_home(ADDRESS)), (OTHER, owned(2)), ("10.0.3.1", disputed("10.0.3.1")), ("10.0.4.1", None)), 1
    ):
        found = list(told(number, MONDAY, MONDAY + 5 * HOUR, HOUR, 20, attribution=answer, miner=address))
        ledger.record([dataclasses.replace(one, state="closed") for one in found[-1:]], MONDAY + DAY)
    return ledger


def everything(url: str) -> str:
    """All text of all tables; what is compressed is unpacked."""
    from sensor.ledger.store.records import loads

    engine, text = create_engine(url), io.StringIO()
    with engine.connect() as connection:
        for table in METADATA.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    packed = isinstance(value, str) and value.startswith("zlib64:") and name == "record"
                    text.write(f"{loads(value) if packed and table.name != 'connections' else value}\n")
    engine.dispose()
    return text.getvalue().encode().decode("unicode_escape", "replace") + text.getvalue()


def plain(out: str) -> str:
    """Output with its JSON's escapes as text."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), out)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", "list"),
        ("ledger", "show", "1"),
        ("ledger", "show", ADDRESS),
        ("ledger", "export", "--format", "csv"),
        ("ledger", "export", "--format", "json"),
        ("ledger", "export", "--format", "stix"),
        ("explain", ADDRESS, "-q"),
        ("bulletin", "--week", "2023-W47", "--lang", "zh", "--format", "csv"),
        ("bulletin", "--week", "2023-W47", "--lang", "en", "--format", "json"),
    ],
)
def test_no_list_names_a_person(tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = filled(url)
    ledger.set_case(1, "notified", MONDAY + DAY, who="desk", why=f"letter to {NAME}, {STREET}")
    ledger.close()
    code, out, _ = said(capsys, *words, "--set", f"ledger.url={url}")
    assert code == 0
    assert not [secret for secret in (NAME, STREET, "姑苏") if secret in plain(out)]
    if words[0] == "ledger" and "stix" not in words:
        _, out, _ = said(capsys, *words, "--set", f"ledger.url={url}", "--persons")
        assert NAME in plain(out)


def test_a_false_alarm_about_a_person_is_an_entry_by_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    filled(url).close()
    _, out, _ = said(capsys, "ledger", "set", "1", "false-alarm", "--why", "a lesson", "--ledger", url)
    (entry,) = yaml.safe_load(out.partition("\n\n")[2])["findings"]["allow"]
    assert entry["network"] == ADDRESS
    assert NAME not in out


@pytest.mark.parametrize(
    "subject", [ForgetSubject(enterprise_id=IDENTITY), ForgetSubject(address=ADDRESS)], ids=["person", "address"]
)
def test_what_is_forgotten_is_in_no_table_and_figures_stay(url: str, subject: ForgetSubject) -> None:
    ledger = filled(url)
    before = ledger.reader.summary(MONDAY, MONDAY + DAY)
    assert all(secret in everything(url) for secret in (*SECRETS, ADDRESS))
    done = ledger.forget(subject, MONDAY + 2 * DAY)
    assert done.findings == 1
    assert done.series >= 1
    assert done.events >= 1
    after = ledger.reader.summary(MONDAY, MONDAY + DAY)
    assert after.addresses == before.addresses
    assert after.energy_kwh == before.energy_kwh
    assert [line.shares for line in after.lines] == pytest.approx([line.shares for line in before.lines])
    text = everything(url)
    assert f"{ADDRESS}\n" not in text
    assert f'"{ADDRESS}"' not in text
    assert f"{ADDRESS} " not in text
    if subject.enterprise_id:
        assert not [secret for secret in SECRETS if secret in text]
        assert "企业9" in text  # the other side of the dispute
    assert len(ledger.reader.findings()) == 3
    assert OTHER in text  # which begins alike
    if subject.address:
        assert not ledger.forget(subject, MONDAY + 2 * DAY).anything
    else:
        with pytest.raises(ForgetError, match="has no enterprise and no person"):
            ledger.forget(subject, MONDAY + 2 * DAY)
    ledger.close()


def test_it_may_mine_again_afterwards(url: str) -> None:
    ledger = filled(url)
    ledger.forget(ForgetSubject(enterprise_id=IDENTITY), MONDAY + 2 * DAY)
    later = mined(9, MONDAY + 3 * DAY, MONDAY + 3 * DAY + HOUR, 20, attribution=at_home(ADDRESS), miner=ADDRESS)
    ledger.record([later], MONDAY + 4 * DAY)
    opened = [case for case in ledger.reader.cases() if case.enterprise and case.enterprise.name == NAME]
    assert [case.state for case in opened] == ["new"]
    assert {case.state for case in ledger.reader.cases() if case.case_id == 1} == {"closed"}
    ledger.close()


def test_an_enterprise_is_forgotten_by_its_name(url: str) -> None:
    ledger = filled(url)
    (found,) = ledger.reader.enterprises("企业2")
    ledger.forget(ForgetSubject(enterprise_id=found.enterprise_id), MONDAY + 2 * DAY)
    assert "企业2" not in everything(url)
    assert NAME in everything(url)
    ledger.close()


def test_what_a_running_sensor_follows_is_refused_in_a_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(url)
    acquire(ledger.lease(HERE), Clock(), running=True)
    following = mined(1, MONDAY, MONDAY + HOUR, 20, attribution=at_home(ADDRESS), miner=ADDRESS)
    ledger.record([dataclasses.replace(following, state="opened")], MONDAY)
    other = Ledger.open(url)
    for subject in (ForgetSubject(enterprise_id=IDENTITY), ForgetSubject(address=ADDRESS)):
        with pytest.raises(ForgetError, match="open at a running sensor"):
            other.forget(subject, MONDAY + DAY)
    assert NAME in everything(url)
    other.close()
    ledger.close()


def test_the_command_asks_and_says_what_went_and_what_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, evidence = f"sqlite:///{tmp_path}/ledger.db", tmp_path / "evidence"
    ledger = filled(url)
    (entry,) = ledger.reader.findings(ADDRESS)
    evidence.mkdir()
    (evidence / f"{entry.finding.finding_id}.pcapng").write_bytes(b"x")
    ledger.close()
    words = ("ledger", "forget", NAME, "--ledger", url, "--set", f"evidence.folder={evidence}")
    code, _, err = said(capsys, *words)
    assert code == 2
    assert "--yes" in err
    monkeypatch.setattr("sys.stdin", _Terminal("no\n"))
    code, out, _ = said(capsys, *words)
    assert code == 1
    assert "nothing was forgotten" in out
    assert NAME in everything(url)
    monkeypatch.setattr("sys.stdin", _Terminal("yes\n"))
    code, out, _ = said(capsys, *words)
    assert code == 0
    assert "1 findings" in out
    assert "1 evidence files" in out
    assert "Bulletins" in out
    assert "copies of the ledger" in out
    assert NAME not in out
    assert not list(evidence.iterdir())
    for suffix in ("", "-wal"):
        path = tmp_path / f"ledger.db{suffix}"
        assert not path.exists() or NAME.encode() not in path.read_bytes()
    code, _, err = said(capsys, "ledger", "forget", NAME, "--yes", "--ledger", url)
    assert code == 2
    assert "is no address" in err
    code, _, err = said(capsys, "ledger", "forget", "192.0.2.77", "--yes", "--ledger", url)
    assert code == 1
    assert "holds nothing of 192.0.2.77" in err
    code, out, _ = said(capsys, "ledger", "forget", "::ffff:10.0.4.1", "--yes", "--ledger", url)
    assert code == 0
    assert "Forgotten: 10.0.4.1" in out


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_each_kind_of_record_has_its_own_time(url: str) -> None:
    filled(url).close()
    bounds = {"closed_ns": 900 * DAY, "connections_ns": 5 * DAY, "events_ns": 10 * DAY, "persons_ns": 20 * DAY}
    ledger = Ledger.open(url, bounds=LedgerBounds(**bounds, owners_ns=40 * DAY))
    count = lambda name: len(_rows(url, name))  # noqa: E731
    assert count("connections") == 4
    ledger.prune(MONDAY + 7 * DAY)
    assert (count("connections"), count("outbox"), count("findings")) == (0, 4, 4)
    ledger.prune(MONDAY + 12 * DAY)
    assert (count("outbox"), count("findings")) == (0, 4)
    assert ledger.outbox.backlog("eve").dropped == 4
    assert NAME in everything(url)
    ledger.prune(MONDAY + 30 * DAY)
    assert NAME in everything(url)  # the case is open
    ledger.set_case(1, "closed", MONDAY + 30 * DAY, who="desk", why="gone")
    ledger.prune(MONDAY + 31 * DAY)
    text = everything(url)
    assert not [secret for secret in SECRETS if secret in text]
    assert count("findings") == 3
    assert "企业2" in text
    assert count("addresses") == 2
    ledger.prune(MONDAY + 60 * DAY)
    assert count("addresses") == 0
    assert ledger.reader.summary(MONDAY, MONDAY + DAY).addresses == 4
    ledger.close()


def test_files_of_a_person_go_with_his_time(url: str, tmp_path: Path) -> None:
    filled(url).close()
    ledger, files = Ledger.open(url, bounds=LedgerBounds(persons_ns=20 * DAY)), AttachmentFolder(tmp_path / "files")
    clerk = CaseClerk(ledger.engine, files)
    clerk.attach(1, b"the holder's letter", "letter.txt", "li", MONDAY + DAY)
    ledger.set_case(1, "closed", MONDAY + DAY, who="desk", why="gone")
    failures: list[LedgerError] = []
    upkeep = LedgerUpkeep(ledger, LedgerLease(ledger.engine, "here", ledger.run_id, HERE), failures.append, files)
    upkeep.prune(MONDAY + 7 * DAY)
    assert len(list(files.path.iterdir())) == 1
    upkeep.prune(MONDAY + 31 * DAY)
    assert (list(files.path.iterdir()), failures) == ([], [])
    ledger.close()


def _rows(url: str, name: str) -> list[object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = list(connection.execute(select(METADATA.tables[name])))
    engine.dispose()
    return rows
