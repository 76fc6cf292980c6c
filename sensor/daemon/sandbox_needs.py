"""What a configuration needs of the host while the sensor runs: paths and ports, each with the key that asks for it.

Pure but for the web configuration file, which names files itself. A reload is held against the same list.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from exporters.kinds import eve, prometheus, syslog
from exporters.settings import PATH
from exporters.transports.kafka import KafkaSettings
from sensor.daemon.configuration import Configuration
from sensor.serve.access import named_files
from sensor.settings.config import AUTO
from sensor.settings.document import ConfigKey

STDOUT = "-"
POSTGRESQL_PORT = 5432
PORTS = {"http": 80, "https": 443}
#: Where libpq looks for passwords and certificates besides the URL (libpq-connect, "Environment Variables").
LIBPQ_FILES = ("PGPASSFILE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY")


class PathNeed(NamedTuple):
    """A path, and whether it is written. `folder`: all below it is needed, not a file of its parent."""

    key: ConfigKey
    path: Path
    write: bool = False
    folder: bool = False


class PortNeed(NamedTuple):
    """A port of TCP that is connected to."""

    key: ConfigKey
    port: int


def needed_paths(config: Configuration) -> Iterator[PathNeed]:
    """Every path of the configuration, a key each."""
    for number, name in enumerate(config.signatures.files):
        yield PathNeed(("signatures", "files", number), Path(name))
    for number, name in enumerate(config.names.lists):
        yield PathNeed(("names", "lists", number), Path(name))
    for coin, name in config.behaviour.blocks.items():
        yield PathNeed(("behaviour", "blocks", coin), Path(name))
    for number, source in enumerate(config.attribution.sources):
        for name in source.FILE_KEYS:
            if value := getattr(source, name):
                yield _pattern(("attribution", "sources", number, name), value)
    if config.attribution.divisions:
        yield PathNeed(("attribution", "divisions"), Path(config.attribution.divisions))
    if config.evidence.folder:
        yield PathNeed(("evidence", "folder"), Path(config.evidence.folder), write=True, folder=True)
    if config.ledger.attachments:  # files of persons who are forgotten go
        yield PathNeed(("ledger", "attachments"), Path(config.ledger.attachments), write=True, folder=True)
    if config.capture.folder:
        remembers = config.capture.memory is None
        yield PathNeed(("capture", "folder"), Path(config.capture.folder), write=remembers, folder=True)
    if config.capture.memory:
        yield PathNeed(("capture", "memory"), Path(config.capture.memory), write=True)
    if config.status.socket not in (None, AUTO):
        yield PathNeed(("status", "socket"), Path(str(config.status.socket)), write=True)
    yield from _ledger_paths(config.ledger.url)
    for key, instance in _instances(config):
        yield from _exporter_paths(key, instance)
    if config.policy is not None:
        yield from _exporter_paths(("policy",), config.policy)
        for number, name in config.policy.key_files:
            yield PathNeed(("policy", "keys", number), Path(name))


def needed_ports(config: Configuration) -> Iterator[PortNeed]:
    """Every port of TCP that is connected to, a key each."""
    for key, instance in (*_instances(config), *([(("policy",), config.policy)] if config.policy is not None else [])):
        if isinstance(instance, KafkaSettings):
            for number, broker in enumerate(instance.brokers):
                yield PortNeed((*key, "brokers", number), int(broker.rpartition(":")[2]))
            if (registry := getattr(instance, "schema_registry", None)) is not None:
                yield _of_url((*key, "schema_registry", "url"), registry.url)
        elif isinstance(instance, syslog.Config):
            if instance.transport != "udp":
                yield PortNeed((*key, "port"), instance.port or (6514 if instance.transport == "tls" else 514))
        elif url := getattr(instance, "url", None):
            yield _of_url((*key, "url"), url)
    try:
        url = make_url(config.ledger.url)
    except ArgumentError:
        return
    if url.get_backend_name() == "postgresql":
        given = " ".join(str(value) for name, value in url.query.items() if name in ("host", "port"))
        ports = {int(text) for text in re.findall(r"(?<![\w.])\d{1,5}(?![\w.])", given)}
        default = int(os.environ.get("PGPORT", "") or POSTGRESQL_PORT)
        for port in sorted({url.port or default, *ports}):
            yield PortNeed(("ledger", "url"), port)


def _of_url(key: ConfigKey, url: str) -> PortNeed:
    parts = urlsplit(url)
    return PortNeed(key, parts.port or PORTS.get(parts.scheme, 443))


def _instances(config: Configuration) -> Iterator[tuple[ConfigKey, Any]]:
    for kind, instances in config.exporters.items():
        for number, instance in enumerate(instances):
            yield ("exporters", kind, *([number] if len(instances) > 1 else [])), instance


def _exporter_paths(key: ConfigKey, instance: BaseModel) -> Iterator[PathNeed]:
    for name, info in type(instance).model_fields.items():
        value = getattr(instance, name)
        if isinstance(value, BaseModel):
            yield from _exporter_paths((*key, name), value)
        elif info.json_schema_extra == PATH and isinstance(value, str) and value != STDOUT:
            yield PathNeed((*key, name), Path(value), write=isinstance(instance, eve.Config))
    if isinstance(instance, prometheus.Config) and instance.web_config_file:
        for path in named_files(Path(instance.web_config_file)):
            yield PathNeed((*key, "web_config_file"), path)


def _ledger_paths(text: str) -> Iterator[PathNeed]:
    key: ConfigKey = ("ledger", "url")
    try:
        url = make_url(text)
    except ArgumentError:
        return
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            yield PathNeed(key, Path(url.database), write=True)
        return
    values = [value for value in url.query.values() if isinstance(value, str) and value.startswith("/")]
    for value in (*values, *filter(None, map(os.environ.get, LIBPQ_FILES))):
        yield PathNeed(key, Path(value))
    for name in (".pgpass", ".pg_service.conf"):
        yield PathNeed(key, Path.home() / name, folder=True)  # itself alone, not the home
    yield PathNeed(key, Path.home() / ".postgresql", folder=True)


def _pattern(key: ConfigKey, text: str) -> PathNeed:
    """A file, or the folder above the first wildcard."""
    path = Path(text)
    wild = next((at for at, part in enumerate(path.parts) if re.search(r"[*?\[]", part)), None)
    return PathNeed(key, path) if wild is None else PathNeed(key, Path(*path.parts[:wild]), folder=True)
