"""`minewatch run`: settle everything, take the signals, run the daemon, and turn what stops it into a sentence and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Iterator

from sensor.daemon.daemon import Daemon
from sensor.daemon.parts import Given, Parts, build
from sensor.daemon.reload import Reloads
from sensor.intake import engine
from sensor.intake.interfaces import list_interfaces
from sensor.intake.spool import SpoolError
from sensor.ledger import LedgerError
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.serve.access import ServeError
from sensor.settings.document import ConfigError


def say(sentence: str) -> None:
    """One sentence for the operator; systemd puts the time before it."""
    print(f"minewatch: {sentence}", file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> int:
    """Watch until told to stop."""
    if options.list_interfaces:
        return show_interfaces()
    given = Given(options.config, overrides(options))
    try:
        parts = build(given)
        if options.dump_config:
            print(parts.config.dump(), end="")
            return OK
        loaded = engine.load(parts.config.engine)
    except (ConfigError, engine.EngineError) as error:
        for problem in getattr(error, "problems", [str(error)]):
            say(problem)
        return CONFIG
    refused = _refused(parts, loaded, options.slow)
    if refused is not None:
        say(refused)
        return CONFIG if "slow" in refused else USAGE
    try:
        daemon = Daemon(loaded, parts, Reloads(given, time.time_ns()), say)
    except (LedgerError, ServeError, SpoolError, engine.SourceError) as error:
        for line in str(error).splitlines():
            say(line)
        return RUN_ERROR
    except OSError as error:
        say(f"{error.filename or 'start'}: {(error.strerror or str(error)).lower()}")
        return RUN_ERROR
    with _signals(daemon):
        try:
            daemon.run()
        except RuntimeError as error:  # a capture thread died: to go on would be to watch nothing
            say(f"the core stopped: {error}")
            return RUN_ERROR
    return OK


def overrides(options: argparse.Namespace) -> list[str]:
    """What the letters say, as keys of the configuration."""
    given = list(options.overrides)
    if options.engine:
        given.append(f"engine={options.engine}")
    if options.interfaces:
        given.append("capture.interfaces=[" + ", ".join(f"{{name: {name!r}}}" for name in options.interfaces) + "]")
    return given


def show_interfaces() -> int:
    """`--list-interfaces`: a line for each, and what is in the way."""
    rows = [
        (one.name, one.state, str(one.mtu), "yes" if one.usable else "no", one.why or "") for one in list_interfaces()
    ]
    head = ("interface", "state", "mtu", "usable", "")
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return OK


def _refused(parts: Parts, loaded: engine.Engine, slow: bool) -> str | None:
    capture = parts.config.capture
    if not (capture.interfaces or capture.folder or capture.stdin):
        return (
            "run: nothing to read: name an interface (-i NAME, capture.interfaces), or capture.folder, or capture.stdin"
        )
    if capture.interfaces and loaded.name == "reference" and not slow:
        return "run: the slow reference engine would lose most of a live link: build the compiled core, or say --slow"
    return None


@contextlib.contextmanager
def _signals(daemon: Daemon) -> Iterator[None]:
    """The handlers only set marks; the loop looks at them between two batches."""
    wanted = {
        signal.SIGTERM: lambda *_: daemon.stop(),
        signal.SIGINT: lambda *_: daemon.stop(),
        signal.SIGHUP: lambda *_: daemon.want_reload(),
        signal.SIGUSR2: lambda *_: daemon.want_signatures(),
    }
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
