"""What somebody does who speaks a dialect, and what one sender can make us say of it."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.ledger.write.merge import sum_parts
from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.line.suppress import Suppression
from sensor.model.events import Chunk, Close, Event
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.quantities import WatchedStretch
from sensor.model.time import DAY_NS, day_of
from sensor.model.time import SECOND_NS as NS
from sensor.settings.sections import FindingsSettings
from sensor.signatures.devices import OLDEST_YEAR, DeviceTable
from tests.session.dialogue import events, shipped

SIGN_IN = """C {"id":1,"method":"mining.subscribe","params":["watcher/1.0"]}
S {"id":1,"result":[[["mining.notify","1"]],"0000d85d",8],"error":null}
C {"id":2,"method":"mining.authorize","params":["acct.watch","x"]}
S {"error":null,"id":2,"result":true}
"""
DIFFICULTY = 'S {"id":null,"method":"mining.set_difficulty","params":[%s]}\n'
JOB = (
    'S {"id":null,"method":"mining.notify","params":["a%d",'
    '"46ae33b3b5b3a7fc3474b737bd0b9fd52f02f8b287e5d5a60c313e95085e308c","02","ff",[],"20000000","%s","66611111",true]}\n'
)
BITCOIN, SMALL = "170355f0", "1b0404cb"
SUBMIT = """C {"id":9,"method":"mining.submit","params":["acct.watch","a1","0000000000000001","66611112","1a2b3c4d"]}
S {"id":9,"result":true,"error":null}
"""
REPORTING = ReportingSettings(update_ns=300 * NS, close_ns=1_800 * NS, attempt_ns=60 * NS)


def spread(text: str, seconds: float) -> list[Event]:
    """A dialogue over so much time, its last messages at its end."""
    stream = events(text)
    first = stream[0].ts_ns  # type: ignore[union-attr]
    step = round(seconds * NS / max(1, len(stream) - 2))
    times = [first, *(first + min(number, len(stream) - 2) * step for number in range(len(stream) - 1))]
    moved = []
    for event, at_ns in zip(stream, times, strict=True):
        event = event._replace(ts_ns=at_ns) if hasattr(event, "ts_ns") else event
        moved.append(event._replace(last_ns=at_ns) if isinstance(event, Close) else event)
    return moved


def session(
    seconds: float, difficulty: int = 8192, nbits: str = BITCOIN, jobs: int = 60, more: str = ""
) -> list[Event]:
    given = "".join(JOB % (number, nbits) for number in range(jobs))
    return spread(SIGN_IN + DIFFICULTY % difficulty + given + more, seconds)


def found(stream: list[Event]) -> Finding:
    pipeline = Pipeline(shipped())
    pipeline.step(stream)
    (finding,) = (one for one in pipeline.finish() if isinstance(one, Finding))
    return finding


def test_who_reads_jobs_and_never_submits_is_an_observer_once_the_smallest_machine_would_have() -> None:
    watched = found(session(1_800))
    assert (watched.activity, watched.mines, watched.grade) == ("observer", False, Grade.SPEAKS)
    assert found(session(300)).activity == "mining"  # 175 GH/s may well be without a share for so long
    assert found(session(1_800, difficulty=1_000_000)).activity == "mining"


def test_the_highest_difficulty_of_a_session_is_the_one_that_excuses_it() -> None:
    jobs = "".join(JOB % (number, BITCOIN) for number in range(30))
    text = SIGN_IN + DIFFICULTY % 1_000_000 + jobs + DIFFICULTY % 8 + jobs
    assert found(spread(text, 1_800)).activity == "mining"


def test_an_algorithm_that_is_not_known_gives_no_verdict() -> None:
    assert found(session(1_800, nbits=SMALL)).activity == "mining"


def test_an_observer_that_submits_is_a_miner() -> None:
    assert found(session(1_800, more=SUBMIT)).activity == "mining"


def test_shares_that_the_capture_may_have_lost_are_no_proof_of_none() -> None:
    stream = session(1_800)
    last = max(at for at, event in enumerate(stream) if isinstance(event, Chunk) and event.direction == 1)
    lost = Chunk(*stream[last])._replace(
        direction=0, offset=4_000, gap=3_000, data=b'{"id":3,"method":"x","params":[]}\n'
    )
    assert found([*stream[:last], lost, *stream[last:]]).activity == "mining"


def test_a_session_that_is_answered_and_leaves_is_a_probe() -> None:
    assert found(session(5, jobs=2)).activity == "probe"
    assert found(session(90, jobs=2)).activity == "mining"


def test_a_session_that_the_capture_cuts_is_no_probe() -> None:
    assert found(session(5, jobs=2)[:-1]).activity == "mining"


@pytest.mark.parametrize("answer", ["", 'S {"id":2,"result":null,"error":[24,"Unauthorized worker",null]}\n'])
def test_a_sign_in_without_a_job_is_an_attempt_and_many_are_no_mine(answer: str) -> None:
    tried = 'C {"id":2,"method":"mining.authorize","params":["acct.watch","x"]}\n' + answer
    pipeline = Pipeline(shipped())
    for number in range(200):
        pipeline.step([event._replace(flow=number) for event in events(tried)])  # type: ignore[union-attr]
    (finding,) = (one for one in pipeline.finish() if isinstance(one, Finding))
    assert (finding.activity, finding.grade) == ("attempt", Grade.CONTACTED)


def test_what_is_no_mining_is_reported_only_where_that_is_asked_for() -> None:
    today = day_of(20_000 * DAY_NS)
    for stream in (session(1_800), session(5, jobs=2), events(SIGN_IN.splitlines()[2])):
        finding = found(stream)
        assert Suppression(FindingsSettings()).reason(finding, today) is not None
        asked = FindingsSettings.model_validate({"activities": ["mining", finding.activity]})
        assert Suppression(asked).reason(finding, today) is None


def test_a_running_sensor_waits_until_it_is_known_whether_a_session_only_watches() -> None:
    stream = session(1_800, difficulty=4096)
    pipeline = Pipeline(shipped(), reporting=REPORTING)
    reported = [one for event in stream for one in pipeline.step([event]) if isinstance(one, Finding)]
    assert reported
    assert {one.activity for one in reported} == {"observer"}
    pipeline = Pipeline(shipped(), reporting=REPORTING)
    mining = session(1_800, difficulty=4096, more=SUBMIT)
    states = [(one.state, one.activity) for e in mining for one in pipeline.step([e]) if isinstance(one, Finding)]
    assert states[0] == ("opened", "observer")
    assert states[-1] == ("updated", "mining")


def moved(part: WatchedStretch) -> WatchedStretch:
    return part._replace(start_ns=part.start_ns + 900 * NS, end_ns=part.end_ns + 900 * NS)


def test_parts_of_an_observer_are_one_observer_together() -> None:
    pieces = [found(session(seconds)) for seconds in (800, 800)]
    later = dataclasses.replace(
        pieces[1],
        exposures=tuple(
            dataclasses.replace(
                record,
                stretches=tuple(moved(part) for part in record.stretches),
                unrated_stretches=tuple(moved(part) for part in record.unrated_stretches),
            )
            for record in pieces[1].exposures
        ),
        last_ns=pieces[1].last_ns + 900 * NS,
        flows=[],
    )
    assert [piece.activity for piece in pieces] == ["mining", "mining"]
    assert sum_parts([pieces[0], later], {}).activity == "observer"


def test_the_smallest_machine_is_one_that_was_sold_and_is_no_toy_unless_it_says_that_it_is() -> None:
    table: DeviceTable = shipped().devices
    least = table.smallest_hps("sha256d")
    assert least is not None
    assert 1e11 < least < 1e12
    toy = next(row for row in table.devices if row.algorithm == "sha256d" and row.power_watts < 2.0)
    assert table.smallest_hps("sha256d", toy.model) == toy.hashrate_hps
    assert all(row.year is None or row.year > 0 for row in table.devices)
    assert table.smallest_hps("no such algorithm") is None
    assert OLDEST_YEAR == 2016
