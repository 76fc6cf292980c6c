"""`minewatch ledger backup --all`, `ledger restore FOLDER` and `ledger move`: ledger, accounts, audit and attachments
together. Arguments, sentences and exit codes; what is done is in `sensor/copies`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli.audited import open_trail
from sensor.cli.frame import exit_on, say
from sensor.cli.json_text import print_json
from sensor.model.exit_codes import BUSY, OK, RUN_ERROR

if TYPE_CHECKING:
    from sensor.copies.places import DeskPlaces
    from sensor.daemon.configuration import Configuration
    from sensor.ledger.care import Restorer
    from sensor.model.audit_head import AuditAnchor


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """One action. Raises CommandError."""
    from sensor.ledger.care import LedgerUsedError
    from sensor.ledger.store.errors import LedgerError

    action = {"backup": _backup, "restore": _restore, "move": _move}[options.action]
    with exit_on(LedgerError, code=RUN_ERROR), exit_on(LedgerUsedError, code=BUSY):
        return action(options, settings)


def desk_places(settings: Configuration) -> DeskPlaces:
    """Where the stores of the configured desk stand. Raises LedgerError."""
    from sensor.copies.places import DeskPlaces
    from sensor.ledger.replay import files_of
    from sensor.ledger.store.beside import StorePlace, place_beside

    url = settings.ledger.url
    people = place_beside(url, "people", settings.people.url)
    audit = place_beside(url, "audit", settings.audit.url)
    files = files_of(settings.ledger)
    folder = None if files is None else files.path
    return DeskPlaces(StorePlace("ledger", url), people, audit, folder, settings.audit.hash)


def _backup(options: argparse.Namespace, settings: Configuration) -> int:
    from sensor.audit.entry import AuditEntry
    from sensor.audit.system_user import system_actor
    from sensor.copies.back_up import back_up_desk
    from sensor.ledger import care

    source, now_ns = care.file_of(settings.ledger.url), time.time_ns()
    target = Path(options.file) if options.file is not None else source.parent
    if target.is_dir():
        target = target / f"{source.name}.desk-{care.stamp(now_ns)}"
    with open_trail(settings) as trail:  # whoever has the copy has all that is in it
        trail.record(AuditEntry(system_actor(), "export", "desk.backup", now_ns, {"folder": str(target)}))
        manifest, faults = back_up_desk(desk_places(settings), target, now_ns)
    stores, files = list(manifest.stores), len(manifest.attachments)
    if options.json:
        answer = {"ledger": str(source), "copy": str(target), "size_bytes": manifest.size_bytes, "faults": list(faults)}
        print_json({**answer, "stores": stores, "attachments": files})
    else:
        print(f"{target}: {', '.join(stores)} and {files} attachments, {manifest.size_bytes / 1e6:.1f} MB")
    for fault in faults:
        say(f"what was copied is damaged: {fault}")
    return RUN_ERROR if faults else OK


def _restore(options: argparse.Namespace, settings: Configuration) -> int:
    from sensor.audit.system_user import system_actor
    from sensor.copies.places import file_of_place
    from sensor.copies.restore import restore_desk

    folder, places = Path(options.file), desk_places(settings)
    done = restore_desk(places, folder, _restorer(), system_actor(), _anchors(settings))
    former, stores = [str(path) for path in done.former], list(done.manifest.stores)
    if options.json:
        ledger = str(file_of_place(places.ledger))
        its = next((path for path in former if path.startswith(f"{ledger}.before-restore")), None)
        more = {"stores": stores, "sessions_ended": done.sessions_ended, "remarks": list(done.remarks)}
        print_json({"ledger": ledger, "restored_from": str(folder), "former": its, **more})
    else:
        print(f"{', '.join(stores)} are those of {folder} now; {done.sessions_ended} sessions ended")
        for path in former:
            print(f"what was there is kept as {path}")
    for remark in done.remarks:
        say(remark)
    return OK


def _restorer() -> Restorer:
    from sensor.intake.process import is_running, this_process
    from sensor.ledger.care import Restorer

    return Restorer(this_process(), is_running, time.time_ns())


def _anchors(settings: Configuration) -> list[AuditAnchor]:
    """The heads in `audit.anchors`, as far as they can be read."""
    from sensor.audit.anchor import read_anchors
    from sensor.audit.store import AuditError

    if settings.audit.anchors is None or not Path(settings.audit.anchors).exists():
        return []
    try:
        return read_anchors([Path(settings.audit.anchors)], None)[0]
    except AuditError as error:
        say(str(error))
        return []


def _move(options: argparse.Namespace, settings: Configuration) -> int:
    from sensor.audit.system_user import system_actor
    from sensor.copies.move import move_desk
    from sensor.ledger.care import shown

    places = desk_places(settings)
    done = move_desk(places, options.to, _restorer(), system_actor())
    if options.json:
        print_json({"from": shown(settings.ledger.url), "to": done.shown, "rows": done.rows, "audit": done.audit})
    else:
        print(f"{sum(done.rows.values())} rows of {len(done.rows)} tables are in {done.shown} now, each as it was")
        print("write its URL into ledger.url; what was there is unchanged, and is that of before from now on")
    files = places.attachments
    if files is not None and files.is_dir() and settings.ledger.attachments is None:
        say(f"files of cases stay where they are: write {files} into ledger.attachments, too, or copy the folder")
    return OK
