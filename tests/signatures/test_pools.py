"""The catalogue of pools: whole labels, mistakes with file and line, what a finding says of the other end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.line.examples import dialogue_events
from sensor.model.finding import Finding, Pool
from sensor.signatures import SignatureError, load
from sensor.signatures.model import DialogueLine
from tests.session.dialogue import lines, run, shipped

HEAD = "kind: pools\nname: own\ndescription: x\nreferences: [y]\n"
ROW = "pools:\n  - {suffix: Pool.Example, name: Own, operator: Own Ltd, ports: [3333], source: z, confidence: high}\n"
PROOF = "examples:\n  - {host: a.pool.example, operator: Own Ltd}\ncounterexamples: [notpool.example]\n"
SESSION = """
C {"id":1,"method":"mining.subscribe","params":["cgminer/4.12.1"]}
S {"id":1,"result":[[["mining.notify","a"]],"08000002",4],"error":null}
"""


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    return path


def pool(*before: tuple[int, bytes], session: str = SESSION) -> Pool:
    records, _ = run(dialogue_events([*(DialogueLine(side, data) for side, data in before), *lines(session)]))
    assert len(records) == 1
    assert isinstance(records[0], Finding)
    return records[0].pool


def connect(host: bytes) -> list[tuple[int, bytes]]:
    return [(0, b"CONNECT " + host + b":3333 HTTP/1.1\r\n\r\n"), (1, b"HTTP/1.1 200 OK\r\n\r\n")]


def test_every_row_is_found_by_its_own_name_and_says_where_it_comes_from() -> None:
    table = shipped().pools
    assert len(table.rows) >= 230
    assert len({row.operator for row in table.rows.values()}) >= 160
    for suffix, row in table.rows.items():
        assert table.lookup(suffix.upper() + ".") is row
        assert table.lookup(f"eu1.{suffix}") is not None
        assert row.source
    assert table.failures() == []


@given(st.text(max_size=300))
def test_no_text_makes_a_look_up_raise(text: str) -> None:
    found = shipped().pools.lookup(text)
    assert found is None or text.lower().rstrip(".").endswith(found.suffix)


def test_a_label_is_whole_or_not_there() -> None:
    assert shipped().pools.lookup("xmr.2miners.com") is not None
    for name in ("2miners.com.example", "x2miners.com", "com", "", ".", None):
        assert shipped().pools.lookup(name) is None


def test_a_row_of_ones_own_comes_first_and_the_file_is_proven(tmp_path: Path) -> None:
    known = load(
        [
            own(
                tmp_path,
                HEAD + ROW.replace("Pool.Example", "2miners.com") + PROOF.replace("pool.example", "2miners.com"),
            )
        ]
    )
    found = known.pools.lookup("eu.2miners.com")
    assert found is not None
    assert found.operator == "Own Ltd"
    wrong = load([own(tmp_path, HEAD + ROW + PROOF.replace("notpool.example", "b.pool.example"))])
    assert [one.name for one in wrong.pools.failures()] == ["b.pool.example"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD + PROOF, "pools is missing"),
        (HEAD + ROW, "examples is missing"),
        (HEAD + ROW.replace("3333", "70000") + PROOF, ":6: pools[0].ports[0]: must be a port"),
        (HEAD + ROW.replace("Pool.Example", "com") + PROOF, "at least two labels"),
        (HEAD + ROW.replace("operator", "operater") + PROOF, "did you mean 'operator'"),
        (HEAD + ROW + ROW.partition("\n")[2] + PROOF, "stands twice"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SignatureError) as caught:
        load([own(tmp_path, text)])
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_a_name_that_was_asked_for_is_looked_up() -> None:
    assert pool(*connect(b"xmr.2miners.com")) == Pool("xmr.2miners.com:3333", "2Miners", "2Miners", True)
    assert pool(*connect(b"pool.example.test")) == Pool("pool.example.test:3333", None, None, False)


def test_without_a_name_nothing_is_said_of_the_pool() -> None:
    assert pool() == Pool()


def test_the_host_of_http_is_the_pools_name() -> None:
    body = b'{"id":1,"method":"getwork","params":[]}'
    head = (
        b"POST / HTTP/1.1\r\nHost: btc.luckypool.io:8332\r\nUser-Agent: cgminer/2.7\r\n"
        b"X-Mining-Extensions: longpoll\r\n"
    )
    asked = (0, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert pool(asked, session="S {}").operator == "LuckyPool"
