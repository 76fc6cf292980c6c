"""The sensor's status on its local socket. A sensor works without it: what is in the way is said, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from exporters.forms import status as form
from sensor.daemon.journal import Journal
from sensor.daemon.sensor_id import state_folder
from sensor.model.status import Status
from sensor.serve.access import ServeError
from sensor.serve.status_socket import StatusSocket, default_path
from sensor.settings.config import AUTO, SensorSettings


def open_status_socket(
    settings: SensorSettings, sensor_id: str, source: Callable[[], Status], journal: Journal
) -> StatusSocket | None:
    """The socket that tells the status of `source`; None where none is wanted, or none can be had."""
    place = settings.status.socket
    if place is None:
        return None
    path = default_path(sensor_id, state_folder(settings.ledger.url)) if place == AUTO else Path(place)
    try:
        return StatusSocket(path, lambda: form.encode(source(), time.time_ns()))
    except ServeError as error:
        journal.warning(str(error))
        return None
