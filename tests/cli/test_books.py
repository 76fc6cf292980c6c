"""The words about books, and what a replay says of its miners' addresses, as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run
from tests.demo.miners import Counts

Demo = tuple[Path, dict[str, Counts]]
DEMO = ROOT / "tests" / "demo"
HEAD = "first,last,organisation,certificate,valid_from\n"


@pytest.fixture
def events(run: Run, demo: Demo) -> list[dict[str, object]]:
    done = run("replay", demo[0], "-c", DEMO / "minewatch.yaml", "--eve", "-")
    assert done.returncode == 0, done.stderr
    return [event for event in map(json.loads, done.stdout.splitlines()) if event["event_type"] == "mining"]


def test_the_demo_names_enterprises_and_premises_one_by_its_lease_and_leaves_one_open(
    events: list[dict[str, object]],
) -> None:
    whose = {str(event["src_ip"]): event["attribution"] for event in events}
    named = {
        ip: answer["enterprise"]["name"]
        for ip, answer in whose.items()
        if isinstance(answer, dict) and answer["enterprise"]
    }
    assert named == {
        "198.51.100.23": "苏州示例铸造有限公司",
        "198.51.100.77": "示例理工大学",
        "198.51.100.130": "南京示例网络科技有限公司苏州分公司",
        "198.51.100.171": "示例货币博物馆",
    }
    plant, leased, unknown = whose["198.51.100.23"], whose["198.51.100.130"], whose["198.51.100.142"]
    assert isinstance(plant, dict)
    assert isinstance(leased, dict)
    assert isinstance(unknown, dict)
    assert plant["enterprise"]["uscc"] == "91320505MADEM0002J"
    assert plant["site"] == {
        "address": "示例路18号3号厂房",
        "division": "320505",
        "division_name": "江苏省苏州市虎丘区",
    }
    assert [claim["source"] for claim in leased["claims"]] == ["leases", "inventory", "routes"]
    assert leased["claims"][0]["ports"] == [47_104, 48_127]
    assert (unknown["result"], unknown["enterprise"], unknown["site"]) == ("unknown", None, None)
    assert [claim["standing"] for claim in unknown["claims"]] == ["context"]


def test_two_replays_with_books_are_byte_identical_wherever_the_books_lie(run: Run, demo: Demo, tmp_path: Path) -> None:
    shutil.copytree(DEMO / "books", tmp_path / "elsewhere" / "books")
    shutil.copy(DEMO / "minewatch.yaml", tmp_path / "elsewhere")
    first = run("replay", demo[0], "-c", DEMO / "minewatch.yaml", "--eve", "-").stdout
    assert first == run("replay", demo[0], "-c", "elsewhere/minewatch.yaml", "--eve", "-").stdout
    assert str(tmp_path).encode() not in first
    assert str(DEMO).encode() not in first


def test_the_table_names_enterprise_and_premises_under_the_miner(run: Run, demo: Demo) -> None:
    for columns in (70, 120, 200):
        text = run("replay", demo[0], "-c", DEMO / "minewatch.yaml", COLUMNS=str(columns)).stdout.decode()
        table = text.partition("\nWhose\n")[0]
        lines = table.splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("198.51.100.77"))
        assert "示例理工大学" in lines[at + 2]
        assert "江苏省苏州市姑苏区" in lines[at + 3]
        assert "(holder unknown)" in table
        assert "91320505MADEM0002J" in text.partition("\nWhose\n")[2]


def test_without_books_nothing_is_said_of_holders(run: Run, demo: Demo) -> None:
    done = run("replay", demo[0], "--eve", "-")
    assert {json.loads(line)["attribution"] for line in done.stdout.splitlines()} == {None}
    assert "Whose" not in run("replay", demo[0]).stdout.decode()


def test_books_check_names_every_row_and_its_exit_code_tells_whether_all_are_good(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(HEAD + "192.0.2.0,192.0.2.7,Copper,,2024-01-01\n")
    done = run("books", "check", "good.csv")
    assert done.returncode == 0
    assert "good.csv: 1 rows taken, 0 refused, 0 overlaps, 0 notes" in done.stdout.decode().splitlines()
    bad = "192.0.2.7,192.0.2.0,Copper,,\n192.0.2.1,,Copper,,01/02/2024\n192.0.2.1,,Copper,91320505MADEM0002K,\n"
    bad += "192.0.2.3,,Tin,,\n192.0.2.3,,Zinc,,\n"
    (tmp_path / "bad.csv").write_text(HEAD + bad)
    done = run("books", "check", "bad.csv")
    assert done.returncode == 1
    remarks = [line.split(": ")[:2] for line in done.stdout.decode().splitlines() if line.startswith("bad.csv:")]
    assert remarks[1:-1] == [
        ["bad.csv:2", "refused"],
        ["bad.csv:3", "left out"],
        ["bad.csv:4", "left out"],
        ["bad.csv:6", "overlap"],
    ]


MESSY = (
    "某市专线台账,,,,,\n客户名称,客户类型,证照代码X,IP地址,子网掩码,备用信息\n"
    "甲公司,企业,91320505MADEM0002J,198.51.100.16,255.255.255.240,\n乙公司,企业,,198.51.100.64～95,,10.0.0.1\n"
)


def test_books_check_says_what_each_column_is_taken_for_and_how_much_of_ones_own_prefixes_is_covered(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "messy.csv").write_text(MESSY)
    own = ("--set", "attribution.prefixes=[198.51.100.0/24]")
    done = run("books", "check", "messy.csv", *own)
    text = done.stdout.decode()
    assert done.returncode == 0
    assert "headings in line 2" in text
    assert "column C (证照代码X) looks like codes and is not used" in text
    assert '(perhaps columns: {certificate: "证照代码X"})' in text
    assert "column F (备用信息) looks like addresses and is not used" in text
    assert "line 3: 198.51.100.16-198.51.100.31, 甲公司" in text
    assert "198.51.100.0/24: 48 of 256 addresses are in a row (18.8 %)" in text
    document = json.loads(run("books", "check", "messy.csv", "--json", *own).stdout)
    (book,) = document["books"]
    assert [column["field"] for column in book["columns"]] == ["organisation", "nature", None, "first", "mask", None]
    assert (document["ok"], book["rows"], len(book["warnings"])) == (True, 2, 2)
    assert document["own_prefixes"]["prefixes"][0]["covered"] == 48
    assert "names no prefix" in run("books", "check", "messy.csv").stdout.decode()


def test_the_columns_that_books_map_writes_are_read_back_and_take_what_was_suggested(run: Run, tmp_path: Path) -> None:
    (tmp_path / "messy.csv").write_text(MESSY)
    assert run("books", "map", "messy.csv", "--to", "mapped.yaml").returncode == 0
    assert 'certificate: "证照代码X"  # column C, suggested: look at it' in (tmp_path / "mapped.yaml").read_text()
    explanation = run("explain", "198.51.100.20", "-c", "mapped.yaml").stdout.decode()
    assert "甲公司, 91320505MADEM0002J" in explanation
    assert run("books", "map", "messy.csv", "--to", "mapped.yaml").returncode == 1  # what is there stays
    (tmp_path / "bare.csv").write_text("1,甲公司,198.51.100.16/28,255.255.255.240\n")
    section = run("books", "map", "bare.csv").stdout.decode()
    assert 'first: "=C"  # column C, suggested: look at it' in section
    assert run("books", "map").returncode == 2


def test_a_person_has_no_name_in_the_sample_rows(run: Run, tmp_path: Path) -> None:
    (tmp_path / "persons.csv").write_text("用户名称,客户类型,IP地址,联系电话\n张三,个人,198.51.100.1,13800000000\n")
    for words in ((), ("--json",)):
        text = run("books", "check", "persons.csv", *words).stdout.decode()
        assert "(a person)" in text
        assert "张三" not in text
        assert "13800000000" not in text


def test_books_that_cannot_be_read_are_one_sentence_each(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("nothing\n")
    done = run("books", "check", "x.csv", "none.csv")
    assert done.returncode == 78
    told = done.stderr.decode().splitlines()
    assert [line.startswith("minewatch: ") for line in told] == [True, True]
    assert "none.csv: no such file" in done.stderr.decode()
    assert run("books", "check", "x.csv", "--as", "inventories").returncode == 78
    assert run("books", "check", "x.csv", "--as", "leases:kee").returncode == 78


def test_an_imported_book_gives_the_same_answers(run: Run, tmp_path: Path) -> None:
    for name in ("allocations.csv", "customers.csv"):
        shutil.copy(DEMO / "books" / name, tmp_path)
    os.utime(tmp_path / "allocations.csv", (1_700_000_000, 1_700_000_000))
    done = run("books", "import", "allocations.csv", "customers.csv", "--to", "one.csv")
    assert done.returncode == 0, done.stdout
    assert done.stdout.decode().endswith("one.csv: 9 rows written\n")
    nat = DEMO / "books" / "nat.csv"
    (tmp_path / "minewatch.yaml").write_text(
        "attribution:\n  sources:\n    - {kind: inventory, path: one.csv, preset: minewatch}\n"
        f"    - {{kind: leases, path: {nat}, format: nat-csv}}\n"
    )
    for asked, at in (
        ("198.51.100.23", "2026-03-02"),
        ("198.51.100.130:47890", "2026-03-02T08:01:00Z"),
        ("198.51.100.170", "2022-01-01"),
    ):
        answers = [
            run("explain", asked, "--at", at, "-c", config).stdout.decode()
            for config in ("minewatch.yaml", DEMO / "minewatch.yaml")
        ]
        whose = [text.partition("Whose (named)\n")[2].partition("\nWhy")[0] for text in answers]
        assert whose[0]
        assert whose[0] == whose[1]


def test_an_import_that_would_lose_half_of_a_book_is_refused_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    rows = [f"192.0.2.{last},,Copper,,\n" for last in range(10)]
    (tmp_path / "in.csv").write_text(HEAD + "".join(rows))
    assert run("books", "import", "in.csv", "--to", "book.csv").returncode == 0
    before = (tmp_path / "book.csv").read_bytes()
    (tmp_path / "in.csv").write_text(HEAD + "".join(rows[:4]))
    done = run("books", "import", "in.csv", "--to", "book.csv")
    assert (done.returncode, (tmp_path / "book.csv").read_bytes()) == (1, before)
    assert "more than half are gone" in done.stderr.decode()
    assert run("books", "import", "in.csv", "--to", "book.csv", "--allow-shrink").returncode == 0
    assert len((tmp_path / "book.csv").read_text().splitlines()) == 5
    assert run("books", "import", "in.csv").returncode == 2
    assert run("books", "import", "in.csv", "--to", "no/such/folder/x.csv").returncode == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.csv", "in.csv"]


def test_explain_says_who_why_and_what_does_not_hold(run: Run) -> None:
    config = ("-c", DEMO / "minewatch.yaml")
    text = run("explain", "198.51.100.130:47890", "--at", "2026-03-02 08:01:00", *config).stdout.decode()
    assert text.startswith("198.51.100.130 port 47890, at 2026-03-02 08:01:00 UTC\n")
    assert "\nWhose (named)\n  南京示例网络科技有限公司苏州分公司, 91320100MADEM0005Y" in text
    assert "was leased to subscriber kd-1188" in text
    assert "through other ports: leases" in text
    assert "ended before: leases" in text
    early = run("explain", "198.51.100.130:47890", "--at", "2026-03-02 07:58:00", *config).stdout.decode()
    assert "subscriber kd-2093" in early
    assert "nobody is named" in run("explain", "198.51.100.130", "--at", "2026-03-02 08:01:00", *config).stdout.decode()
    assert (
        "示例旅行社"
        in run("explain", "198.51.100.171", "--at", "2025-12-31", *config).stdout.decode().partition("Why")[0]
    )
    assert "no books are configured" in run("explain", "192.0.2.1").stdout.decode()
    for wrong in (
        ("explain", "nonsense"),
        ("explain", "192.0.2.1:99999"),
        ("explain", "192.0.2.1", "--at", "yesterday"),
    ):
        done = run(*wrong)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.decode().startswith("minewatch: explain: ")
    assert run("explain", "[2001:db8::1]:3333", *config).returncode == 0


def test_check_and_replay_refuse_wrong_books_with_file_and_line(run: Run, demo: Demo, tmp_path: Path) -> None:
    text = "attribution:\n  sources:\n    - kind: inventory\n      path: none.csv\n"
    text += "    - kind: leases\n      path: x.csv\n      format: kea\n"
    (tmp_path / "minewatch.yaml").write_text(text)
    (tmp_path / "x.csv").write_text("a,b\n")
    for words in (("check",), ("replay", demo[0])):
        done = run(*words, "-c", "minewatch.yaml")
        assert done.returncode == 78
        told = [line for line in done.stderr.decode().splitlines() if "reference engine" not in line]
        assert told[0] == "minewatch: minewatch.yaml:4: none.csv: no such file"
        assert told[1].startswith("minewatch: minewatch.yaml:6: x.csv: is no lease file of Kea")
    text = (
        "attribution:\n  sources:\n    - {kind: inventory, path: b.csv, vlam: ignore}\n    - {kind: nothing, path: x}\n"
    )
    (tmp_path / "minewatch.yaml").write_text(text)
    told = run("check", "-c", "minewatch.yaml").stderr.decode().splitlines()
    assert told[0] == (
        "minewatch: minewatch.yaml:3: attribution.sources.0.vlam: unknown key; did you mean attribution.sources.0.vlan?"
    )
    assert told[1].startswith("minewatch: minewatch.yaml:4: attribution.sources.1: ")


def test_check_counts_the_rows_of_the_books_and_the_refused_ones(run: Run, tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text(HEAD + "192.0.2.0,192.0.2.7,Copper,,\nx,,Tin,,\n")
    (tmp_path / "minewatch.yaml").write_text("attribution: {sources: [{kind: inventory, path: book.csv}]}\n")
    done = run("check", "-c", "minewatch.yaml", "--configuration-only")
    assert done.returncode == 0
    _, book, mend, *_ = done.stdout.decode().splitlines()
    assert book.split() == ["warning", "book", "book.csv:", "1", "rows,", "1", "refused"]
    assert mend.strip() == "mend: minewatch books check book.csv"
