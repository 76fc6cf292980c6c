"""Signatures as a run begins with them: what the core's prefilter looks for is there at once, the rest is made when the
first packet asks for it.

What the prefilter needs comes from a file that an earlier run left, if it is of the very same signatures
(`sensor/signatures/gate_file.py`); else everything is read and checked at once, as ever. Nothing that is wrong in a
file is ever said later than at the start: of those that are left for later it is known that they are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sensor.model.gate_opening import GateOpening
from sensor.signatures import files, gate_file

if TYPE_CHECKING:
    from sensor.signatures.model import SignatureSet


class SignatureSource(Protocol):
    """What a core is made with, and the whole set for the line behind it."""

    @property
    def literals(self) -> list[bytes]: ...
    @property
    def openings(self) -> list[GateOpening]: ...
    @property
    def flights(self) -> list[tuple[int, int]]: ...
    @property
    def names(self) -> list[bytes]: ...
    def loaded(self) -> SignatureSet: ...


class LaterSignatures:
    """The prefilter's tables of signatures that are right, and their files, which are parsed when that is asked for."""

    def __init__(self, gates: gate_file.Gates, texts: Sequence[files.SignatureFile]) -> None:
        self.literals, self.openings, self.flights = gates.literals, gates.openings, gates.flights
        self.names = gates.names
        self._texts = texts
        self._set: SignatureSet | None = None

    def loaded(self) -> SignatureSet:
        """The whole set."""
        if self._set is None:
            from sensor.signatures.loader import load_texts

            self._set = load_texts(self._texts)
        return self._set


def find(extra: Sequence[Path] = (), lists: Sequence[Path] = ()) -> tuple[SignatureSource, str | None]:
    """The shipped signatures, those in `extra`, and the operator's lists of hosts; and a sentence if the file of an
    earlier run is there and is not trusted. Raises SignatureError with every mistake found.
    """
    problems: list[str] = []
    texts = [*files.shipped(), *files.own(extra, problems)]
    if problems or lists:  # lists are read whole each time
        from sensor.signatures.loader import load

        return load(extra, lists), None
    key = gate_file.key_of(texts)
    stored = gate_file.read(key)
    if stored.gates is not None:
        return LaterSignatures(stored.gates, texts), None
    from sensor.signatures.loader import load_texts

    found = load_texts(texts)
    gates = gate_file.Gates(found.literals, found.openings, found.flights, found.names)
    trouble = stored.trouble
    if trouble is None or stored.may_replace:
        gate_file.write(key, gates)
    return found, trouble
