"""`minewatch ledger backup|restore|check`: the ledger's file, while a sensor runs or after it was stopped.

Arguments, sentences and exit codes; what is done is the ledger's (sensor/ledger/care.py).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli.frame import exit_on
from sensor.model.exit_codes import BUSY, OK, RUN_ERROR

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration


def run(options: argparse.Namespace, settings: Configuration) -> int:
    """One action on the ledger's file. Raises CommandError."""
    from sensor.ledger.care import LedgerUsedError
    from sensor.ledger.store.errors import LedgerError

    url = settings.ledger.url
    with exit_on(LedgerError, code=RUN_ERROR), exit_on(LedgerUsedError, code=BUSY):
        if options.action == "check":
            return _check(url)
        return _backup(options.file, url) if options.action == "backup" else _restore(options.file, url)


def _backup(file: str | None, url: str) -> int:
    from sensor.ledger import care

    source = care.file_of(url)
    target = Path(file) if file is not None else source.parent
    if target.is_dir():
        target = target / f"{source.name}.backup-{care.stamp(time.time_ns())}"
    integrity = care.back_up_to(url, target)
    print(f"{target}: a copy of {source}, {target.stat().st_size / 1e6:.1f} MB")
    for fault in integrity.faults:
        print(f"minewatch: the ledger is damaged, and so is its copy: {fault}", file=sys.stderr)
    return RUN_ERROR if integrity.faults else OK


def _restore(file: str, url: str) -> int:
    from sensor.intake.process import is_running, this_process
    from sensor.ledger import care

    former = care.restore_from(url, Path(file), care.Restorer(this_process(), is_running, time.time_ns()))
    print(f"the ledger is {file} now" + ("" if former is None else f"; the one before is kept as {former}"))
    return OK


def _check(url: str) -> int:
    from sensor.ledger import care

    began = time.monotonic()
    found = care.check(url)
    for fault in found.faults:
        print(fault)
    if found.faults:
        print("the ledger is damaged: restore a copy (minewatch ledger restore FILE), or move it away", file=sys.stderr)
        return RUN_ERROR
    seconds = time.monotonic() - began
    print(f"sound: schema {found.schema or 'none'}, {found.records} records read, {seconds:.1f} s")
    return OK
