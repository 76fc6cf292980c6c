"""Replacing what is in force while the line runs: built beside it in a thread of its own, taken up between two batches, or refused whole.

Only one at a time; what is asked for meanwhile follows. Knows what can be replaced, and says of the rest that it needs a restart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sensor.daemon.configuration import Configuration
from sensor.daemon.parts import Given, Parts, build, changed_ns, signatures_of
from sensor.model.status import RELOAD_KINDS, Reload
from sensor.settings.document import ConfigError

Kind = Literal["all", "signatures"]
Say = Callable[[str], None]
#: What only a new process takes up.
FIXED = ("engine", "workers", "limits", "ledger", "evidence")


@dataclass(frozen=True)
class Outcome:
    """What a reload gave: new parts, or why not."""

    kind: Kind
    parts: Parts | None
    problems: tuple[str, ...] = ()


class Reloads:
    """The reloads of one daemon; used by the line's thread, except for the building."""

    def __init__(self, given: Given, now_ns: int) -> None:
        self._given = given
        self._wanted: list[Kind] = []
        self._thread: threading.Thread | None = None
        self._outcome: Outcome | None = None
        self.standing = {kind: Reload(succeeded=1, last_success_ns=now_ns) for kind in RELOAD_KINDS}

    def want(self, kind: Kind) -> None:
        """Ask for a reload; the same asked for twice before it begins is done once."""
        if kind not in self._wanted:
            self._wanted.append(kind)

    def step(self, parts: Parts) -> Outcome | None:
        """Begin what is wanted, or give what has been built."""
        if self._thread is not None:
            if self._thread.is_alive():
                return None
            self._thread.join()
            self._thread, outcome = None, self._outcome
            return outcome
        if not self._wanted:
            return None
        kind = self._wanted.pop(0)
        self._thread = threading.Thread(target=self._build, args=(kind, parts), name="reload", daemon=True)
        self._thread.start()
        return None

    def count(self, kind: Kind, succeeded: bool) -> None:
        """A reload was taken up, or refused."""
        for name in RELOAD_KINDS if kind == "all" else ("signatures",):
            before = self.standing[name]
            if succeeded:
                self.standing[name] = replace(
                    before, succeeded=before.succeeded + 1, last_succeeded=True, last_success_ns=time.time_ns()
                )
            else:
                self.standing[name] = replace(before, refused=before.refused + 1, last_succeeded=False)

    def _build(self, kind: Kind, parts: Parts) -> None:
        try:
            if kind == "signatures":
                known = signatures_of(parts.config)
                made = replace(parts, signatures=known, signatures_changed_ns=changed_ns(parts.config))
            else:
                made = build(self._given, parts)
            problems = needs_restart(parts.config, made.config)
            self._outcome = Outcome(kind, None if problems else made, tuple(problems))
        except ConfigError as error:
            self._outcome = Outcome(kind, None, tuple(error.problems))
        except Exception as error:  # a mistake of ours must not end a sensor that runs
            self._outcome = Outcome(kind, None, (f"the reload failed: {type(error).__name__}: {error}",))


def needs_restart(before: Configuration, after: Configuration) -> list[str]:
    """What has changed that cannot be taken up while running, a sentence each."""
    problems = [
        f"{name}: this takes effect only after a restart"
        for name in FIXED
        if getattr(before, name) != getattr(after, name)
    ]
    was, is_now = before.capture, after.capture
    if (was.folder, was.memory, was.settle_s, was.stdin) != (
        is_now.folder,
        is_now.memory,
        is_now.settle_s,
        is_now.stdin,
    ):
        problems.append("capture: another folder or input takes effect only after a restart")
    known = {one.name: one for one in is_now.interfaces}
    for one in was.interfaces:
        if known.get(one.name) != one:
            problems.append(
                f"capture.interfaces: {one.name}: it is listened to until a restart; only new interfaces are taken up"
            )
    return problems
