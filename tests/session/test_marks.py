"""Who speaks for many is marked, names and machines are counted in bounded memory, and a clear dialect is settled."""

from __future__ import annotations

import pytest

from sensor.line.machines import CROWD, carrier, machines
from sensor.line.pipeline import Pipeline
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.flow import FlowKey, FlowSummary
from sensor.model.quantities import Shares
from sensor.session.distinct import MAX_MARKS, Distinct
from tests.session.dialogue import events, findings, only, run, shipped

JOB = (
    '"abfac2575f41817930781732753dba0c11b288f00bbdfb41f064825c1cecc2bf","01","02",[],"20000000",'
    '"1a0ffff0","689c3000",true'
)
START = """
C {"id":1,"method":"mining.subscribe","params":["AGENT"]}
S {"id":1,"result":[[["mining.set_difficulty","1"],["mining.notify","2"]],"f1b0dee5",4],"error":null}
S {"id":null,"method":"mining.set_difficulty","params":[1024]}
S {"id":null,"method":"mining.notify","params":["a",JOB]}""".replace("JOB", JOB)


def share(number: int, login: str) -> str:
    return f"""
C {{"id":{number},"method":"mining.submit","params":["{login}","a","{number:08x}","689c3007","0a1b2c3d"]}}
S {{"id":{number},"result":true,"error":null}}"""


@pytest.mark.parametrize(
    ("agent", "aggregator"),
    [("xmrig-proxy/6.22.0", "xmrig-proxy"), ("XMRig/6.22.2", None), ("", None)],
)
def test_a_proxy_is_marked_by_its_agent(agent: str, aggregator: str | None) -> None:
    wallet = "84dovUPd7SMWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bW9qt4"
    login = f'{{"login":"{wallet}","pass":"x","agent":"{agent}"}}'
    assert only(f'C {{"id":1,"method":"login","params":{login}}}').aggregator == aggregator


@pytest.mark.parametrize(
    "agent", ["btccom-agent/2.0.0-mu", "NiceHash/1.0.0", "MRR-Hash/1.0.0", "braiins-farm-proxy/1", "v0.4.1-beta"]
)
def test_a_farms_agent_and_a_rentals_front_end_are_marked(agent: str) -> None:
    (found,) = findings(START.replace("AGENT", agent) + share(5, "acct.rig1"))
    assert found.aggregator is not None
    assert found.worker_count == 1


def test_many_names_on_one_connection_are_an_aggregator_and_counted() -> None:
    found = findings(
        START.replace("AGENT", "cgminer/4.11.1") + "".join(share(5 + n, f"acct.rig{n}") for n in range(40))
    )
    assert {(one.worker_count, one.machines_seen, one.aggregator) for one in found} == {(40, 40, "unnamed")}
    assert sum(one.shares.accepted for one in found) == 40


def test_one_machine_is_one_machine() -> None:
    (found,) = findings(START.replace("AGENT", "cgminer/4.11.1") + share(5, "acct.rig1") + share(6, "acct.rig1"))
    assert (found.worker_count, found.machines_seen, found.aggregator) == (1, 1, None)


def test_names_are_counted_exactly_and_then_estimated_whatever_their_order() -> None:
    names = [f"rig{n}" for n in range(20_000)]
    one, other, part = Distinct(), Distinct(), Distinct()
    for name in names:
        one.add(name)
    for name in reversed(names[5_000:]):
        other.add(name)
    for name in names[:9_000]:
        part.add(name)
    other.merge(part)
    assert one.count == other.count == pytest.approx(20_000, rel=0.15)
    few = Distinct()
    for name in names[: MAX_MARKS - 1] * 2:
        few.add(name)
    assert few.count == MAX_MARKS - 1
    assert Distinct().count == 0


def flow(worker: str | None, first: int, last: int, agent: str = "a") -> FlowSummary:
    key = FlowKey("192.0.2.1", first, "192.0.2.2", 3333, "TCP", first, "1:")
    return FlowSummary(key, first, last, "stratum-v1", "x", worker, agent, Shares(), (), False, "syn", "")


def test_connections_at_the_same_time_are_machines_and_later_ones_are_the_same() -> None:
    assert machines([flow("w", 0, 10), flow("w", 5, 15), flow("w", 15, 20)], 1) == 2
    assert machines([flow("w", 0, 10), flow("w", 11, 15)], 1) == 1
    assert machines([flow("w", 0, 10), flow("v", 11, 15), flow("v", 16, 17, "b")], 2) == 3
    assert machines([flow(None, 3, 3)], 0) == 1
    assert machines([flow(None, 3, 3)], 700) == 700


def test_what_carries_for_others() -> None:
    assert carrier("rental", "NiceHash", 0) == "NiceHash"
    assert carrier("proxy", None, 0) == "unnamed"
    assert carrier(None, "cgminer", CROWD) == "unnamed"
    assert carrier("node", "p2pool", CROWD - 1) is None


def test_a_clear_dialect_is_settled_and_the_others_are_given_up() -> None:
    text = START.replace("AGENT", "cgminer/4.11.1") + share(5, "acct.rig1")
    pipeline = Pipeline(shipped())
    pipeline.step(events(text))
    (found,) = (one for one in pipeline.finish() if isinstance(one, Finding))
    assert (found.dialect, found.grade, found.shares.accepted) == ("stratum-v1", Grade.ACCEPTED, 1)
    assert pipeline.counters["sessions_settled"] == 1
    assert pipeline.counters["readings_given_up"] > 5


def test_what_is_never_clear_is_settled_after_many_messages() -> None:
    records, counters = run(events("".join(share(5 + n, "acct.rig1") for n in range(200)), midstream=True))
    assert counters["sessions_settled"] == 1
    assert [(one.dialect, one.shares.accepted) for one in records if isinstance(one, Finding)] == [("stratum-v1", 200)]


def test_an_opinion_of_the_pool_alone_settles_nothing() -> None:
    _, counters = run(events('S {"id":null,"method":"mining.notify","params":["a",' + JOB + "]}", midstream=True))
    assert counters.get("sessions_settled", 0) == 0


def test_the_url_a_device_tells_is_kept_without_its_secret() -> None:
    info = '{"info.connection-url":"stratum+tcp://acct.r1:hush@pool.example:3333","info.hw-version":"BM1370","info.hw-id":"sn-0042"}'
    found = only(
        f"""C {{"id":1,"method":"mining.configure","params":[["info"],{info}]}}
            S {{"id":1,"result":{{"info":true}},"error":null}}"""
    )
    details = [piece.detail for piece in found.evidence if piece.detail["message"] == "configure"]
    assert details == [
        {"message": "configure", "hardware": "BM1370", "serial": "sn-0042", "endpoint": "pool.example:3333"}
    ]
    assert "hush" not in str(found)
