"""`minewatch ledger` with its actions: cases and what became of them, the mining list, the ledger's file.

Which action it is, and on which ledger; what an action does stands in the file of its name.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sensor.cli import (
    ledger_attachment,
    ledger_care,
    ledger_export,
    ledger_forget,
    ledger_list,
    ledger_sensors,
    ledger_set,
    ledger_shared,
    ledger_show,
)
from sensor.cli.frame import CommandError, flag_overrides, load_configuration, open_ledger, show_configuration
from sensor.model.exit_codes import USAGE

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger


def run(options: argparse.Namespace) -> int:
    """One action on the ledger of the configuration, which must exist. Raises CommandError."""
    settings = load_configuration(options, flag_overrides(options, "ledger"))
    if options.dump_config:
        return show_configuration(settings)
    if options.action in ("backup", "restore", "move", "check"):
        return ledger_care.run(options, settings)
    action = {
        "list": ledger_list.list_cases,
        "show": ledger_show.show,
        "set": ledger_set.set_case,
        "attachment": ledger_attachment.fetch,
        "export": ledger_export.export,
        "shared": ledger_shared.show,
        "sensors": _sensors,
        "forget": ledger_forget.run,
    }[options.action]
    missing = f"there is no ledger at {settings.ledger.url} (ledger.url, or --ledger)"
    to_write = options.action in ("set", "forget") or getattr(options, "sensors", None) in ("rename", "retire")
    with open_ledger(settings.ledger, missing=missing, to_write=to_write) as ledger:
        try:
            return action(options, settings, ledger)
        except ValueError as error:  # CaseError, DivisionError, and dates that are none
            raise CommandError(USAGE, f"ledger {options.action}: {error}") from None


def _sensors(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    if options.sensors == "rename":
        return ledger_sensors.rename(options, settings, ledger)
    if options.sensors == "retire":
        return ledger_sensors.retire(options, settings, ledger)
    return ledger_sensors.show(options, settings, ledger)
