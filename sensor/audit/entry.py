"""What is written down of an action: who, what, with which query, about whom; bounded, and without secrets. Pure.

An entry of many objects becomes several rows. What is longer than its bound is cut, and the row says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sensor.model.text import printable

Kind = Literal["view", "export", "call", "change", "account", "opened"]
#: A change is written down before it is tried and after it: between both rows it is not known whether it happened.
Phase = Literal["", "asked", "done", "failed"]
Plain = str | int | bool | Sequence[str] | None

#: Bytes of a name and of a value of a query, of a value before or after a change, and of an object's identity; of a
#: reason, those of 2,000 Chinese characters, as many as a case's history takes.
NAME_BYTES, QUERY_BYTES, VALUE_BYTES, OBJECT_BYTES, REASON_BYTES = 64, 400, 1_000, 100, 6_000
#: Names in a query or a change; objects in a row; rows of one entry.
MOST_NAMES, MOST_OBJECTS, MOST_PARTS = 24, 250, 64
#: Of a row. What is above cannot come to more: a quotation mark takes two bytes, and nothing more than that.
ROW_BYTES = 262_144
#: What a value is never recorded of, whoever hands it in.
SECRET = re.compile(r"passw|secret|token|cookie|csrf|authori[sz]ation|credential|api.?key|session", re.IGNORECASE)
BLANK = "(not recorded)"


class AuditActor(NamedTuple):
    """Who acts: an account of the console, or a user of the system. What he says of himself stands beside it."""

    account: str = ""
    role: str = ""
    address: str = ""  # of the client
    system_user: str = ""  # as the kernel has it
    login_user: str = ""  # who signed in to the system before su or sudo, as the kernel has it
    sudo_user: str = ""  # SUDO_USER of the environment: a note, for an environment can be set
    stated: str = ""  # free text; never taken for identity

    @property
    def name(self) -> str:
        """Who it is, by what was proven alone."""
        return f"account:{self.account}" if self.account else f"system:{self.system_user or 'unknown'}"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action."""

    actor: AuditActor
    kind: Kind
    action: str  # e.g. "case.show", "case.set"
    at_ns: int
    query: Mapping[str, Plain] = field(default_factory=dict)
    objects: Sequence[str] = ()  # e.g. "case:7", "enterprise:0123456789abcdef", "address:192.0.2.1"
    before: Mapping[str, Plain] | None = None
    after: Mapping[str, Plain] | None = None
    why: str = ""
    phase: Phase = ""
    of: int | None = None  # the row in which it was asked for


class EntryTooLargeError(ValueError):
    """More objects than one entry can name."""


def bodies(entry: AuditEntry) -> Iterator[dict[str, object]]:
    """The rows of an entry, without their place in the chain. Raises EntryTooLargeError."""
    pages = [entry.objects[at : at + MOST_OBJECTS] for at in range(0, len(entry.objects), MOST_OBJECTS)] or [()]
    if len(pages) > MOST_PARTS:
        raise EntryTooLargeError(f"{len(entry.objects)} objects in one entry; at most {MOST_PARTS * MOST_OBJECTS}")
    for number, page in enumerate(pages, 1):
        cut = _Cut()
        body: dict[str, object] = {
            "actor": {name: cut.text(value, QUERY_BYTES) for name, value in entry.actor._asdict().items() if value},
            "kind": entry.kind,
            "action": cut.text(entry.action, NAME_BYTES),
            "at_ns": entry.at_ns,
            "query": cut.values(entry.query, QUERY_BYTES),
            "objects": [cut.text(name, OBJECT_BYTES) for name in page],
            "before": None if entry.before is None else cut.values(entry.before, VALUE_BYTES),
            "after": None if entry.after is None else cut.values(entry.after, VALUE_BYTES),
            "why": cut.text(entry.why, REASON_BYTES),
            "phase": entry.phase,
            "of": entry.of,
        }
        if len(pages) > 1:
            body |= {"part": number, "parts": len(pages)}
        if cut.happened:
            body["cut"] = True
        yield body


class _Cut:
    """Cuts values to their bounds, and remembers whether it had to."""

    def __init__(self) -> None:
        self.happened = False

    def text(self, value: str, most: int) -> str:
        """Text without characters that do not print. Of what is cut a digest stays, by which two can be told apart."""
        clean = printable(value, "·")
        data = clean.encode("utf-8", "backslashreplace")
        if len(data) <= most:
            return data.decode()
        self.happened = True
        end = f"…{hashlib.sha256(data).hexdigest()[:16]}"
        return data[: most - len(end.encode())].decode("utf-8", "ignore") + end

    def values(self, given: Mapping[str, Plain], most: int) -> dict[str, str | int | bool | None]:
        """Names with their values; those of secrets are blank."""
        if len(given) > MOST_NAMES:
            self.happened = True
        taken: dict[str, str | int | bool | None] = {}
        for name, value in list(given.items())[:MOST_NAMES]:
            if SECRET.search(name):
                value = BLANK
            elif isinstance(value, int) and abs(value) >= 1 << 63:
                value = str(value)[:100]
            elif value is not None and not isinstance(value, str | int):
                value = ", ".join(value)
            taken[self.text(name, NAME_BYTES)] = self.text(value, most) if isinstance(value, str) else value
        return taken
