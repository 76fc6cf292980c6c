"""deploy/compose as it stands: its services, the secrets that its script makes, and configurations that read them where
the script put them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.conftest import DEPLOY, program

COMPOSE = DEPLOY / "compose"
TOOLS = DEPLOY.parent / "build" / "tools"
SENSORS = ("sensor-1", "sensor-2", "sensor-3")
COLLECTORS = ("collector-1", "collector-2")


def document() -> dict[str, Any]:
    """The compose file."""
    read: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
    return read


def services() -> dict[str, dict[str, Any]]:
    """Its services, with what they share merged."""
    found: dict[str, dict[str, Any]] = document()["services"]
    return found


def make_secrets(folder: Path, **names: str) -> Path:
    """Run the script; the folder that it filled."""
    program("openssl")
    command = ["sh", str(COMPOSE / "secrets.sh"), str(folder)]
    subprocess.run(command, check=True, capture_output=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **names})
    return folder


def mounted(service: str, secrets: Path) -> dict[str, Path]:
    """By the path within a service's container, the file that lies there."""
    files: dict[str, Path] = {}
    for volume in services()[service].get("volumes", ()):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            files[rest.partition(":")[0]] = (COMPOSE / source).resolve()
    for name, target in secrets_of(service):
        files[f"/run/secrets/{target}"] = secrets / Path(document()["secrets"][name]["file"]).name
    return files


def secrets_of(service: str) -> Iterator[tuple[str, str]]:
    """The secrets of a service: each by its name in the file and in the container."""
    for secret in services()[service].get("secrets", ()):
        named = isinstance(secret, Mapping)
        yield (secret["source"], secret["target"]) if named else (secret, secret)


def on_this_host(text: str, service: str, secrets: Path) -> str:
    """A configuration of a service, with the paths of its secrets on this host."""
    for inside, outside in sorted(mounted(service, secrets).items(), key=lambda item: -len(item[0])):
        if inside.startswith("/run/secrets/"):
            text = text.replace(inside, str(outside))
    return text
