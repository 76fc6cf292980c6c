"""`minewatch calibrate`: counts of a capture, a line for each session, and clear sentences for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from tests.behaviour.captures import capture

ENDS = {"miner": "192.0.2.7:40001", "server": "198.51.100.9:9200"}


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "sealed.pcap"
    capture(path, ["cryptonote", "1 electrum"])
    return path


def test_a_capture_is_counted_and_each_session_written(
    captured: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sessions.jsonl"
    assert main(["calibrate", "--json", "--sessions", str(out), str(captured)]) == OK
    grammar = json.loads(capsys.readouterr().out)["calibration"]["grammar"]
    assert grammar["tested"] == 2
    assert [level["level"] for level in grammar["levels"]] == [0.05, 0.01, 0.001, 0.0001]
    sessions = [json.loads(line) for line in out.read_text().splitlines()]
    mining = next(session for session in sessions if session["miner"] == ENDS["miner"])
    assert mining["server"] == ENDS["server"]
    assert mining["behaves"]
    assert "cryptonote" in mining["dialects"]
    assert [look["at_s"] for look in mining["looks"]][:2] == [600, 1_800]
    assert not next(session for session in sessions if session != mining)["behaves"]


@pytest.mark.parametrize(("chance", "found"), [("1e-5", 1), ("1e-300", 0)])
def test_a_replay_goes_by_the_same_thresholds(chance: str, found: int, captured: Path, tmp_path: Path) -> None:
    eve = tmp_path / "eve.json"
    wanted = ["--set", "findings.least_grade=behaves", "--set", f"behaviour.grammar_chance={chance}"]
    assert main(["replay", "-q", "--eve", str(eve), *wanted, str(captured)]) == OK
    events = [json.loads(line)["mining"] for line in eve.read_text().splitlines()]
    assert [event["grade"] for event in events] == ["behaves"] * found


def test_a_replay_refuses_blocks_that_cannot_be_read(captured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "-q", "--set", "behaviour.blocks.XMR=none.csv", str(captured)]) == CONFIG
    assert "none.csv: no such file" in capsys.readouterr().err


def test_blocks_are_followed_by_a_replay_as_by_calibrate(captured: Path, tmp_path: Path) -> None:
    blocks, eve, out = tmp_path / "blocks.csv", tmp_path / "eve.json", tmp_path / "sessions.jsonl"
    blocks.write_text("".join(f"{1_700_000_000 + 100 * number}\n" for number in range(40)))
    key = f"behaviour.blocks.XMR={blocks}"
    grade = "findings.least_grade=behaves"
    assert main(["replay", "-q", "--eve", str(eve), "--set", grade, "--set", key, str(captured)]) == OK
    assert main(["calibrate", "--sessions", str(out), "--blocks", f"XMR={blocks}", str(captured)]) == OK
    (event,) = (json.loads(line)["mining"] for line in eve.read_text().splitlines())
    (session,) = (each for each in map(json.loads, out.read_text().splitlines()) if each["behaves"])
    looks = [piece["detail"] for piece in event["evidence"]]
    assert session["beats"][0]["coin"] == "XMR"
    assert session["beats"] in [look["beats"] for look in looks]


def test_both_engines_say_the_same(captured: Path, tmp_path: Path) -> None:
    texts = []
    for engine in ("auto", "reference"):
        out = tmp_path / engine
        assert main(["calibrate", "--engine", engine, "--sessions", str(out), str(captured)]) == OK
        texts.append(sorted(out.read_text().splitlines()))
    assert texts[0] == texts[1]


def test_the_table_says_what_was_not_tested(captured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", str(captured)]) == OK
    printed = capsys.readouterr().out
    assert "not tested" in printed
    assert "29,957" in printed


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--blocks", "XMR", "a.pcap"], USAGE, "must be coin=file"),
        (["--blocks", "XMR=none.csv", "a.pcap"], CONFIG, "no such file"),
        (["--sessions", "out"], USAGE, "need captures"),
        (["none.pcap"], RUN_ERROR, "none.pcap"),
        (["--socket", "none.sock"], RUN_ERROR, "none.sock"),
        (["--set", "behaviour.grammar_chance=2", "a.pcap"], CONFIG, "behaviour.grammar_chance"),
    ],
)
def test_bad_input_has_a_sentence(
    arguments: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["calibrate", *arguments]) == code
    assert sentence in capsys.readouterr().err.lower()
