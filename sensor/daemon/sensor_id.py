"""The identity of this sensor: as configured, or made once and kept in the state folder, so that it outlives the
process.

A container's file system goes with it, and two containers of one image must not share an identity: there it has to be
configured.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from sensor.ledger.store.ownership import belong_to_folder
from sensor.model.sensor import valid_sensor_id

FILE = "sensor-id"
#: Where state is kept if neither systemd nor the ledger's place says otherwise (hier(7)).
STATE_FOLDER = Path("/var/lib/minewatch")
#: Set by systemd for a unit with StateDirectory=. In a container it stands for a system that keeps its files.
STATE_VARIABLE = "STATE_DIRECTORY"
#: What podman and docker put into a container, and the variable by which systemd's Container Interface tells it.
CONTAINER_FILES = (Path("/run/.containerenv"), Path("/.dockerenv"))
CONTAINER_VARIABLE = "container"
#: File systems that go with a container. A virtual machine made from an image keeps the image's marker files.
LAYERED = frozenset({"overlay", "aufs", "fuse-overlayfs", "fuse.fuse-overlayfs"})
MOUNTS = Path("/proc/self/mountinfo")


class SensorIdError(Exception):
    """There is no identity, and none can be made; one sentence that says what to configure."""


def sensor_id(
    configured: str | None, folder: Path, environment: Mapping[str, str] = os.environ, *, make: bool = True
) -> str | None:
    """The identity of this sensor; None where there is none yet and none is to be made.

    Raises SensorIdError where it has to be configured, or the kept one cannot be read or written.
    """
    if configured is not None:
        return configured
    place = folder / FILE
    identity = _read_identity(place)
    if identity is not None:
        return identity
    if in_container(environment) and not environment.get(STATE_VARIABLE):
        raise SensorIdError("sensor_id: must be set in a container: what is kept in it goes with it")
    return _make(place) if make else None


def state_folder(ledger_url: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where state is kept: what systemd gives (StateDirectory=), else beside the ledger's file."""
    given = environment.get(STATE_VARIABLE, "").split(":")[0]
    if given:
        return Path(given)
    with contextlib.suppress(ArgumentError):
        url = make_url(ledger_url)
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            return Path(url.database).absolute().parent
    return STATE_FOLDER


def in_container(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in a container."""
    if environment.get(CONTAINER_VARIABLE):
        return True
    return any(path.exists() for path in CONTAINER_FILES) and _root_is_layered()


def _root_is_layered() -> bool:
    """Whether the root's file system is a container's (proc_pid_mountinfo(5): the type follows the lone hyphen)."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    mounts = (line.split() for line in lines)
    return any(
        fields[4] == "/" and fields[fields.index("-") + 1] in LAYERED
        for fields in mounts
        if "-" in fields[5:-1] and len(fields) > 6
    )


def _read_identity(place: Path) -> str | None:
    try:
        text = place.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SensorIdError(f"{place}: {_reason(error)}; or set sensor_id") from None
    if not valid_sensor_id(text):
        raise SensorIdError(f"{place}: holds no identity of a sensor; delete it, or set sensor_id")
    return text


def _make(place: Path) -> str:
    """Make one from the host's name; of two processes that make one at once, both have the same."""
    host = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname()).strip("-")[:40] or "sensor"
    fresh = place.with_name(f"{FILE}.{secrets.token_hex(8)}")
    try:
        fresh.write_text(f"{host}-{secrets.token_hex(4)}\n", encoding="utf-8")
        belong_to_folder(fresh)
        try:
            os.link(fresh, place)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    except OSError as error:
        raise SensorIdError(f"{place}: cannot be written: {_reason(error)}; or set sensor_id") from None
    identity = _read_identity(place)
    if identity is None:
        raise SensorIdError(f"{place}: was taken away while it was written; or set sensor_id")
    return identity


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or "not text").lower()
