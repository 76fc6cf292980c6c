"""Conversations of known meaning through the whole line: written as captures, replayed in a core, and found to be what
they are.

Each is also told over IPv6, inside VLAN and GRE, a byte a segment, through SOCKS5, and joined after its first four
messages.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from sensor.intake import engine
from sensor.line.examples import RELATIVE_ERROR
from sensor.line.replay import replay
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.signatures import load
from sensor.signatures.model import Dialect
from tests.dialects.frames import Way, write

SIGNATURES = load()


def example_vector(dialect: Dialect) -> dict[str, Any]:
    """The first example of a dialect's own file, as a vector: what it expects of its one finding."""
    example = next(one for one in dialect.header.examples if len(one.expects) == 1)
    expected = example.expects[0]
    lines = [f"{'CS'[line.direction]} {line.data.decode().rstrip()}" for line in example.dialogue]
    renamed = {"coin": "coin", "hashes_per_share": "hashes_per_share", "claimed_hashrate_hps": "claimed"}
    return {
        "name": f"{dialect.name}, its example",
        "dialect": dialect.name,
        "said": "\n".join(lines),
        "grade": expected.get("grade"),
        **{key: expected[name] for name, key in renamed.items() if name in expected},
    }


WRITTEN: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "vectors.yaml").read_text())
#: A dialect that has no conversation in vectors.yaml is held to the first example of its own file.
DERIVED = [
    example_vector(dialect)
    for dialect in SIGNATURES.dialects
    if dialect.framing == "json-lines" and dialect.name not in {vector.get("dialect") for vector in WRITTEN}
]
VECTORS = WRITTEN + DERIVED
SKIPPED = 4

WAYS = {
    "ipv4": Way(),
    "ipv6": Way(six=True),
    "vlan and gre": Way(tunnel=True),
    "ipv6 in vlan and gre": Way(six=True, tunnel=True),
    "byte by byte": Way(piece=1),
}

#: The wire does not say these coins: one address form for all EVM chains, one for ZEC and FLUX, or no wallet at all.
#: Kadena's shares and targets have a shape that others may have; its jobs or its accounts would say it.
COIN_NOT_SAID = {"eth-1", "eth-2", "eth-3", "eth-6", "es2-2", "kadena-1"}

#: Joined after four messages only a share is left whose shape several have, from an account that is no wallet: the
#: reasons name them all.
LOOKS_LIKE = {"hns-1": "stratum-v1", "warthog-1": "stratum-v1", "nexa-1": "stratum"}
#: After four messages only an answer is left, in words that any program uses.
NOTHING_LEFT = {"nh-1", "cfx-1", "beam-1", "kadena-1"}

SOCKS5 = [
    (0, bytes.fromhex("050100")),
    (1, bytes.fromhex("0500")),
    (0, bytes.fromhex("05010003") + b"\x0cpool.example" + (3333).to_bytes(2, "big")),
    (1, bytes.fromhex("05000001000000000000")),
]


def said(vector: dict[str, Any]) -> list[tuple[int, bytes]]:
    return [("CS".index(line[0]), line[2:].encode() + b"\n") for line in vector["said"].splitlines()]


def found(path: Path, talk: list[tuple[int, bytes]], way: Way, name: engine.Name) -> list[Finding | Node]:
    try:
        core = engine.load(name)
    except engine.EngineError as error:
        pytest.skip(str(error))
    write(path, talk, way)
    done = replay([str(path)], SIGNATURES, core, {"workers": 1, "flows": 1024})
    assert done.problems == []
    return done.records


def work(vector: dict[str, Any]) -> Any:
    known = vector.get("hashes_per_share")
    return known and pytest.approx(known, rel=RELATIVE_ERROR)


def told(vector: dict[str, Any], records: list[Finding | Node]) -> Finding | None:
    """The one finding there must be, checked against what is known of it."""
    if "dialect" not in vector:
        assert records == []
        return None
    assert len(records) == 1
    one = records[0]
    assert isinstance(one, Finding)
    assert one.dialect == vector["dialect"]
    if vector in DERIVED:
        assert vector["grade"] in (None, one.grade.label)
        assert one.hashes_per_share == work(vector) or "hashes_per_share" not in vector
        assert one.claimed_hashrate_hps == vector.get("claimed", one.claimed_hashrate_hps)
        assert one.coin == vector.get("coin", one.coin)
        return one
    assert one.grade >= Grade.SPEAKS
    assert one.hashes_per_share == work(vector)
    assert one.claimed_hashrate_hps == vector.get("claimed")
    if vector["name"] not in COIN_NOT_SAID:
        assert one.coin == vector.get("coin", one.coin)
    return one


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_a_conversation_is_what_it_is(vector: dict[str, Any], way: str, name: engine.Name, tmp_path: Path) -> None:
    one = told(vector, found(tmp_path / "talk.pcap", said(vector), WAYS[way], name))
    if one is not None:
        flow = one.flows[0]
        assert flow.vlans == ((42,) if WAYS[way].tunnel else ())
        assert (":" in flow.key.src_ip) == WAYS[way].six


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("piece", [1400, 1])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["name"])
def test_through_a_proxy_it_is_the_same(vector: dict[str, Any], piece: int, name: engine.Name, tmp_path: Path) -> None:
    one = told(vector, found(tmp_path / "talk.pcap", [*SOCKS5, *said(vector)], Way(piece=piece), name))
    if one is not None:
        assert (one.transport, one.pool_host, one.proxy) == ("socks5", "pool.example:3333", "203.0.113.5:3333")


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("vector", [one for one in VECTORS if len(said(one)) > SKIPPED], ids=lambda one: one["name"])
def test_joined_late_it_is_never_something_else(vector: dict[str, Any], name: engine.Name, tmp_path: Path) -> None:
    records = found(tmp_path / "talk.pcap", said(vector)[SKIPPED:], Way(handshake=False), name)
    if "dialect" not in vector or vector["name"] in NOTHING_LEFT:
        assert records == []
        return
    if vector in DERIVED:  # what is left of it may be nothing; or what fits others as well, and then says so
        assert len(records) <= 1
        for record in records:
            assert isinstance(record, Finding)
            assert record.dialect == vector["dialect"] or any(vector["dialect"] in text for text in record.reasons)
        return
    assert len(records) == 1
    for one in records:
        assert isinstance(one, Finding)
        assert one.dialect == LOOKS_LIKE.get(vector["name"], vector["dialect"])
        if vector["name"] in LOOKS_LIKE:
            assert any(vector["dialect"] in reason and "said fits" in reason for reason in one.reasons)
        assert one.hashes_per_share in (None, vector.get("later"), work(vector))
        assert one.midstream


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("one_stream", [True, False])
@pytest.mark.parametrize("piece", [1400, 1])
def test_what_comes_after_the_switch_to_gzip_is_read(
    piece: int, one_stream: bool, name: engine.Name, tmp_path: Path
) -> None:
    plain = next(one for one in VECTORS if one["name"] == "eth-3")
    greeting = said(next(one for one in VECTORS if one["name"] == "es2-2"))
    packers = [zlib.compressobj(wbits=31), zlib.compressobj(wbits=31)]
    later = []
    for side, data in said(plain)[2:]:
        if one_stream:
            later.append((side, packers[side].compress(data) + packers[side].flush(zlib.Z_SYNC_FLUSH)))
        else:
            later.append((side, gzip.compress(data)))
    one = told(plain, found(tmp_path / "talk.pcap", [*greeting, *later], Way(piece=piece), name))
    assert one is not None
    assert (one.shares.submitted, one.shares.accepted) == (1, 1)


def test_every_dialect_of_json_lines_has_a_conversation() -> None:
    spoken = {dialect.name for dialect in SIGNATURES.dialects if dialect.framing == "json-lines"}
    assert spoken == {vector["dialect"] for vector in VECTORS if "dialect" in vector}


def test_the_written_conversations_are_there() -> None:
    assert len(WRITTEN) >= 34
