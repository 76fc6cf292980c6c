"""How a command that changes something is written into the audit: before it is tried, and after it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sensor.cli.frame import CommandError
from sensor.model.exit_codes import RUN_ERROR

if TYPE_CHECKING:
    from sensor.audit.entry import Plain
    from sensor.audit.trail import AuditTrail, PendingChange
    from sensor.daemon.configuration import Configuration


@contextmanager
def open_trail(settings: Configuration) -> Iterator[AuditTrail]:
    """The audit of the configured ledger, closed at the end. Raises CommandError, also for every AuditError within."""
    from sensor.audit import opening
    from sensor.audit.store import AuditError

    try:
        trail = opening.open_trail(settings.ledger.url, settings.audit)
    except AuditError as error:
        raise CommandError(RUN_ERROR, str(error), "what cannot be audited is not done: nothing was changed") from None
    try:
        yield trail
    except AuditError as error:
        raise CommandError(RUN_ERROR, str(error)) from None
    finally:
        trail.close()


@contextmanager
def audited(
    settings: Configuration,
    action: str,
    objects: Sequence[str],
    query: Mapping[str, Plain],
    *,
    why: str = "",
    stated: str = "",
) -> Iterator[PendingChange]:
    """A change by whoever runs this command. It is not tried if no row says so first. Raises CommandError."""
    from sensor.audit.entry import AuditEntry
    from sensor.audit.system_user import system_actor

    entry = AuditEntry(system_actor(stated), "change", action, time.time_ns(), query, objects, why=why)
    with open_trail(settings) as trail, trail.change(entry) as pending:
        yield pending


def history_name(stated: str | None) -> str:
    """Who stands in a case's history: the user of the system; what is stated besides stands in brackets after him."""
    from sensor.audit.system_user import system_actor

    actor = system_actor()
    note = (stated or "").strip()
    return f"{actor.system_user} ({note})" if note else actor.system_user
