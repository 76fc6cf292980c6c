"""Everything that is loaded from the configuration and can be replaced while running: all of it, or nothing.

Every mistake is collected: a file with three of them is refused with three sentences. Knows no traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporters.destination import Unusable
from exporters.kinds.prometheus import Config as Metrics
from exporters.transports.kafka import client_settings, library
from sensor import signatures
from sensor.daemon import configuration
from sensor.daemon.behaviour import behaviour_rules
from sensor.daemon.configuration import Configuration
from sensor.delivery.delivery import AnyDestination, build_senders
from sensor.delivery.feeds import Hiding
from sensor.estimate import Assumptions
from sensor.evidence import EvidenceBounds, EvidenceFiles
from sensor.intake import engine
from sensor.intake.block_times import BlockFileError
from sensor.intake.packet_filter import FilterError, read_filter
from sensor.line.judged_session import USUAL_RULES, BehaviourRules
from sensor.line.lifecycle import ReportingSettings
from sensor.line.suppress import Suppression
from sensor.model.address import parse_network
from sensor.model.time import SECOND_NS
from sensor.policy.keys import KeyFileError, read_publics
from sensor.session.verify import Sampling
from sensor.settings.config import ConfigLayer
from sensor.settings.document import ConfigError
from sensor.settings.sections import CaptureSettings, InterfaceSettings
from sensor.signatures import SignatureSet

if TYPE_CHECKING:
    from sensor.attribution import Attributor

Check = configuration.ConfigurationCheck


@dataclass(frozen=True)
class ConfigurationSource:
    """Where the configuration comes from: the file, what lies over it, and `key=value` overrides."""

    path: Path | None
    overrides: Sequence[str] = ()
    layers: Sequence[ConfigLayer] = ()

    def shown(self, sentence: str) -> str:
        """A sentence in which files of layers have the names that whoever gave them knows."""
        for layer in self.layers:
            sentence = layer.shown(sentence)
        return sentence


class SetupError(ConfigError):
    """What is wrong, and which parts (RELOAD_KINDS) it is of."""

    def __init__(self, problems: Mapping[str, Sequence[str]]) -> None:
        super().__init__([problem for its in problems.values() for problem in its])
        self.by_part = problems

    @property
    def parts(self) -> frozenset[str]:
        """Those of which anything is wrong."""
        return frozenset(part for part, its in self.by_part.items() if its)

    def shown(self, change: Callable[[str], str]) -> SetupError:
        """The same with each sentence changed."""
        return SetupError({part: [change(problem) for problem in its] for part, its in self.by_part.items()})


@dataclass(frozen=True)
class Setup:
    """The configuration in force, and what was loaded from it."""

    config: Configuration
    signatures: SignatureSet
    suppression: Suppression
    attribution: Attributor | None
    destinations: Mapping[str, tuple[AnyDestination, Hiding]]
    metrics: Metrics | None
    captures: Mapping[str, engine.ListenOptions]  # by interface
    signatures_changed_ns: int  # of the newest signature file
    behaviour: BehaviourRules = USUAL_RULES

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
        exclude = self.config.capture.exclude
        networks = [parse_network(name) for name in exclude.networks]
        return [(excluded.network_address.packed, excluded.prefixlen) for excluded in networks], list(exclude.ports)


def load_setup(
    source: ConfigurationSource,
    previous: Setup | None = None,
    checks: Sequence[Check] = (),
    *,
    same_signatures: bool = False,
) -> Setup:
    """Read everything; nothing is opened that `previous` has open, and nothing of settings that fail a check.
    `same_signatures`: those of `previous` stay where the same files are named.

    Raises SetupError with all that is wrong.
    """
    try:
        return _load(source, previous, checks, same_signatures=same_signatures)
    except SetupError as error:
        raise error.shown(source.shown) from None


def _load(
    source: ConfigurationSource, previous: Setup | None, checks: Sequence[Check], *, same_signatures: bool
) -> Setup:
    try:
        settings = configuration.load(source.path, source.overrides, checks=checks, layers=source.layers)
    except ConfigError as error:
        raise SetupError({"config": error.problems}) from None
    problems: list[str] = []
    of_signatures: list[str] = []
    of_books: list[str] = []
    same = same_signatures and previous is not None and _signature_files(previous.config) == _signature_files(settings)
    loaded = previous.signatures if same and previous is not None else _signatures(settings, of_signatures)
    captures = {
        interface.name: options
        for interface in settings.capture.interfaces
        if (options := _listening(settings.capture, interface, problems)) is not None
    }
    destinations, unusable = build_senders(settings.exporters, settings.output.name_persons)
    problems += unusable
    attributor = _attributor(settings, previous, of_books)
    rules = _behaviour(settings, problems)
    _check_policy(settings, problems)
    if problems or of_signatures or of_books or loaded is None:
        raise SetupError({"config": problems, "signatures": of_signatures, "books": of_books})
    metrics: list[Any] = settings.exporters.get("prometheus", [])
    return Setup(
        config=settings,
        signatures=loaded,
        suppression=Suppression(settings.findings),
        attribution=attributor,
        destinations=destinations,
        metrics=metrics[0] if metrics else None,
        captures=captures,
        signatures_changed_ns=newest_change_ns(settings),
        behaviour=rules,
    )


def _behaviour(settings: Configuration, problems: list[str]) -> BehaviourRules:
    """What encrypted sessions are judged by; what cannot be read is added to the problems."""
    try:
        return behaviour_rules(settings.behaviour)
    except BlockFileError as error:
        problems.append(f"behaviour.blocks: {error}")
        return USUAL_RULES


def _check_policy(settings: Configuration, problems: list[str]) -> None:
    """Whether parcels could be proven and read; what cannot be is added to the problems."""
    if settings.policy is None:
        return
    try:
        read_publics(settings.policy.keys)
        library()
        client_settings(settings.policy)
    except KeyFileError as error:
        problems.append(f"policy.keys: {error}")
    except Unusable as error:
        problems.append(f"policy: {error}")


def _signature_files(settings: Configuration) -> tuple[list[str], list[str]]:
    return settings.signatures.files, settings.names.lists


def load_signatures(settings: Configuration) -> SignatureSet:
    """The signature files alone. Raises SetupError."""
    problems: list[str] = []
    loaded = _signatures(settings, problems)
    if loaded is None:
        raise SetupError({"signatures": problems})
    return loaded


def newest_change_ns(settings: Configuration) -> int:
    """When the newest signature file was changed, in nanoseconds; 0 if none can be read."""
    newest = 0
    with resources.as_file(resources.files("signatures")) as shipped:
        own = (*settings.signatures.files, *settings.names.lists)
        for path in (*shipped.rglob("*.yaml"), *(Path(name) for name in own)):
            try:
                newest = max(newest, path.stat().st_mtime_ns)
            except OSError:
                continue
    return newest


def _signatures(settings: Configuration, problems: list[str]) -> SignatureSet | None:
    try:
        return signatures.load(
            [Path(name) for name in settings.signatures.files], [Path(name) for name in settings.names.lists]
        )
    except signatures.SignatureError as error:
        problems += error.problems
        return None


def _listening(
    capture: CaptureSettings, interface: InterfaceSettings, problems: list[str]
) -> engine.ListenOptions | None:
    try:
        instructions = read_filter(interface.filter)
    except FilterError as error:
        problems.append(f"capture.interfaces: {interface.name}: filter: {error}")
        return None
    ring_bytes, cpus = capture.ring_bytes_of(interface), tuple(capture.cpus)
    return engine.ListenOptions(interface.promiscuous, ring_bytes, interface.snaplen, instructions, cpus)


def _attributor(settings: Configuration, previous: Setup | None, problems: list[str]) -> Attributor | None:
    if not settings.attribution.sources:
        return None
    from sensor.attribution import AttributionError, load_books  # with numpy, which is 15 MB of an idle daemon

    try:
        return load_books(settings.attribution, previous.attribution if previous else None)
    except AttributionError as error:
        problems += error.problems
        return None


def evidence_files(setup: Setup) -> EvidenceFiles | None:
    """Where packets of findings are kept, if the configuration says so."""
    settings = setup.config.evidence
    if settings.folder is None:
        return None
    bounds = EvidenceBounds(**settings.model_dump(exclude={"folder"}))
    return EvidenceFiles(Path(settings.folder), setup.signatures, bounds)
