"""Takes the lease of this sensor for this process, and waits where only time tells that its last holder is gone."""

from __future__ import annotations

import time

from sensor.daemon.configuration import Configuration
from sensor.daemon.journal import Journal
from sensor.daemon.sensor_id import sensor_id, state_folder
from sensor.intake.process import is_running, this_process
from sensor.ledger import Ledger, LedgerLease

#: Seconds between two looks at a lease that may expire.
LOOK_S = 1.0


def identity_of(settings: Configuration) -> str:
    """The sensor's identity, made where there is none. Raises SensorIdError."""
    identity = sensor_id(settings.sensor_id, state_folder(settings.ledger.url))
    assert identity is not None  # it is made where there is none
    return identity


def take_lease(ledger: Ledger, journal: Journal) -> LedgerLease:
    """The lease, held, and the sensor begun. Raises LeaseHeldError or LedgerError."""
    lease = ledger.lease(this_process())
    looks = 0

    def pause() -> bool:
        nonlocal looks
        if not looks:
            journal.notice("ledger: its last writer ran elsewhere or before a restart; waiting until its lease expires")
        looks += 1
        time.sleep(LOOK_S)
        return True

    lease.acquire(time.monotonic_ns, time.time_ns, pause, is_running)
    if ledger.begin(time.time_ns()):
        journal.notice(f"ledger: sensor {ledger.reporter.sensor_id} was retired and is at work again")
    return lease
