"""`minewatch people tidy`, and the same once a day for as long as the console runs."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from sensor.cli.json_text import print_json
from sensor.model.exit_codes import OK

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.people.door import PeopleDoor
    from sensor.people.tidying import TidiedDesk


def run(options: argparse.Namespace, settings: Configuration, door: PeopleDoor) -> int:
    """Remove what is kept no longer, and say how much that was. Raises PeopleError, AuditError."""
    done = tidied(settings, door)
    rows = 0 if done.audit is None else done.audit.removed
    if options.json:
        print_json({**done.people._asdict(), "audit_rows": rows})
        return OK
    for name, count in {**done.people._asdict(), "rows of the audit": rows}.items():
        print(f"{name}: {count} went")
    return OK


def tidied(settings: Configuration, door: PeopleDoor) -> TidiedDesk:
    """What went of the configured desk. Raises PeopleError, AuditError."""
    from sensor.audit.store import audit_place
    from sensor.audit.system_user import system_actor
    from sensor.people.tidying import tidy

    place = audit_place(settings.ledger.url, settings.audit.url)
    return tidy(door, place, (settings.people, settings.audit), system_actor(), time.time_ns())
