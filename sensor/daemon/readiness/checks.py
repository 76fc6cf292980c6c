"""Everything that a start needs, in the order in which it would be asked for. Opens nothing for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sensor.daemon.intake import MEMORY_NAME
from sensor.daemon.readiness.ledger import check_ledger
from sensor.daemon.readiness.places import check_read_folder, check_written_file, check_written_folder
from sensor.daemon.readiness.receivers import check_exporters
from sensor.daemon.readiness.result import CheckResult
from sensor.daemon.readiness.user import SensorUser
from sensor.daemon.sensor_id import SensorIdError, sensor_id, state_folder
from sensor.daemon.setup import Setup
from sensor.intake.interfaces import list_interfaces


def check_start(setup: Setup, user: SensorUser) -> list[CheckResult]:
    """Whether a sensor of this setup would start as this user."""
    return [
        *_identity(setup),
        *check_ledger(setup.config.ledger.url, user),
        *_capture(setup, user),
        *_evidence(setup, user),
        *check_exporters(setup.config.exporters, user),
    ]


def _identity(setup: Setup) -> Iterator[CheckResult]:
    try:
        identity = sensor_id(setup.config.sensor_id, state_folder(setup.config.ledger.url), make=False)
    except SensorIdError as error:
        yield CheckResult("sensor_id", "failure", str(error), "set sensor_id in the configuration")
        return
    yield CheckResult("sensor_id", "ok", identity or "none yet; a start makes one beside the ledger")


def _capture(setup: Setup, user: SensorUser) -> Iterator[CheckResult]:
    capture = setup.config.capture
    if not (capture.interfaces or capture.folder or capture.stdin):
        mend = "capture.interfaces, capture.folder, or -i NAME"
        yield CheckResult("capture", "warning", "nothing to read is configured", mend)
    if capture.folder is not None:
        folder = Path(capture.folder)
        yield from check_read_folder("capture.folder", folder, user)
        if folder.is_dir():
            memory = Path(capture.memory) if capture.memory else folder / MEMORY_NAME
            yield from check_written_file("capture.memory", memory, user)
    if capture.interfaces:
        present = {interface.name: interface for interface in list_interfaces()}
        for settings in capture.interfaces:
            found = present.get(settings.name)
            part = f"interface {settings.name}"
            if found is None:
                names = ", ".join(sorted(present)) or "none"
                mend = "minewatch run --list-interfaces"
                yield CheckResult(part, "failure", f"there is none of this name; there are {names}", mend)
            elif not found.usable:
                mend = "setcap, or the unit's AmbientCapabilities=CAP_NET_RAW"
                yield CheckResult(part, "failure", found.why or "cannot be listened to", mend)
            elif found.state != "up":
                mend = f"ip link set {settings.name} up"
                yield CheckResult(part, "warning", found.why or f"it is {found.state}", mend)
            else:
                yield CheckResult(part, "ok", f"up, MTU {found.mtu}")


def _evidence(setup: Setup, user: SensorUser) -> Iterator[CheckResult]:
    if setup.config.evidence.folder is not None:
        yield from check_written_folder("evidence", Path(setup.config.evidence.folder), user)
