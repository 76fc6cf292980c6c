"""Replacing the setup while the line runs: loaded beside it in a thread, taken up between two batches, or refused
whole.

Only one at a time; what is asked for meanwhile follows. Knows what can be replaced, and says of the rest that it
needs a restart.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sensor.daemon.configuration import Configuration
from sensor.daemon.setup import (
    Check,
    ConfigurationSource,
    Setup,
    SetupError,
    load_setup,
    load_signatures,
    newest_change_ns,
)
from sensor.model.status import RELOAD_KINDS, Reload
from sensor.settings.config import ConfigLayer

Kind = Literal["all", "signatures", "policy"]
Say = Callable[[str], None]
#: What only a new process takes up.
FIXED = ("sensor_id", "engine", "workers", "sandbox", "limits", "ledger", "evidence", "policy")
NO_PARTS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ReloadResult:
    """What a reload came to: a new setup, or why there is none."""

    kind: Kind
    setup: Setup | None
    problems: tuple[str, ...] = ()
    parts: frozenset[str] = NO_PARTS  # of RELOAD_KINDS: those that are wrong


class Reloader:
    """The reloads of one daemon; used by the line's thread, except for the building."""

    def __init__(self, source: ConfigurationSource, now_ns: int) -> None:
        self.source = source
        self.checks: tuple[Check, ...] = ()  # what else a configuration is held against before it is loaded
        self._requested: list[Kind] = []
        self._thread: threading.Thread | None = None
        self._result: ReloadResult | None = None
        self._layer: tuple[ConfigLayer, Callable[[Sequence[str]], None]] | None = None
        self.on_reload: Callable[[], None] = lambda: None  # after the sensor's own files were taken up
        self.statuses = {kind: Reload(succeeded=1, last_success_ns=now_ns) for kind in RELOAD_KINDS}

    def request(self, kind: Kind) -> None:
        """Ask for a reload; the same asked for twice before it begins is done once."""
        if kind not in self._requested:
            self._requested.append(kind)

    def request_layer(self, layer: ConfigLayer, decide: Callable[[Sequence[str]], None]) -> None:
        """Ask for a reload with another layer over the configuration file: it stays if it is taken up. `decide` hears
        of what is wrong with it. One at a time."""
        self._layer = (layer, decide)
        self.request("policy")

    def step(self, setup: Setup) -> ReloadResult | None:
        """Begin what was asked for, or return what has been loaded."""
        if self._thread is not None:
            if self._thread.is_alive():
                return None
            self._thread.join()
            self._thread, result = None, self._result
            return result
        if not self._requested:
            return None
        kind = self._requested.pop(0)
        self._thread = threading.Thread(target=self._build, args=(kind, setup), name="reload", daemon=True)
        self._thread.start()
        return None

    def settle(self, result: ReloadResult, problems: Sequence[str]) -> None:
        """What was loaded is in force, or this is wrong with it."""
        if result.kind != "policy":
            self.count(result.kind, (result.parts or frozenset(("config",))) if problems else None)
            if not problems:
                self.on_reload()
            return
        assert self._layer is not None, "a layer was asked for"
        (layer, decide), self._layer = self._layer, None
        if not problems:  # all was read anew; a parcel that is refused says nothing of the sensor's own files
            self.source = replace(self.source, layers=(layer,))
            self.count("all", None)
        decide(problems)

    def count(self, kind: Kind, failed: frozenset[str] | None) -> None:
        """A reload was taken up (None), or refused for these parts; the rest of it was sound, and stays as it was."""
        for name in RELOAD_KINDS if kind == "all" else ("signatures",):
            before = self.statuses[name]
            if failed is not None and name not in failed:
                continue
            if failed is None:
                self.statuses[name] = replace(
                    before, succeeded=before.succeeded + 1, last_succeeded=True, last_success_ns=time.time_ns()
                )
            else:
                self.statuses[name] = replace(before, refused=before.refused + 1, last_succeeded=False)

    def _build(self, kind: Kind, setup: Setup) -> None:
        gc.collect()  # what the reload before replaced is full of cycles: never three setups at once
        try:
            if kind == "signatures":
                signatures, changed_ns = load_signatures(setup.config), newest_change_ns(setup.config)
                loaded = replace(setup, signatures=signatures, signatures_changed_ns=changed_ns)
            elif kind == "policy" and self._layer is not None:
                source = replace(self.source, layers=(self._layer[0],))
                loaded = load_setup(source, setup, self.checks, same_signatures=True)
            else:
                loaded = load_setup(self.source, setup, self.checks)
            problems = needs_restart(setup.config, loaded.config)
            parts = frozenset(("config",)) if problems else NO_PARTS
            self._result = ReloadResult(kind, None if problems else loaded, tuple(problems), parts)
        except SetupError as error:
            self._result = ReloadResult(kind, None, tuple(error.problems), error.parts)
        except Exception as error:  # a mistake of ours must not end a sensor that runs
            problem = f"the reload failed: {type(error).__name__}: {error}"
            self._result = ReloadResult(kind, None, (problem,), frozenset(RELOAD_KINDS))


def needs_restart(before: Configuration, after: Configuration) -> list[str]:
    """What has changed that cannot be taken up while running, a sentence each."""
    problems = [
        f"{name}: this takes effect only after a restart"
        for name in FIXED
        if getattr(before, name) != getattr(after, name)
    ]
    old, new = before.capture, after.capture
    if (old.folder, old.memory, old.settle_s, old.stdin) != (new.folder, new.memory, new.settle_s, new.stdin):
        problems.append("capture: another folder or input takes effect only after a restart")
    interfaces = {interface.name: interface for interface in new.interfaces}
    for interface in old.interfaces:
        if interfaces.get(interface.name) != interface:
            problems.append(
                f"capture.interfaces: {interface.name}: it is listened to until a restart; "
                "only new interfaces are taken up"
            )
    return problems
