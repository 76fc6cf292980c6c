"""`minewatch ledger attachment CASE NUMBER --to FILE`: a file of a case, as it was attached, or not at all."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sensor.cli.audited import audited
from sensor.cli.frame import CommandError, os_reason
from sensor.cli.ledger_text import case_number
from sensor.cli.streams import private
from sensor.model.exit_codes import OK, RUN_ERROR

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger


def fetch(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Write it. Raises CommandError, ValueError for what is no case's number."""
    from sensor.ledger.replay import files_of

    number = case_number(options.case)
    if number is None:
        raise ValueError(f"{options.case!r} is no case's number")
    its = [file for file in ledger.reader.attachments(number) if file.number == options.number]
    folder = files_of(settings.ledger)
    if not its or its[0].removed_ns is not None or folder is None:
        raise CommandError(RUN_ERROR, f"case {number} has no attachment {options.number}")
    with audited(settings, "case.attachment", [f"case:{number}"], {"number": options.number, "sha256": its[0].sha256}):
        content = folder.read(its[0].sha256)
        try:
            with open(options.to, "wb", opener=private) as file:
                file.write(content)
        except OSError as error:
            raise CommandError(RUN_ERROR, f"--to {options.to}: cannot be written: {os_reason(error)}") from None
    print(f"{options.to}: {len(content)} bytes, sha256 {its[0].sha256}")
    return OK
