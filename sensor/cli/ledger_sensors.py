"""`minewatch ledger sensors list|rename|retire`: the sensors that told a ledger something, and what becomes of them.

Arguments and sentences; what a sensor means is the ledger's.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from sensor.answers.sensor_object import sensor_object, sensor_state
from sensor.cli.audited import audited
from sensor.cli.frame import CommandError
from sensor.cli.json_text import print_json
from sensor.cli.ledger_text import counted, print_table
from sensor.model.exit_codes import BUSY, OK, RUN_ERROR, USAGE
from sensor.model.sensor import valid_sensor_id
from sensor.model.time import MILLISECOND_NS, minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger
    from sensor.ledger.read.sensors import SensorSummary


def show(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Print all sensors."""
    if options.json:
        print_json({"sensors": [sensor_object(sensor) for sensor in ledger.reader.sensors()]})
        return OK
    rows = _rows(settings, ledger)
    if len(rows) > 1:
        print_table(rows)
    print(counted(len(rows) - 1, "sensor", "sensors"))
    return OK


def _rows(settings: Configuration, ledger: Ledger) -> list[tuple[str, ...]]:
    """A table of the sensors, headings first; only those if there are none."""
    zone = settings.ledger.zone
    table: list[tuple[str, ...]] = [("sensor", "state", "last report", "findings", "watched", "exporters", "clock")]
    table += [
        (
            sensor.sensor_id,
            _state(sensor),
            minute_text(sensor.last_ns, zone),
            str(sensor.findings),
            f"{sensor.watched_seconds / 3_600:.1f} h",
            ", ".join(sensor.exporters) or "-",
            sensor.clock_note or f"{sensor.clock_offset_ns / MILLISECOND_NS:+.0f} ms as stated",
        )
        for sensor in ledger.reader.sensors()
    ]
    return table


def rename(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Give a sensor another id. Raises CommandError."""
    from sensor.ledger.write.sensors import SensorError

    if not valid_sensor_id(options.new_id):
        wanted = "1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit"
        raise CommandError(USAGE, f"ledger sensors rename: {options.new_id!r} names no sensor: {wanted}")
    _refuse_running(options.sensor_id, ledger, "rename")
    try:
        with audited(settings, "sensor.rename", [f"sensor:{options.sensor_id}"], {"new_id": options.new_id}) as change:
            ledger.rename_sensor(options.sensor_id, options.new_id)
            change.before, change.after = {"sensor_id": options.sensor_id}, {"sensor_id": options.new_id}
    except SensorError as error:
        raise CommandError(RUN_ERROR, f"ledger sensors rename: {error}") from None
    if options.json:
        _print_sensor(options.new_id, ledger)
        return OK
    print(f"sensor {options.sensor_id} is {options.new_id} now; set sensor_id of its configuration to that as well")
    return OK


def retire(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """A sensor will not come back. Raises CommandError."""
    from sensor.ledger.write.sensors import SensorError

    _refuse_running(options.sensor_id, ledger, "retire")
    try:
        with audited(settings, "sensor.retire", [f"sensor:{options.sensor_id}"], {}) as change:
            ledger.retire_sensor(options.sensor_id, time.time_ns())
            change.before, change.after = {"retired": False}, {"retired": True}
    except SensorError as error:
        raise CommandError(RUN_ERROR, f"ledger sensors retire: {error}") from None
    if options.json:
        _print_sensor(options.sensor_id, ledger)
        return OK
    print(f"sensor {options.sensor_id} is retired: its silence closes no case and keeps none open")
    return OK


def _refuse_running(sensor_id: str, ledger: Ledger, action: str) -> None:
    running = next((sensor.running for sensor in ledger.reader.sensors() if sensor.sensor_id == sensor_id), None)
    if running is not None:
        raise CommandError(BUSY, f"ledger sensors {action}: sensor {sensor_id} is running ({running}): stop it first")


def _state(sensor: SensorSummary) -> str:
    state = sensor_state(sensor)
    return f"{state} ({sensor.running})" if state == "running" else state


def _print_sensor(sensor_id: str, ledger: Ledger) -> None:
    print_json({"sensor": next(sensor_object(its) for its in ledger.reader.sensors() if its.sensor_id == sensor_id)})
