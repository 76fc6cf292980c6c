"""Encrypted sessions in the line: what a look gives does not depend on how records came, and room is bounded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from sensor.line.judged_session import BehaviourRules, JudgedSession
from sensor.line.pipeline import Pipeline
from sensor.line.sealed_flows import LATE_NS, LOOKS_AT_ONCE, SealedFlows
from sensor.line.sealed_hints import behaved
from sensor.model.encrypted import (
    APPLICATION_DATA,
    EncryptedClose,
    EncryptedEvent,
    EncryptedOpen,
    Records,
    SealedRecord,
    ServerHello,
)
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.time import MINUTE_NS, SECOND_NS
from tests.behaviour.evaluate import dialect_families, ordinary_families
from tests.session.dialogue import events as dialogue_events
from tests.session.dialogue import shipped

MINER, POOL = bytes((192, 0, 2, 7)), bytes((198, 51, 100, 9))
BEGAN_NS = 1_700_000_000 * SECOND_NS
HOUR_S = 3_600.0


def sealed(family: str, seed: int = 0, until_s: float = HOUR_S) -> list[SealedRecord]:
    """A session of an hour: its records as TLS 1.3 seals them."""
    families = dialect_families() | ordinary_families()
    trace, _ = families[family](random.Random(f"{family} {seed}"), until_s, 0.0)
    rows = zip(trace.times_ns, trace.directions, trace.lengths, strict=True)
    return [SealedRecord(BEGAN_NS + at, side, APPLICATION_DATA, n + 17, False) for at, side, n in rows]


def session_events(
    records: Sequence[SealedRecord], sizes: Iterator[int], number: int = 1, *, midstream: bool = False
) -> Iterator[EncryptedEvent]:
    """The events of a session whose records come in batches of at most these sizes, and of a minute, as a core's do."""
    first_ns, last_ns = records[0].ts_ns, records[-1].ts_ns
    ends = (MINER, 40_000 + number, POOL, 9200)
    yield EncryptedOpen(number, first_ns, "tls", *ends, "syn", midstream, first_ns, (), "example")
    if not midstream:
        yield ServerHello(number, first_ns, 1, 0x0304, 0x1301, b"")
    counts, at = [0, 0], 0
    while at < len(records):
        some = records[at : at + next(sizes)]
        batch = tuple(record for record in some if record.ts_ns <= some[0].ts_ns + MINUTE_NS)
        yield Records(number, batch[-1].ts_ns, (counts[0], counts[1]), batch)
        at += len(batch)
        for record in batch:
            counts[record.direction] += 1
    yield EncryptedClose(number, last_ns, "fin", (counts[0], counts[1]), 0)


def always(size: int) -> Iterator[int]:
    while True:
        yield size


def looked(events: Sequence[EncryptedEvent], most_bytes: int = 1 << 24) -> tuple[list[JudgedSession], SealedFlows]:
    flows, found = SealedFlows(shipped(), most_bytes=most_bytes), []
    for event in events:
        flows.take(event)
        found += flows.judged()
    return [*found, *flows.finish()], flows


def outcomes(judged: Sequence[JudgedSession]) -> list[tuple[object, ...]]:
    return [(each.looks[-1].grammar, each.looks[-1].trace, each.behaviour.behaves) for each in judged]


@pytest.mark.parametrize("family", ["cryptonote", "1 electrum"])
def test_looks_do_not_depend_on_how_records_come(family: str) -> None:
    records = sealed(family)
    whole, _ = looked([*session_events(records, always(16))])
    assert [each.looks[-1].at_s for each in whole[:2]] == [600, 1_800] or family != "cryptonote"
    sizes = random.Random(family)
    for cut in (always(1), always(7), iter(lambda: sizes.randint(1, 40), 0)):
        assert outcomes(looked([*session_events(records, cut)])[0]) == outcomes(whole)


def test_sessions_at_once_say_what_they_say_alone() -> None:
    families = ("cryptonote", "ethproxy", "1 electrum", "1 redis")
    alone, together = [], []
    for number, family in enumerate(families, 1):
        events = [*session_events(sealed(family), always(16), number)]
        alone += outcomes(looked(events)[0])
        together += events
    together.sort(key=lambda event: event.ts_ns)
    assert sorted(map(str, outcomes(looked(together)[0]))) == sorted(map(str, alone))


def test_a_session_without_its_first_records_was_joined() -> None:
    records = sealed("cryptonote")
    lost = [*records[:3], records[5]._replace(gap=True), *records[6:]]
    (first, *_), _ = looked([*session_events(lost, always(16))])
    assert not first.looks[-1].trace.opening
    assert first.looks[-1].records == sum(each.ts_ns <= lost[3].ts_ns + 600 * SECOND_NS for each in lost[3:])


def test_a_batch_that_was_dropped_counts_as_lost_records() -> None:
    events = [*session_events(sealed("cryptonote"), always(4))]
    del events[3]
    (first, *_), _ = looked(events)
    assert not first.looks[-1].trace.opening


def test_where_no_hello_was_seen_each_overhead_that_is_tried_is_paid_for() -> None:
    opened, *events = session_events(sealed("cryptonote")[20:], always(16), midstream=True)
    hello = ServerHello(1, opened.ts_ns, 1, 0x0304, 0x1301, b"")
    (known, *_), _ = looked([opened, hello, *events])
    (joined, *_), _ = looked([opened, *events])
    alone, tried = known.looks[-1].grammar, joined.looks[-1].grammar
    assert alone.p < 1e-5
    assert tried.p == pytest.approx(3 * alone.p)
    assert tried.tried >= alone.tried


def test_a_session_that_grows_fat_takes_its_chances_with_it() -> None:
    flows = SealedFlows(shipped(), BehaviourRules(blocks_ns={"XMR": range(BEGAN_NS, BEGAN_NS + 10**13, 10**11)}))
    *events, _ = session_events(sealed("cryptonote"), always(16))
    for event in events:
        flows.take(event)
        if any(each.beats for each in flows.judged()):
            break
    assert len(flows._tried) == 1
    flows.take(EncryptedClose(1, event.ts_ns, "fat", (0, 0), 0))
    assert len(flows._tried) == 0
    assert [*flows.finish()] == []


def test_a_look_waits_until_the_core_has_handed_everything_over() -> None:
    flows, records = SealedFlows(shipped()), sealed("cryptonote")
    events = [event for event in session_events(records, always(16)) if not isinstance(event, EncryptedClose)]
    due_ns = records[0].ts_ns + 600 * SECOND_NS
    for event in events:
        flows.take(event)
        found = [*flows.judged()]
        if found:
            assert event.ts_ns >= due_ns + LATE_NS
            break
    else:
        pytest.fail("nothing was looked at")


def test_what_nothing_explains_is_given_up_first_and_counted() -> None:
    mining, other = sealed("cryptonote"), sealed("1 electrum")
    events: list[EncryptedEvent] = []
    for number in range(1, 11):
        session = [*session_events(mining if number == 5 else other, always(16), number)]
        events += session[:-1]
    events.sort(key=lambda event: event.ts_ns)
    found, flows = looked(events, most_bytes=60_000)
    assert flows.counters["encrypted_given_up"] > 0
    assert flows.held_bytes == 0
    assert any(each.behaviour.behaves for each in found)


def test_sessions_that_end_together_are_looked_at_some_at_a_time_and_all_in_the_end() -> None:
    flows = SealedFlows(shipped())
    for number in range(1, 3 * LOOKS_AT_ONCE):
        for event in session_events(sealed("cryptonote", until_s=120.0), always(16), number):
            flows.take(event)
    assert len([*flows.judged()]) == LOOKS_AT_ONCE
    assert len([*flows.judged()]) == LOOKS_AT_ONCE
    assert len([*flows.finish()]) == LOOKS_AT_ONCE - 1
    assert flows.held_bytes == 0


def test_an_end_without_time_gives_sessions_up_and_counts_them() -> None:
    flows = SealedFlows(shipped())
    for number in range(1, 6):
        for event in [*session_events(sealed("cryptonote", until_s=300.0), always(16), number)][:-1]:
            flows.take(event)
    looks = iter((True, True, False, False, False))
    assert len([*flows.finish(lambda: next(looks))]) == 2
    assert (len(flows), flows.held_bytes, flows.counters["encrypted_given_up"]) == (0, 0, 3)


def test_a_session_that_behaves_is_a_finding_with_every_part_in_its_evidence() -> None:
    pipeline = Pipeline(shipped())
    records = pipeline.step(session_events(sealed("cryptonote"), always(16))) + pipeline.finish()
    (finding,) = (record for record in records if isinstance(record, Finding))
    assert (finding.grade, finding.dialect, finding.activity) == (Grade.BEHAVES, None, None)
    assert (finding.miner_ip, finding.pool_ip, finding.pool_port) == ("192.0.2.7", "198.51.100.9", 9200)
    detail = finding.evidence[0].detail
    assert {"p", "looks", "relations", "parts", "answered_shares", "lengths"} <= set(detail)
    assert pipeline.counters["encrypted_behaves"] > 0
    assert pipeline.counters["encrypted_looks"] > 0
    assert pipeline.counters["encrypted_records"] > 0


def test_other_sessions_are_no_findings() -> None:
    pipeline = Pipeline(shipped())
    events = [*session_events(sealed("1 electrum"), always(16), 1), *session_events(sealed("1 game"), always(16), 2)]
    assert pipeline.step(events) + pipeline.finish() == []


def test_a_session_that_does_not_behave_has_no_hint() -> None:
    for each in looked([*session_events(sealed("1 electrum"), always(16))])[0]:
        assert behaved(each, shipped().weights) is None


def test_blocks_are_learnt_from_jobs_in_clear_of_sessions_with_shares() -> None:
    inner = '{"blob":"BLOB","job_id":"J","target":"b88d0600","height":H,"algo":"rx/0"}'
    inner = inner.replace("BLOB", "1010" + "ab" * 74)
    job = f'{{"jsonrpc":"2.0","method":"job","params":{inner}}}'
    login = f'{{"id":1,"jsonrpc":"2.0","error":null,"result":{{"id":"s","job":{inner},"status":"OK"}}}}'
    sent = '{"id":"s","job_id":"J","nonce":"0a0b0c0d","result":"HASH"}'.replace("HASH", "00" * 32)
    share = f'{{"id":N,"method":"submit","params":{sent}}}'
    lines = ['C {"id":1,"method":"login","params":{"login":"4A","pass":"x","agent":"XMRig/6.21.0"}}']
    lines.append("S " + login.replace('"J"', '"0"').replace("H", "100"))
    for number in range(1, 40):
        lines.append("S " + job.replace('"J"', f'"{number}"').replace("H", str(100 + number // 10)))
        lines.append("C " + share.replace("N", str(number + 1)).replace('"J"', f'"{number}"'))
        lines.append('S {"id":N,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}'.replace("N", str(number + 1)))
    pipeline = Pipeline(shipped())
    pipeline.step(dialogue_events("\n".join(lines)))
    blocks = pipeline.sealed.blocks.between(0, 1 << 62)
    assert {coin: len(times) for coin, times in blocks.items()} == {"rx/0": 3}


def test_a_joined_session_is_read_either_way_round() -> None:
    records = sealed("cryptonote")[20:]
    opened, *events = session_events(records, always(16), midstream=True)
    assert isinstance(opened, EncryptedOpen)
    guessed = opened._replace(basis="first-seen")
    swapped = guessed._replace(orig_addr=POOL, orig_port=9200, resp_addr=MINER, resp_port=40_001)
    turned = [
        event._replace(records=tuple(each._replace(direction=1 - each.direction) for each in event.records))
        if isinstance(event, Records)
        else event
        for event in events
    ]
    turned = [event._replace(counts=event.counts[::-1]) if isinstance(event, Records) else event for event in turned]
    right, _ = looked([guessed, *events])
    wrong, _ = looked([swapped, *turned])
    assert [each.looks[-1].grammar.p for each in right] == [each.looks[-1].grammar.p for each in wrong]
    assert right[-1].ends == wrong[-1].ends
    assert right[-1].looks[-1].grammar.p <= 1e-5
