"""Which of several tables of a name is in force: the newest, whoever gave it; and what an older one is told."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from sensor.signatures import SignatureError, load
from sensor.signatures.model import DatedTable
from sensor.signatures.precedence import by_precedence

HEAD = "kind: pools\nname: {name}\n{dated}description: x\nreferences: [y]\n"
ROW = "pools:\n  - {suffix: pool.example, name: Own, operator: Own Ltd, source: z, confidence: high}\n"
PROOF = "examples:\n  - {host: a.pool.example, operator: Own Ltd}\n"


def table(file: str, dated: date | None, kind: str = "pools", name: str = "pools") -> DatedTable:
    return DatedTable(kind, name, file, 1, 1, dated)


def own(tmp_path: Path, name: str = "pools", dated: str = "dated: 2090-01-01\n") -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(HEAD.format(name=name, dated=dated) + ROW + PROOF)
    return path


def test_a_newer_table_stands_in_place_of_the_shipped_one(tmp_path: Path) -> None:
    path = own(tmp_path)
    found = load([path])
    assert [host for host, row in found.pools.rows.items() if row.table == "pools"] == ["pool.example"]
    assert found.pools.failures() == []
    assert {(one.file, one.instead) for one in found.tables if one.kind == "pools"} == {
        ("signatures/pools/pools.yaml", str(path)),
        ("signatures/pools/browser-miners.yaml", None),
        (str(path), None),
    }


@pytest.mark.parametrize(("name", "dated"), [("others", "dated: 2090-01-01\n"), ("pools", "")])
def test_rows_of_another_name_or_without_a_day_come_before_the_shipped_ones(
    tmp_path: Path, name: str, dated: str
) -> None:
    found = load([own(tmp_path, name, dated)])
    assert found.pools.lookup("eu.pool.example") is not None
    assert found.pools.lookup("xmr.2miners.com") is not None
    assert [one.instead for one in found.tables if one.kind == "pools"] == [None, None, None]


def test_an_older_table_is_set_aside_and_said(tmp_path: Path) -> None:
    found = load([own(tmp_path, dated="dated: 2019-01-01\n")])
    assert found.pools.lookup("eu.pool.example") is None
    assert found.pools.lookup("xmr.2miners.com") is not None
    assert found.tables[-1].instead == "signatures/pools/pools.yaml"


def test_a_newer_table_is_checked_as_the_shipped_ones(tmp_path: Path) -> None:
    path = own(tmp_path)
    path.write_text(path.read_text().replace("source: z", "ports: [0]"))
    with pytest.raises(SignatureError) as caught:
        load([path])
    assert caught.value.problems[0].startswith(f"{path}:7: pools[0].ports[0]: must be a port")


def test_of_the_tables_of_one_name_one_stands_however_they_are_given() -> None:
    given = [
        table("signatures/pools/pools.yaml", date(2026, 11, 29)),
        table("a.yaml", date(2026, 12, 1)),
        table("b.yaml", date(2027, 1, 1)),
        table("c.yaml", None),
        table("d.yaml", date(2028, 1, 1), name="others"),
    ]
    for order in permutations(given[1:]):
        found = {one.file: one.instead for one in by_precedence([given[0], *order])}
        assert found == {
            "signatures/pools/pools.yaml": "b.yaml",
            "a.yaml": "b.yaml",
            "b.yaml": None,
            "c.yaml": None,
            "d.yaml": None,
        }


def test_a_table_without_which_there_is_a_hole_is_never_replaced() -> None:
    given = [table("signatures/weights/evidence.yaml", date(2026, 1, 1), "weights", "evidence")]
    given.append(table("own.yaml", date(2027, 1, 1), "weights", "evidence"))
    assert [one.instead for one in by_precedence(given)] == [None, None]
