"""The daily care of people's data: what is too old goes, is counted, and stands in the audit."""

from __future__ import annotations

from typing import NamedTuple

from sensor.audit.entry import AuditActor, AuditEntry
from sensor.audit.seal import SealedRows
from sensor.audit.store import AuditStore
from sensor.ledger.store.beside import StorePlace
from sensor.model.time import DAY_NS
from sensor.people.door import PeopleDoor
from sensor.people.retention import GonePeople, KeepingTimes, remove_old
from sensor.settings.desk import AuditSettings, PeopleSettings


class TidiedDesk(NamedTuple):
    """What went."""

    people: GonePeople
    audit: SealedRows | None


def tidy(
    door: PeopleDoor,
    audit: StorePlace,
    settings: tuple[PeopleSettings, AuditSettings],
    actor: AuditActor,
    now_ns: int,
) -> TidiedDesk:
    """Remove what is too old, of accounts and of the audit. Raises PeopleError, AuditError."""
    people, chain = settings
    with door.store.writing() as connection:
        gone = remove_old(connection, KeepingTimes.of(people), now_ns)
    if gone:  # the rows say what went; that old ones go is no change that somebody asks for
        after = {"accounts": gone.accounts, "keys": gone.tokens, "ended": gone.sessions, "places": gone.places}
        entry = AuditEntry(actor, "change", "people.tidy", now_ns, phase="done")
        door.trail.record(_with(entry, {**after, "failures": gone.failures}))
    store = AuditStore.open(audit, chain.hash)
    try:
        return TidiedDesk(gone, store.seal(now_ns - chain.keep_days * DAY_NS, now_ns))
    finally:
        store.close()


def _with(entry: AuditEntry, after: dict[str, int]) -> AuditEntry:
    return AuditEntry(entry.actor, entry.kind, entry.action, entry.at_ns, after=after, phase=entry.phase)
