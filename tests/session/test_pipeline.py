"""The pipeline as a whole: order of flows does not matter, nothing hostile raises, names are stable, every counter
moves.
"""

from __future__ import annotations

import random

import communityid
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.line.examples import dialogue_events
from sensor.line.flow_facts import community_id, flow_id
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Close, End, Event, Hit, Open, Shape
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from tests.session.dialogue import events, lines, run, shipped

SHARE = """C {"id":1,"method":"mining.authorize","params":["acct.rig","algo=sha256d"]}
S {"id":1,"result":true,"error":null}
S {"id":null,"method":"mining.set_difficulty","params":[16]}
S {"id":null,"method":"mining.notify","params":["a",\
"2c72441c7af80e1c6e75c59f68518e6bb1cfc7e71387b019a2eaf6078ce0d6cc",@,true]}
C {"id":2,"method":"mining.submit","params":["acct.rig","a","00000001","689c3007","0a1b2c3d"]}
S {"id":2,"result":true,"error":null}""".replace("@", '"01","02",[],"20000000","1a0ffff0","689c3000"')
LEVIN = "01210101010101010a0000000000000001e90300000000000001000000010000000000000000000000000000"


def moved(stream: list[Event], by_ns: int) -> list[Event]:
    """The same flow at another time."""
    found: list[Event] = []
    for one in stream:
        if isinstance(one, Open):
            found.append(one._replace(ts_ns=one.ts_ns + by_ns, first_ns=one.first_ns + by_ns))
        elif isinstance(one, Close):
            found.append(
                one._replace(ts_ns=one.ts_ns + by_ns, first_ns=one.first_ns + by_ns, last_ns=one.last_ns + by_ns)
            )
        elif isinstance(one, Chunk):
            found.append(one._replace(ts_ns=one.ts_ns + by_ns))
    return found


def to_pool(stream: list[Event], pool: int) -> list[Event]:
    """The same flow to another pool."""
    return [
        one._replace(resp_addr=one.resp_addr[:-1] + bytes([pool])) if isinstance(one, Open) else one for one in stream
    ]


def example_flows() -> list[list[Event]]:
    """Every shipped example as a flow of its own, with reconnects of the first. A hundred go to one pool, so that there
    are findings of more algorithms than are kept.
    """
    flows: list[list[Event]] = []
    for number, (header, example) in enumerate((h, e) for h in shipped().headers for e in h.examples):
        flow = list(dialogue_events(example.dialogue, flow=number, proto=example.proto))
        flows.append(moved(to_pool(flow, 5 + number // 100), number * 1_000))
        assert header.name
    flows.extend(moved(events(SHARE, flow=1000 + n), n * 10_000_000_000) for n in range(5))
    return flows


def interleaved(flows: list[list[Event]], seed: int) -> list[Event]:
    chance = random.Random(seed)
    waiting = [list(flow) for flow in flows]
    order: list[Event] = []
    while waiting:
        flow = chance.choice(waiting)
        order.append(flow.pop(0))
        if not flow:
            waiting.remove(flow)
    return order


def test_flows_may_interleave_in_any_way() -> None:
    flows = example_flows()
    wanted, counters = run([event for flow in flows for event in flow])
    assert len(wanted) > 20
    for seed in range(5):
        assert run(interleaved(flows, seed)) == (wanted, counters)


def test_chunks_may_be_cut_in_any_way() -> None:
    flows = [moved(events(SHARE, flow=n), n) for n in range(3)]
    wanted, _ = run([event for flow in flows for event in flow])
    for size in (1, 7, 100):
        cut: list[Event] = []
        for event in (event for flow in flows for event in flow):
            if isinstance(event, Chunk):
                for start in range(0, len(event.data), size):
                    cut.append(event._replace(offset=event.offset + start, data=event.data[start : start + size]))
            else:
                cut.append(event)
        assert run(cut)[0] == wanted


def test_reconnects_continue_a_finding() -> None:
    records, _ = run([event for n in range(300) for event in moved(events(SHARE, flow=n), n * 60_000_000_000)])
    (one,) = records
    assert isinstance(one, Finding)
    assert (one.flow_count, len(one.flows), one.shares.accepted) == (300, 256, 300)
    assert one.grade is Grade.ACCEPTED
    assert one.flows[-1].last_ns == one.last_ns
    assert one.active_seconds == pytest.approx(300 * 0.006)
    assert [flow.first_ns for flow in one.flows] == sorted(flow.first_ns for flow in one.flows)
    assert one.work_hashes == pytest.approx(300 * 16 * 2**48 / 65535)


def test_records_come_in_order_of_time_and_have_stable_names() -> None:
    flows = example_flows()
    first, _ = run([event for flow in flows for event in flow])
    second, _ = run([event for flow in reversed(flows) for event in flow])
    assert first == second
    assert [one.first_ns for one in first] == sorted(one.first_ns for one in first)
    names = [one.finding_id if isinstance(one, Finding) else one.node_id for one in first]
    assert len(set(names)) == len(names)
    assert all(flow.key.flow_id < 1 << 53 for one in first if isinstance(one, Finding) for flow in one.flows)


def test_a_flow_that_never_closes_is_reported_at_the_end() -> None:
    stream = events(SHARE)[:-1]
    records, _ = run(stream)
    (one,) = records
    assert isinstance(one, Finding)
    assert one.shares.accepted == 1


def test_a_node_is_no_miner() -> None:
    records, counters = run(dialogue_events([type(lines("C x")[0])(0, bytes.fromhex(LEVIN))]))
    assert [type(one) for one in records] == [Node]
    assert counters["nodes"] == 1
    assert counters["findings"] == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=300)), max_size=12), st.sampled_from([6, 17]))
def test_any_bytes_are_survived(pieces: list[tuple[int, bytes]], proto: int) -> None:
    line = type(lines("C x")[0])
    run(dialogue_events([line(side, data) for side, data in pieces], proto=proto))


MUTATIONS = st.sampled_from(
    [
        "null",
        "[]",
        "{}",
        "-1",
        "1e400",
        "NaN",
        '"x"',
        "[[[[[]]]]]",
        '{"a":{"b":[]}}',
        "true",
        '"\\ud800"',
        '""',
        "1" * 300,
    ]
)
TEMPLATES = [
    '{"id":@,"method":"mining.subscribe","params":@}',
    '{"id":@,"method":"mining.authorize","params":[@,@]}',
    '{"id":@,"method":"mining.submit","params":[@,@,"00000001","689c3007","0a1b2c3d"]}',
    '{"id":@,"method":"mining.notify","params":[@,@,@,@,@,@,@,@,@]}',
    '{"id":@,"method":"mining.set_difficulty","params":[@]}',
    '{"id":@,"method":"mining.set_target","params":[@]}',
    '{"id":@,"result":@,"error":@}',
    '{"id":@,"method":"login","params":{"login":@,"pass":@,"agent":@,"algo":@}}',
    '{"id":@,"result":{"id":@,"job":{"blob":@,"job_id":@,"target":@},"status":@}}',
    '{"id":@,"method":"job","params":{"blob":"' + "ab" * 80 + '","job_id":@,"target":@}}',
    '{"id":@,"method":"submit","params":{"id":@,"job_id":@,"nonce":"00000000","result":"' + "ab" * 32 + '"}}',
    '{"id":@,"method":"eth_submitLogin","params":[@,@],"worker":@}',
    '{"id":@,"method":"eth_submitHashrate","params":[@,@]}',
    '{"id":@,"result":["0x' + "0" * 64 + '","0x' + "0" * 64 + '",@]}',
    '{"method":@,"params":@}',
]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("CS"), st.sampled_from(TEMPLATES), st.lists(MUTATIONS, min_size=10, max_size=10)),
        max_size=12,
    )
)
def test_messages_with_wrong_values_are_survived(said: list[tuple[str, str, list[str]]]) -> None:
    text = []
    for side, template, values in said:
        for value in values:
            template = template.replace("@", value, 1)
        text.append(f"{side} {template}")
    records, _ = run(events("\n".join(text) or "C {}"))
    for one in records:
        if isinstance(one, Finding):
            assert one.shares.submitted == one.shares.accepted + one.shares.rejected + one.shares.unanswered


def test_hostile_payloads_are_survived_and_counted() -> None:
    hostile = [
        b"{" * 60_000,
        b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}\n",
        b"\xff\x00" * 1_000 + b"\n",
        b'{"id":1' + b"0" * 400 + b"}\n",
        b"x" * (1 << 20),
    ]
    line = type(lines("C x")[0])
    _, counters = run(dialogue_events([line(n % 2, data) for n, data in enumerate(hostile)]))
    assert counters["malformed_not_json"] >= 1
    assert counters["malformed_nesting"] + counters["malformed_oversize"] >= 2


def test_events_without_their_flow_are_counted() -> None:
    stray: list[Event] = [
        Chunk(9, 1, 0, 0, 0, b"x"),
        Close(9, 1, "end", 1, 1, (1, 0), (1, 0), 0, 0),
        Hit(9, 1, 0, 0, 0),
        Shape(9, 1, 0, 0, 0.5),
    ]
    _, counters = run([*stray, End("f", 0, None, 0), End("g", 0, "truncated", 9)])
    assert counters["chunks_without_flow"] == counters["closes_without_flow"] == 1
    assert (counters["sources"], counters["sources_failed"]) == (2, 1)


def test_open_flows_are_bounded_and_what_mined_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.line.pipeline.MAX_OPEN_FLOWS", 3)
    mining = events(SHARE, flow=1)
    idle = [events("C {}", flow=n)[0] for n in range(2, 9)]
    pipeline = Pipeline(shipped())
    pipeline.step([*mining[:-1], *idle])
    assert pipeline.counters["flows_open"] == 3
    assert pipeline.counters["sessions_evicted"] == 5
    assert len([one for one in pipeline.finish() if isinstance(one, Finding)]) == 1


def test_findings_and_nodes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.line.lifecycle.MAX_FINDINGS", 1)
    monkeypatch.setattr("sensor.line.pipeline.MAX_NODES", 1)
    line = type(lines("C x")[0])
    pipeline = Pipeline(shipped())
    for number, login in enumerate(("a.b", "c.d")):
        pipeline.step(events(SHARE.replace("acct.rig", login), flow=number))
    for number in (5, 6):
        pipeline.step(dialogue_events([line(0, bytes.fromhex(LEVIN))], flow=number))
    assert len(pipeline.finish()) == 2
    assert pipeline.counters["findings_refused"] == pipeline.counters["nodes_refused"] == 1


def test_capture_loss_is_the_share_of_bytes_not_seen() -> None:
    stream = events(SHARE)
    seen = sum(len(one.data) for one in stream if isinstance(one, Chunk))
    closed = stream[-1]
    assert isinstance(closed, Close)
    (one,), _ = run([*stream[:-1], closed._replace(gap_bytes=seen)])
    assert isinstance(one, Finding)
    assert one.capture_loss == 0.5


def test_the_community_id_is_that_of_the_specification() -> None:
    vector = community_id(6, (bytes([128, 232, 110, 120]), 34855), (bytes([66, 35, 250, 204]), 80))
    assert vector == "1:LQU9qZlK+B5F3KDmev6m5PMibrg="


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([4, 16]), st.data())
def test_the_community_id_is_that_of_the_reference(size: int, data: st.DataObject) -> None:
    one, other = (data.draw(st.binary(min_size=size, max_size=size)) for _ in range(2))
    ports = data.draw(st.tuples(st.integers(0, 65535), st.integers(0, 65535)))
    proto = data.draw(st.sampled_from([6, 17]))
    make = communityid.FlowTuple.make_tcp if proto == 6 else communityid.FlowTuple.make_udp
    wanted = communityid.CommunityID().calc(make(one, other, *ports))
    assert community_id(proto, (one, ports[0]), (other, ports[1])) == wanted
    assert community_id(proto, (other, ports[1]), (one, ports[0])) == wanted


def test_the_flow_id_depends_on_the_flow_alone() -> None:
    opened = events(SHARE)[0]
    assert isinstance(opened, Open)
    turned = opened._replace(
        orig_addr=opened.resp_addr,
        orig_port=opened.resp_port,
        resp_addr=opened.orig_addr,
        resp_port=opened.orig_port,
        flow=77,
    )
    assert flow_id(opened, 5) == flow_id(turned, 5) != flow_id(opened, 6)
