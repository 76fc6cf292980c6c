"""`minewatch signatures`: the coverage table, and files of the user's own proven or refused with file and line, of
every kind.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run

HEAD = "kind: {kind}\nname: mine\n"
AGENTS = HEAD.format(kind="agents") + (
    'agents:\n  - {match: "^rock/", software: rock, source: own, confidence: high}\n'
    "examples:\n  - {agent: rock/1.0, software: SOFTWARE}\n"
)
DEVICES = HEAD.format(kind="devices") + (
    "devices:\n  - {model: Rock 1, maker: x, algorithm: sha256d, hashrate: 10, unit: UNIT, "
    "power_watts: 100, source: x, confidence: low}\n"
    "examples:\n  - {device: Rock 1, algorithm: sha256d, joules: 1.0e-11}\n"
)
WALLETS = (
    'kind: wallets\ntitle: own\nforms:\n  - {name: foo, coins: [FOO], pattern: "foo1<b32>{20}", '
    "example: foo1qqqqqqqqqqqqqqqqqqqq, counterexample: COUNTER}\n"
)


def recipe() -> str:
    """The dialect that CONTRIBUTING shows."""
    found = re.search(r"```yaml\n(kind: dialect\n.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("columns", [80, 120, 160])
def test_the_table_fits_and_names_everything(run: Run, columns: int) -> None:
    text = run("signatures", "list", COLUMNS=str(columns)).stdout.decode()
    assert max(map(len, text.splitlines())) <= columns
    for name in (
        "ethereum-stratum-2",
        "cryptonote-daemon",
        "stratum-v2-noise",
        "monero-levin",
        "wrappings",
        "1001.3",
        "wallet forms",
    ):
        assert name in text
    assert "\x1b" not in text


def test_the_recipe_of_contributing_proves_itself_and_is_listed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "brook.yaml").write_text(recipe())
    done = run("signatures", "test", "brook.yaml")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"brook.yaml: 2 examples\n")
    assert b"[brook.yaml]" in run("signatures", "list", "brook.yaml", "-v", COLUMNS="160").stdout


def test_files_that_are_shipped_may_be_named(run: Run) -> None:
    for place in ("signatures/dialects/kaspa.yaml", "signatures/wallets"):
        assert run("signatures", "test", ROOT / place).returncode == 0


@pytest.mark.parametrize(
    ("text", "right", "wrong", "sentence"),
    [
        (AGENTS, "rock", "stone", "own.yaml:6: rock/1.0: software is 'rock', expected 'stone'"),
        (DEVICES, "TH/s", "TH", "own.yaml:4: devices[0].unit: must be a unit such as TH/s or kSol/s"),
        (WALLETS, "foo1qqqq", "foo1qqqqqqqqqqqqqqqqqqqq", "own.yaml:4: foo: the counterexample holds"),
        (recipe(), "", "", ""),
    ],
    ids=["agents", "devices", "wallets", "dialect"],
)
def test_every_kind_of_own_file_is_proven_or_refused_with_its_line(
    run: Run, tmp_path: Path, text: str, right: str, wrong: str, sentence: str
) -> None:
    word = re.compile(r"\b(?:SOFTWARE|UNIT|COUNTER)\b")
    (tmp_path / "own.yaml").write_text(word.sub(right, text))
    done = run("signatures", "test", "own.yaml")
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    if sentence:
        (tmp_path / "own.yaml").write_text(word.sub(wrong, text))
        done = run("signatures", "test", "own.yaml")
        assert done.returncode in (1, 78)
        assert done.stderr.decode() == f"minewatch: {sentence}\n"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("kind: dialect", "kind: dialog", "own.yaml:1: kind: must be one of dialect, nodes,"),
        ("kind: submit", "kind: sumbit", "own.yaml:26: messages.found.kind: must be one of subscribe, login, submit"),
        ("    secrets: [params.secret]\n", "", "own.yaml:16: messages.hello: a login must say where its secret stands"),
        ("'\"brook.'", "brk", "own.yaml:13: gate.literals[0]: must be 4 to 16 bytes"),
        ("rejected: 1", "rejected: 2", "own.yaml:46: one share counted, one turned down: rejected is 1, expected 2"),
        ('"station":', '"user":', "own.yaml:60: a gauge that reports to a brook server: must not be found"),
        ("framing: json-lines", "framing: smoke", "own.yaml:1: framing 'smoke' is not known; known are"),
    ],
)
def test_a_mistake_in_a_dialect_is_one_sentence(run: Run, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in recipe()
    (tmp_path / "own.yaml").write_text(recipe().replace(old, new))
    done = run("signatures", "test", "own.yaml")
    assert done.returncode in (1, 78)
    assert done.stderr.decode().startswith(f"minewatch: {sentence}"), done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.yaml", "none.yaml: cannot be read: no such file or directory"),
        ("void", "void: the folder holds no *.yaml file"),
    ],
)
def test_a_place_without_signatures_is_told(run: Run, tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "void").mkdir()
    done = run("signatures", "test", name)
    assert (done.returncode, done.stderr.decode()) == (78, f"minewatch: {sentence}\n")


def test_a_device_outside_of_what_its_class_draws_is_refused_with_its_line(run: Run, tmp_path: Path) -> None:
    text = DEVICES.replace("UNIT", "TH/s").replace("power_watts: 100,", "power_watts: 900000, class: asic-hobby,")
    (tmp_path / "own.yaml").write_text(text)
    done = run("signatures", "test", "own.yaml")
    assert done.returncode == 1
    assert b"own.yaml:4: Rock 1: 900000 W is not what asic-hobby draws, 1.5 to 2000 W" in done.stderr


def test_a_newer_table_takes_the_place_of_the_shipped_one_and_a_day_to_come_is_refused(
    run: Run, tmp_path: Path
) -> None:
    shipped = (ROOT / "signatures/pools/pools.yaml").read_text()
    day = re.search(r"(?m)^dated: (.*)$", shipped)
    assert day
    (tmp_path / "pools.yaml").write_text(shipped)
    done = run("signatures", "test", "pools.yaml")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = run("signatures", "tables", "pools.yaml").stdout.decode().splitlines()
    assert [line for line in lines if "does not count" in line] == [
        line for line in lines if "signatures/pools/pools.yaml  does not count: pools.yaml stands in its place" in line
    ]
    (tmp_path / "pools.yaml").write_text(shipped.replace(day[0], "dated: 2019-01-01"))
    assert run("signatures", "test", "pools.yaml").stdout.startswith(
        b"pools.yaml: does not count, signatures/pools/pools.yaml is newer\n"
    )
    (tmp_path / "pools.yaml").write_text(shipped.replace(day[0], "dated: 2390-01-01"))
    done = run("signatures", "test", "pools.yaml")
    assert (done.returncode, done.stderr) == (1, b"minewatch: pools.yaml:3: dated: 2390-01-01 is still to come\n")
