"""`minewatch ledger backup|restore|check`: the ledger's file, while a sensor runs or after it was stopped; of a whole
desk `desk_copies.py`.

Arguments, sentences and exit codes; what is done is the ledger's (sensor/ledger/care.py).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli import desk_copies
from sensor.cli.audited import audited
from sensor.cli.frame import exit_on, say
from sensor.cli.json_text import print_json
from sensor.model.exit_codes import BUSY, OK, RUN_ERROR

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """One action on the ledger's file. Raises CommandError."""
    from sensor.ledger.care import LedgerUsedError
    from sensor.ledger.store.errors import LedgerError

    if options.action == "move" or getattr(options, "whole", False) or _is_folder(options):
        return desk_copies.run(options, settings)
    with exit_on(LedgerError, code=RUN_ERROR), exit_on(LedgerUsedError, code=BUSY):
        if options.action == "restore":
            return _restore(options, settings)
        return {"backup": _backup, "check": _check}[options.action](options, settings.ledger.url)


def _is_folder(options: argparse.Namespace) -> bool:
    """Whether what is to be restored is a copy of a whole desk."""
    return options.action == "restore" and Path(options.file).is_dir()


def _backup(options: argparse.Namespace, url: str) -> int:
    from sensor.ledger import care

    source = care.file_of(url)
    target = Path(options.file) if options.file is not None else source.parent
    if target.is_dir():
        target = target / f"{source.name}.backup-{care.stamp(time.time_ns())}"
    faults = care.back_up_to(url, target).faults
    size = target.stat().st_size
    if options.json:
        print_json({"ledger": str(source), "copy": str(target), "size_bytes": size, "faults": list(faults)})
    else:
        print(f"{target}: a copy of {source}, {size / 1e6:.1f} MB")
    for fault in faults:
        say(f"the ledger is damaged, and so is its copy: {fault}")
    return RUN_ERROR if faults else OK


def _restore(options: argparse.Namespace, settings: Configuration) -> int:
    from sensor.copies.forgotten import forget_again
    from sensor.intake.process import is_running, this_process
    from sensor.ledger import care

    url, file, remarks = settings.ledger.url, str(options.file), list[str]()
    by = care.Restorer(this_process(), is_running, time.time_ns())
    audit = desk_copies.desk_places(settings).audit
    with audited(settings, "ledger.restore", [], {"file": file}) as change:
        former = care.restore_from(
            url, Path(file), by, lambda fresh: remarks.extend(forget_again(fresh, audit, by.now_ns))
        )
        change.after = {"remarks": "; ".join(remarks)} if remarks else None
    if options.json:
        kept_as = None if former is None else str(former)
        place = str(care.file_of(url))
        print_json({"ledger": place, "restored_from": file, "former": kept_as, "remarks": remarks})
    else:
        print(f"the ledger is {file} now" + ("" if former is None else f"; the one before is kept as {former}"))
    for remark in remarks:
        say(remark)
    return OK


def _check(options: argparse.Namespace, url: str) -> int:
    from sensor.ledger import care

    began = time.monotonic()
    found = care.check(url)
    seconds = time.monotonic() - began
    if options.json:
        answer = {"ledger": care.shown(url), "sound": not found.faults, "schema": found.schema}
        months = [size._asdict() for size in found.months]
        its = {"records": found.records, "faults": list(found.faults), "seconds": round(seconds, 3)}
        print_json({**answer, **its, "months": months})
    else:
        for fault in found.faults:
            print(fault)
    if found.faults:
        say("the ledger is damaged: restore a copy (minewatch ledger restore FILE), or move it away")
        return RUN_ERROR
    if not options.json:
        for size in found.months:
            rows = "rows not counted yet" if size.rows is None else f"about {size.rows:,} rows"
            print(f"{size.table} {size.month or 'of no month'}: {size.size_bytes / 1e6:,.1f} MB, {rows}")
        print(f"sound: schema {found.schema or 'none'}, {found.records} records read, {seconds:.1f} s")
    return OK
