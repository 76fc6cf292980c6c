"""What a replay takes from the configuration, and what it takes where nothing is configured.

Checking a configuration is slow to begin: a replay without one takes the built-in defaults as they stand in the parts
that use them. A test compares them with those of the configuration.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.cli.frame import flag_overrides, load_configuration

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.estimate import Assumptions
    from sensor.intake.engine import EngineName
    from sensor.line.suppress import SuppressionRules
    from sensor.session.verify import Sampling


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """The settings of one replay."""

    engine: EngineName = "auto"
    workers: int = 1
    signature_files: Sequence[str] = ()
    host_lists: Sequence[str] = ()
    limits: Mapping[str, int] = field(default_factory=dict)  # where none is stated, the core's own
    sampling: Sampling | None = None  # None: the line's own
    assumptions: Assumptions | None = None  # the same
    suppression: SuppressionRules | None = None  # None: the usual ones
    eve: str | None = None
    stats: bool = False
    redact: bool = False
    name_persons: bool = False
    language: str = "auto"  # of the page: what the configuration says
    whole: Configuration | None = None  # None: nothing is configured, so there are no books and no block times


def replay_settings(options: argparse.Namespace) -> ReplaySettings:
    """The settings that the options name. Raises CommandError."""
    if options.config is None and not options.overrides and options.ledger is None and not options.dump_config:
        return ReplaySettings(engine=options.engine or "auto", workers=options.jobs or 1, name_persons=options.persons)
    return configured(load_configuration(options, flag_overrides(options, "engine", "ledger", "jobs", "persons")))


def configured(settings: Configuration) -> ReplaySettings:
    """What a replay takes from a configuration."""
    from sensor.estimate import Assumptions
    from sensor.session.verify import Sampling

    output = settings.output
    return ReplaySettings(
        engine=settings.engine,
        workers=settings.workers,
        signature_files=settings.signatures.files,
        host_lists=settings.names.lists,
        limits=settings.limits.model_dump(),
        sampling=Sampling(**settings.verify.model_dump()),
        assumptions=Assumptions(**settings.estimate.model_dump()),
        suppression=settings.findings,
        eve=output.eve,
        stats=output.stats,
        redact=output.redact,
        name_persons=output.name_persons,
        language=output.language,
        whole=settings,
    )
