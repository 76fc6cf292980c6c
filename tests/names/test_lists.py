"""Lists that an operator loads: every mistake has file and line; the catalogue is not taken away; a refresh is whole or
not at all; settings, sandbox and reload know of them.
"""

from __future__ import annotations

import email.message
import io
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.cli import lists
from sensor.cli.main import main
from sensor.daemon.configuration import load as load_configuration
from sensor.daemon.sandbox_needs import PathNeed, needed_paths
from sensor.daemon.setup import ConfigurationSource, SetupError, load_setup
from sensor.signatures import SignatureError, load
from sensor.signatures.host_lists import MAX_NAMED, parse_list, read_list
from tests.daemon.sensor import reading, running

TABLE = "host,operator,serves,ports\nmine.own.example,Own Ltd,stratum,3333 443\nown.example,Own Ltd,web,\n"


def written(folder: Path, text: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_table_states_operator_what_it_serves_and_ports(tmp_path: Path) -> None:
    pools = load(lists=[written(tmp_path, TABLE)]).pools
    row = pools.lookup("eu.mine.own.example")
    assert row is not None
    assert (row.operator, row.serves, row.ports, row.table) == ("Own Ltd", "stratum", (3333, 443), "own.csv")
    site = pools.lookup("www.own.example")
    assert site is not None
    assert site.serves == "web"


def test_a_host_a_line_with_remarks_wildcards_and_lines_of_a_hosts_file(tmp_path: Path) -> None:
    text = "# a list\n\nA.Pool.Example.\n*.b.pool.example # all below\n0.0.0.0 c.pool.example\na.pool.example\n"
    found = read_list(written(tmp_path, text))
    assert found.problems == []
    assert sorted(found.rows) == ["a.pool.example", "b.pool.example", "c.pool.example"]
    assert {row.serves for row in found.rows.values()} == {"both"}
    assert found.repeated == 1


def test_a_long_list_takes_nothing_from_the_catalogue_and_a_statement_counts_before_it(tmp_path: Path) -> None:
    shipped = load().pools
    long = written(tmp_path, "pool.supportxmr.com\neu1.pool.supportxmr.com\nnew.example\n", "long.txt")
    pools = load(lists=[long]).pools
    assert pools.rows.keys() - shipped.rows.keys() == {"new.example"}
    assert pools.rows["pool.supportxmr.com"].serves == "stratum"
    stated = written(tmp_path, "host,serves\npool.supportxmr.com,web\n", "stated.csv")
    assert load(lists=[long, stated]).pools.rows["pool.supportxmr.com"].serves == "web"
    again = written(tmp_path, "host,serves\npool.supportxmr.com,both\n", "again.csv")
    assert load(lists=[stated, again]).pools.rows["pool.supportxmr.com"].serves == "web"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "own.csv:1: the list has no host"),
        ("host,servs\n", "own.csv:1: unknown column 'servs'; did you mean 'serves'?"),
        ("host,host\n", "own.csv:1: the column host stands twice"),
        ("ok.example\nlocalhost\n", "own.csv:2: 'localhost' is no host name of at least two labels"),
        ("203.0.113.5\n", "own.csv:1: '203.0.113.5' is no host name"),
        ("co.uk\n", "own.csv:1: co.uk is a suffix under which others register"),
        ("矿池.example\n", "own.csv:1: '矿池.example': a host is written in its ASCII form (xn--...)"),
        ("host,serves\na.b.example,miners\n", "own.csv:2: serves is 'miners': must be one of stratum, web, both"),
        ("host,serves\nb.example,stratum\n", "own.csv:2: b.example may have a web site: serves must be web or both"),
        ("host,ports\na.b.example,0\n", "own.csv:2: ports has '0': must be ports from 1 to 65535"),
        ("host,ports\na.b.example,80,81\n", "own.csv:2: 3 cells under 2 columns"),
        ("host,serves\na.b.example,web\na.b.example,both\n", "own.csv:3: a.b.example stands twice, and not the same"),
        ('host,operator\na.b.example,"x\n', "own.csv:2: not a row of a table"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(text: str, sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SignatureError) as caught:
        load(lists=[path])
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems
    assert all(problem.startswith(str(path)) for problem in caught.value.problems)


def test_what_cannot_be_read_is_a_mistake_and_many_are_counted(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"a.example\n\xff")
    assert "not UTF-8 at byte 10" in read_list(tmp_path / "bad").problems[0]
    assert "cannot be read: no such file" in read_list(tmp_path / "none").problems[0]
    with pytest.raises(SignatureError) as caught:
        load(lists=[written(tmp_path, "x\n" * (MAX_NAMED + 7))])
    assert len(caught.value.problems) == MAX_NAMED + 1
    assert caught.value.problems[-1].endswith("7 more mistakes")


def test_a_list_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.signatures.host_lists.MAX_ROWS", 2)
    assert parse_list("a.x.example\nb.x.example\nc.x.example\n", "l").problems == [
        "l:3: the list has more than 2 hosts"
    ]
    monkeypatch.setattr("sensor.signatures.host_lists.MAX_LIST_BYTES", 5)
    assert "is larger than" in read_list(written(tmp_path, TABLE)).problems[0]


@given(st.text(max_size=200))
def test_no_text_makes_a_list_raise(text: str) -> None:
    found = parse_list(text, "l")
    assert found.rows or found.problems


# The command.


def test_check_names_mistakes_and_counts_what_is_stated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = written(tmp_path, TABLE + "x.own.example,,,\n"), written(tmp_path, "x\n", "bad.txt")
    assert main(["lists", "check", str(good)]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{good}: 3 hosts (1 stratum, 1 web, 1 without a statement of what they serve)\n"
    assert main(["lists", "check", str(good), str(bad)]) == 78
    assert f"{bad}:1: 'x' is no host name" in capsys.readouterr().err


def test_a_refresh_takes_a_list_whole_or_not_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used = written(tmp_path, "".join(f"h{number}.x.example\n" for number in range(9)), "used.txt")
    used.chmod(0o640)
    before = used.read_bytes()
    for text, sentence in (("x\n", "no host name"), ("a.example\n", "--allow-shrink takes it")):
        newer = written(tmp_path, text, "newer.txt")
        assert main(["lists", "refresh", str(newer), "--to", str(used)]) == 78
        printed = capsys.readouterr().err
        assert sentence in printed
        assert f"{used}: stays as it was" in printed
        assert used.read_bytes() == before
    assert main(["lists", "refresh", str(newer), "--to", str(used), "--allow-shrink"]) == 0
    assert (used.read_text(), used.stat().st_mode & 0o777) == ("a.example\n", 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newer.txt", "used.txt"]
    assert main(["lists", "refresh", str(tmp_path / "none"), "--to", str(used)]) == 78
    assert main(["lists", "refresh", str(newer), "--to", str(tmp_path / "no" / "folder")]) == 1


class Served(io.BytesIO):
    """What a server answers."""

    url = "https://lists.example/pools.txt"


def test_a_refresh_asks_the_network_only_for_an_address_that_is_named_and_only_over_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    answers: list[Served | Exception] = [Served(b"a.x.example\nb.x.example\n"), Served(b"\xff")]

    def urlopen(address: str, timeout: float) -> Served:
        assert timeout <= 60
        asked.append(address)
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    target = tmp_path / "pools.txt"
    assert main(["lists", "refresh", "http://lists.example/pools.txt", "--to", str(target)]) == 2
    assert asked == []
    assert main(["lists", "refresh", Served.url, "--to", str(target)]) == 0
    assert target.read_text() == "a.x.example\nb.x.example\n"
    elsewhere = Served(b"a.x.example\n")
    elsewhere.url = "http://lists.example/pools.txt"
    headers = email.message.Message()
    answers += [
        elsewhere,
        urllib.error.HTTPError(Served.url, 404, "", headers, None),
        OSError("no route"),
        ValueError("x"),
    ]
    codes = [main(["lists", "refresh", Served.url, "--to", str(target)]) for _ in range(5)]
    assert codes == [78, 1, 1, 1, 1]
    printed = capsys.readouterr().err
    for sentence in ("not UTF-8 at byte 0", "leads to an address", "answered 404", "no route"):
        assert sentence in printed
    assert target.read_text() == "a.x.example\nb.x.example\n"
    assert asked == [Served.url] * 6


def test_an_answer_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_LIST_BYTES", 3)
    newer = written(tmp_path, "a.example\n", "newer.txt")
    assert main(["lists", "refresh", str(newer), "--to", str(tmp_path / "used.txt")]) == 78
    assert not (tmp_path / "used.txt").exists()


# The configuration.


def test_a_configuration_names_lists_from_its_own_folder_and_the_sandbox_may_read_them(tmp_path: Path) -> None:
    own = written(tmp_path, TABLE)
    (tmp_path / "minewatch.yaml").write_text("names: {lists: [own.csv]}\n")
    settings = load_configuration(tmp_path / "minewatch.yaml")
    assert settings.names.lists == [str(own)]
    assert PathNeed(("names", "lists", 0), own) in list(needed_paths(settings))
    setup = load_setup(ConfigurationSource(tmp_path / "minewatch.yaml"))
    assert setup.signatures.pools.lookup("eu.mine.own.example") is not None
    assert setup.signatures_changed_ns >= own.stat().st_mtime_ns
    own.write_text("x\n")
    with pytest.raises(SetupError) as caught:
        load_setup(ConfigurationSource(tmp_path / "minewatch.yaml"))
    assert caught.value.parts == {"signatures"}


def test_a_replay_refuses_a_list_with_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = written(tmp_path, "x\n")
    assert main(["replay", "--set", f"names.lists=[{own}]", str(own)]) == 78
    assert f"{own}:1: 'x' is no host name" in capsys.readouterr().err


def test_a_running_sensor_takes_a_newer_list_and_keeps_the_old_one_where_it_is_wrong(tmp_path: Path) -> None:
    own = written(tmp_path, TABLE)
    with running(tmp_path, reading(tmp_path, names={"lists": ["own.csv"]})) as sensor:
        sensor.ready()
        own.write_text(TABLE + "third.own.example,,,\n")
        sensor.reload(signal.SIGUSR2)
        assert "reloaded: signatures" in sensor.said
        own.write_text("host\nx\n")
        sensor.reload(signal.SIGUSR2)
        assert "own.csv:2: 'x' is no host name" in sensor.said
        sensor.end()
