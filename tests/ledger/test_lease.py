"""One process is a sensor: who is gone is followed at once, who lives is refused, who is elsewhere is waited
for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sensor.ledger.lease import BEAT_NS, LEASE_NS, LeaseHeldError, LeaseLostError, LedgerLease, holder_of, prove
from sensor.ledger.store.database import connect, writing
from sensor.model.sensor import ProcessIdentity
from sensor.model.time import SECOND_NS
from tests.ledger.servers import postgresql

HERE = ProcessIdentity("host-a", "boot-1", "pid:[1]", 100, 5_000)
BESIDE = dataclasses.replace(HERE, pid=101, started_ticks=6_000)
ELSEWHERE = dataclasses.replace(HERE, host="host-b")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = connect(f"sqlite:///{tmp_path}/ledger.db")
        yield made
        made.dispose()
        return
    with postgresql() as url:
        made = connect(url)
        yield made
        made.dispose()


class Clock:
    """A monotonic clock that a pause moves on; `beats` are the holder's while it is waited for."""

    def __init__(self, beats: Callable[[int], None] = lambda _: None) -> None:
        self.now_ns = 0
        self._beats = beats

    def pause(self) -> bool:
        self.now_ns += SECOND_NS
        self._beats(self.now_ns)
        return True


def acquire(lease: LedgerLease, clock: Clock, *, running: bool) -> None:
    lease.acquire(lambda: clock.now_ns, lambda: clock.now_ns, clock.pause, lambda _: running)


def test_a_free_lease_is_taken_at_once(engine: Engine) -> None:
    clock = Clock()
    acquire(LedgerLease(engine, "a", "run-1", HERE), clock, running=True)
    holder = holder_of(engine, "a")
    assert holder is not None
    assert (holder.sensor_id, holder.process, clock.now_ns) == ("a", HERE, 0)


def test_a_living_process_of_this_kernel_is_not_waited_for(engine: Engine) -> None:
    acquire(LedgerLease(engine, "a", "run-1", HERE), Clock(), running=True)
    clock = Clock()
    with pytest.raises(LeaseHeldError, match=r"sensor a \(process 100 on host-a\)"):
        acquire(LedgerLease(engine, "a", "run-2", BESIDE), clock, running=True)
    assert clock.now_ns == 0


def test_a_process_of_this_kernel_that_is_gone_is_followed_at_once(engine: Engine) -> None:
    acquire(LedgerLease(engine, "a", "run-1", HERE), Clock(), running=True)
    clock = Clock()
    acquire(LedgerLease(engine, "a", "run-2", BESIDE), clock, running=False)
    assert clock.now_ns == 0
    with writing(engine) as connection:
        prove(connection, "a", "run-2")


@pytest.mark.parametrize(
    "holder",
    [
        ELSEWHERE,
        dataclasses.replace(HERE, boot_id="boot-0"),
        dataclasses.replace(HERE, pid_namespace="pid:[2]"),
        dataclasses.replace(HERE, boot_id=""),
    ],
)
def test_a_holder_whose_process_cannot_be_looked_at_is_waited_for(engine: Engine, holder: ProcessIdentity) -> None:
    acquire(LedgerLease(engine, "a", "run-1", holder), Clock(), running=True)
    clock = Clock()
    acquire(LedgerLease(engine, "a", "run-2", HERE), clock, running=False)
    assert LEASE_NS <= clock.now_ns <= LEASE_NS + 2 * SECOND_NS


def test_a_holder_elsewhere_that_beats_is_refused(engine: Engine) -> None:
    other = LedgerLease(engine, "a", "run-1", ELSEWHERE)
    acquire(other, Clock(), running=True)
    clock = Clock(lambda now_ns: other.beat(now_ns, now_ns))
    with pytest.raises(LeaseHeldError):
        acquire(LedgerLease(engine, "a", "run-2", HERE), clock, running=False)
    assert clock.now_ns <= 2 * BEAT_NS


def test_waiting_can_be_stopped(engine: Engine) -> None:
    acquire(LedgerLease(engine, "a", "run-1", ELSEWHERE), Clock(), running=True)
    with pytest.raises(LeaseHeldError, match="before its lease expired"):
        LedgerLease(engine, "a", "run-2", HERE).acquire(lambda: 0, lambda: 0, lambda: False, lambda _: True)


def test_who_lost_the_lease_writes_nothing_more(engine: Engine) -> None:
    first = LedgerLease(engine, "a", "run-1", HERE)
    acquire(first, Clock(), running=True)
    acquire(LedgerLease(engine, "a", "run-2", BESIDE), Clock(), running=False)
    with pytest.raises(LeaseLostError, match="process 101"):
        first.beat(0, 0)
    with pytest.raises(LeaseLostError), writing(engine) as connection:
        prove(connection, "a", "run-1")
    first.release()  # takes nothing from the new holder
    assert holder_of(engine, "a") is not None


def test_a_lease_that_was_given_up_is_free(engine: Engine) -> None:
    lease = LedgerLease(engine, "a", "run-1", ELSEWHERE)
    acquire(lease, Clock(), running=True)
    lease.release()
    assert holder_of(engine, "a") is None
    acquire(LedgerLease(engine, "a", "run-2", HERE), Clock(), running=True)
