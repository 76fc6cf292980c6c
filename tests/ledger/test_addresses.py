"""Commands find an address in any spelling, refuse what is none, and count a day as a day in every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.ledger import Ledger
from sensor.line.suppress import Suppression
from sensor.settings.sections import AllowEntry, FindingsSettings
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned, told

SIX, FOUR = "2001:db8:5:1::17", "192.0.2.1"
SPELLED = {
    SIX: (SIX, "2001:DB8:5:1:0:0:0:17", "[2001:0db8:0005:0001::0017]"),
    FOUR: (FOUR, "::ffff:192.0.2.1", "::FFFF:c000:0201"),
}
PAIRS = [(address, spelling) for address, spellings in SPELLED.items() for spelling in spellings]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = f"sqlite:///{tmp_path_factory.mktemp('addresses')}/ledger.db"
    ledger = Ledger.open(made)
    for number, address in enumerate(SPELLED, 1):
        owner = owned(number) if number == 1 else None
        ledger.record(list(told(number, MONDAY, MONDAY + 5 * HOUR, HOUR, 20, attribution=owner, miner=address)), MONDAY)
    ledger.close()
    return made


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize(("address", "spelling"), PAIRS)
def test_every_command_finds_an_address_in_any_spelling(
    url: str, address: str, spelling: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(capsys, "ledger", "show", spelling, "--ledger", url)
    assert code == 0
    assert f"{address}: " in out
    code, out, _ = said(capsys, "ledger", "list", "--address", spelling, "--ledger", url)
    assert code == 0
    assert "1 case, " in out
    code, out, _ = said(capsys, "explain", spelling, "--set", f"ledger.url={url}", "-q")
    assert code == 0
    assert out.startswith(f"{address}, at ")
    assert "mines at" in out


@pytest.mark.parametrize("wrong", ["192.0.2.300", "2001:db8::1::2", "pool.example", "2001:db8::g"])
def test_what_is_no_address_is_refused_in_a_sentence(url: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("ledger", "show", wrong, "--ledger", url), ("ledger", "list", "--address", wrong, "--ledger", url)):
        code, out, err = said(capsys, *words)
        assert code == 2
        assert not out
        assert "no address" in err
        assert err.count("\n") == 1
    code, _, err = said(capsys, "explain", wrong, "--set", f"ledger.url={url}", "-q")
    assert code == 2
    assert "is no address" in err


@pytest.mark.parametrize(("address", "spelling"), PAIRS)
def test_the_allow_list_takes_any_spelling(address: str, spelling: str) -> None:
    settings = FindingsSettings(allow=[AllowEntry(network=spelling.strip("[]"), reason="a lab")])
    for asked in SPELLED[address]:
        assert Suppression(settings).entries(asked)


def test_a_day_ends_at_its_end_in_every_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """MONDAY begins in Asia/Shanghai: mining on Sunday evening is of the day before."""
    made = f"sqlite:///{tmp_path}/days.db"
    ledger = Ledger.open(made)
    for number, at in enumerate((MONDAY - HOUR, MONDAY + 23 * HOUR, MONDAY + DAY), 1):
        one = mined(number, at, at + HOUR - 1, 20, attribution=owned(number))
        ledger.record([one], at + HOUR)
    ledger.close()
    days = ("--from", "2023-11-20")
    _, out, _ = said(capsys, "ledger", "export", *days, "--until", "2023-11-20", "--format", "json", "--ledger", made)
    listed = json.loads(out)
    assert (listed["period_from"], listed["period_to"]) == ("2023-11-20T00:00:00+08:00", "2023-11-21T00:00:00+08:00")
    words = ("bulletin", *days, "--to", "2023-11-20", "--format", "json", "--lang", "en", "--ledger", made)
    _, out, _ = said(capsys, *words)
    blocks = {block["key"]: block for part in json.loads(out)["sections"] for block in part["blocks"]}
    assert (
        {row["address"] for row in blocks["addresses"]["rows"]} == {row["ip"] for row in listed["rows"]} == {"10.0.2.1"}
    )
    for zone, ends in (("Europe/Berlin", "2023-10-30T00:00:00+01:00"), ("UTC", "2023-10-30T00:00:00+00:00")):
        options = ("--set", f"ledger.timezone={zone}", "--from", "2023-10-29", "--until", "2023-10-29")
        _, out, _ = said(capsys, "ledger", "export", *options, "--format", "json", "--ledger", made)
        assert json.loads(out)["period_to"] == ends


def test_a_time_is_where_a_list_ends(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("ledger", "export", "--from", "2023-11-20", "--until", "2023-11-20T03:00", "--format", "json")
    _, out, _ = said(capsys, *words, "--ledger", url)
    assert json.loads(out)["period_to"] == "2023-11-20T03:00:00+08:00"
    for wrong in ("2023-13-01", "soon", "9999-12-31"):
        code, _, err = said(capsys, "ledger", "export", "--until", wrong, "--ledger", url)
        assert code == 2, wrong
        assert "no date" in err
