"""Everything that is made from the configuration and can be replaced while running: built whole, or not at all.

Every mistake is collected: a file with three of them is refused with three sentences. Knows no traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from exporters.destination import Destination
from exporters.kinds.prometheus import Config as Metrics
from sensor import signatures
from sensor.attribution import AttributionError, Attributor
from sensor.daemon import configuration
from sensor.daemon.configuration import Configuration
from sensor.delivery import senders
from sensor.estimate import Assumptions
from sensor.intake import engine
from sensor.intake.packet_filter import FilterError, read_filter
from sensor.line.lifecycle import ReportingSettings
from sensor.line.suppress import Suppression
from sensor.model.time import SECOND_NS
from sensor.session.verify import Sampling
from sensor.settings.document import ConfigError
from sensor.settings.sections import Interface, network
from sensor.signatures import SignatureSet


@dataclass(frozen=True)
class Given:
    """What the command line says: the file, and overrides of single keys."""

    path: Path | None
    overrides: Sequence[str] = ()


@dataclass(frozen=True)
class Parts:
    """What is in force."""

    config: Configuration
    signatures: SignatureSet
    suppression: Suppression
    attribution: Attributor | None
    destinations: Mapping[str, tuple[Destination, bool]]
    metrics: Metrics | None
    captures: Mapping[str, engine.Capture]  # by interface
    signatures_changed_ns: int  # of the newest signature file

    @property
    def assumptions(self) -> Assumptions:
        return Assumptions(**self.config.estimate.model_dump())

    @property
    def sampling(self) -> Sampling:
        return Sampling(**self.config.verify.model_dump())

    @property
    def reporting(self) -> ReportingSettings:
        findings = self.config.findings
        return ReportingSettings(
            update_ns=findings.update_s * SECOND_NS,
            close_ns=findings.close_s * SECOND_NS,
            attempt_ns=findings.attempt_s * SECOND_NS,
        )

    @property
    def excluded(self) -> tuple[list[tuple[bytes, int]], list[int]]:
        """Networks (address, prefix length) and ports, as the core takes them."""
        left_out = self.config.capture.exclude
        networks = [network(name) for name in left_out.networks]
        return [(one.network_address.packed, one.prefixlen) for one in networks], list(left_out.ports)


def build(given: Given, previous: Parts | None = None) -> Parts:
    """Read everything. Raises ConfigError with all that is wrong; nothing is opened that the previous parts have open."""
    settings = configuration.load(given.path, given.overrides)
    problems: list[str] = []
    known = _signatures(settings, problems)
    captures = {one.name: made for one in settings.capture.interfaces if (made := _capture(one, problems)) is not None}
    destinations, unusable = senders(settings.exporters)
    problems += unusable
    owners = _books(settings, previous, problems)
    if problems or known is None:
        raise ConfigError(problems)
    metrics: list[Any] = settings.exporters.get("prometheus", [])
    return Parts(
        config=settings,
        signatures=known,
        suppression=Suppression(settings.findings),
        attribution=owners,
        destinations=destinations,
        metrics=metrics[0] if metrics else None,
        captures=captures,
        signatures_changed_ns=changed_ns(settings),
    )


def signatures_of(settings: Configuration) -> SignatureSet:
    """The signature files alone. Raises ConfigError."""
    problems: list[str] = []
    known = _signatures(settings, problems)
    if known is None:
        raise ConfigError(problems)
    return known


def changed_ns(settings: Configuration) -> int:
    """When the newest signature file was changed; 0 if none can be looked at."""
    newest = 0
    with resources.as_file(resources.files("signatures")) as shipped:
        for path in (*shipped.rglob("*.yaml"), *(Path(name) for name in settings.signatures.files)):
            try:
                newest = max(newest, path.stat().st_mtime_ns)
            except OSError:
                continue
    return newest


def _signatures(settings: Configuration, problems: list[str]) -> SignatureSet | None:
    try:
        return signatures.load([Path(name) for name in settings.signatures.files])
    except signatures.SignatureError as error:
        problems += error.problems
        return None


def _capture(interface: Interface, problems: list[str]) -> engine.Capture | None:
    try:
        instructions = read_filter(interface.filter)
    except FilterError as error:
        problems.append(f"capture.interfaces: {interface.name}: filter: {error}")
        return None
    return engine.Capture(interface.promiscuous, interface.ring_bytes, interface.snaplen, instructions)


def _books(settings: Configuration, previous: Parts | None, problems: list[str]) -> Attributor | None:
    if not settings.attribution.sources:
        return None
    try:
        return Attributor.load(settings.attribution, previous.attribution if previous else None)
    except AttributionError as error:
        problems += error.problems
        return None
