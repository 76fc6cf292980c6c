"""The accounts of a configuration, opened."""

from __future__ import annotations

from sensor.audit.trail import AuditTrail
from sensor.model.time import HOUR_NS, MINUTE_NS
from sensor.people.door import PeopleDoor
from sensor.people.passwords import PasswordHashes
from sensor.people.sessions import SessionRules
from sensor.people.store import PeopleStore, people_place
from sensor.settings.desk import PeopleSettings


def open_door(
    ledger_url: str, settings: PeopleSettings, trail: AuditTrail, hashes: PasswordHashes | None = None
) -> PeopleDoor:
    """Everything that is asked of accounts; close it before the trail. Raises PeopleError."""
    times = SessionRules(settings.idle_minutes * MINUTE_NS, settings.session_hours * HOUR_NS)
    return PeopleDoor(PeopleStore(people_place(ledger_url, settings.url)), trail, times, hashes)
