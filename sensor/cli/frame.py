"""The frame of every command: one sentence for the operator, and one way to load what the configuration names.

Everything here that can fail raises CommandError, with the sentences for the operator and the exit code; `main` prints
them. What is heavy is imported by the function that needs it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.model.ledger_url import ledger_url_mistake, shown_ledger_url

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.daemon.configuration import Configuration
    from sensor.intake.engine import Engine, EngineName
    from sensor.ledger import Ledger
    from sensor.model.coverage import Grounds
    from sensor.settings.sections import LedgerSettings
    from sensor.signatures import SignatureSet
    from sensor.signatures.sites import SiteWeights
    from sensor.signatures.source import SignatureSource

#: Called with a file's path, the bytes that are read of it, and its size.
AdvanceFile = Callable[[str, int, int], None]
#: The options that stand for a key of the configuration.
FLAG_KEYS = {"engine": "engine", "ledger": "ledger.url", "jobs": "workers", "persons": "output.name_persons"}


class CommandError(Exception):
    """The command ends here: the exit code, and what the operator is to read, a sentence a line."""

    def __init__(self, code: int, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.code, self.sentences = code, sentences


def say(sentence: str) -> None:
    """Print one sentence for the operator on standard error; under systemd the journal puts the time before it."""
    print(f"minewatch: {sentence}", file=sys.stderr, flush=True)


def os_reason(error: OSError) -> str:
    """Why the system refused, as the end of a sentence."""
    return (error.strerror or str(error)).lower()


@contextmanager
def exit_on(*errors: type[Exception], code: int) -> Iterator[None]:
    """Turn these errors into a CommandError: with each of an error's `problems`, or each line of its text."""
    try:
        yield
    except errors as error:
        raise CommandError(code, *getattr(error, "problems", str(error).splitlines())) from None


def flag_overrides(options: argparse.Namespace, *flags: str) -> list[str]:
    """The given ones of these flags as `key=value` of the configuration."""
    values = ((flag, getattr(options, flag, None)) for flag in flags)
    return [f"{FLAG_KEYS[flag]}={value}" for flag, value in values if value not in (None, False)]


def load_configuration(options: argparse.Namespace, overrides: Sequence[str] = ()) -> Configuration:
    """The configuration in force: defaults, the file, `--set`, then the overrides. Raises CommandError."""
    from sensor.daemon import configuration
    from sensor.settings.document import ConfigError

    url = getattr(options, "ledger", None)
    if url is not None and (mistake := ledger_url_mistake(url)) is not None:
        raise CommandError(USAGE, f"--ledger {shown_ledger_url(url)}: {mistake}")
    with exit_on(ConfigError, code=CONFIG):
        given = [*options.overrides, *overrides]
        return configuration.load(options.config, given, check_region=getattr(options, "region", None) is None)


def show_configuration(settings: Configuration) -> int:
    """`--dump-config`: print the configuration in force as YAML; the exit code."""
    print(settings.dump(), end="")
    return OK


def grounds_of(settings: Configuration) -> Grounds:
    """What figures of the ledger must rest on, as configured."""
    from sensor.model.coverage import Grounds

    bulletin = settings.bulletin
    return Grounds(bulletin.least_watched, bulletin.most_projection, settings.estimate.level)


def load_signatures(files: Sequence[str], lists: Sequence[str] = ()) -> SignatureSet:
    """The shipped signatures, those of the files, and lists of hosts. Raises CommandError."""
    from sensor import signatures

    with exit_on(signatures.SignatureError, code=CONFIG):
        return signatures.load([Path(name) for name in files], [Path(name) for name in lists])


def signature_source(files: Sequence[str], lists: Sequence[str] = ()) -> SignatureSource:
    """The same as `load_signatures`, parsed only when the first packet asks for it, where it is known from an earlier
    run what the core needs of them. Raises CommandError."""
    from sensor.signatures import source
    from sensor.signatures.signature_error import SignatureError

    with exit_on(SignatureError, code=CONFIG):
        found, trouble = source.find([Path(name) for name in files], [Path(name) for name in lists])
    if trouble is not None:
        say(trouble)
    return found


def site_weights_of(settings: Configuration) -> SiteWeights:
    """What speaks for kinds of sites, shipped and in the files of the configuration. Raises CommandError."""
    from sensor.signatures import SignatureError, load_sites

    with exit_on(SignatureError, code=CONFIG):
        return load_sites([Path(name) for name in settings.signatures.files])


def load_engine(name: EngineName) -> Engine:
    """The core of this name. Raises CommandError."""
    from sensor.intake import engine

    with exit_on(engine.EngineError, code=CONFIG):
        return engine.load(name)


def load_attribution(settings: Configuration, advance: AdvanceFile | None) -> Attributor | None:
    """The books of the configuration; None if it names none. `advance` hears of the reading. Raises CommandError."""
    if not settings.attribution.sources:
        return None
    from sensor.attribution import AttributionError, load_books

    with exit_on(AttributionError, code=CONFIG):
        return load_books(settings.attribution, None, advance)


@contextmanager
def open_ledger(settings: LedgerSettings, missing: str, *, to_write: bool = False) -> Iterator[Ledger]:
    """The ledger of the configuration, closed at the end. If there is none, it is not created: `missing` is said.

    Who only reads needs no right to write, and leaves nothing beside the file. Raises CommandError, also for every
    LedgerError while it is used.
    """
    from sensor.ledger import Ledger, LedgerError
    from sensor.ledger.replay import bounds_of
    from sensor.ledger.store.database import exists
    from sensor.ledger.store.opening import rooted_hint
    from sensor.ledger.store.ownership import wrong_owner

    with exit_on(LedgerError, code=RUN_ERROR):
        if not exists(settings.url):
            raise LedgerError(missing + rooted_hint(settings.url))
        if to_write:
            ledger = Ledger.open(settings.url, bounds=bounds_of(settings))
        else:
            ledger = Ledger.open_to_read(settings.url)
        try:
            yield ledger
        finally:
            ledger.close()
            if (sentence := wrong_owner(settings.url)) is not None:
                say(sentence)
