"""The `verify` scheme of a dialect and the `proof` parts of its messages: where the pieces stand from which a share can
be recomputed.

Knows names and paths only; what is done with the pieces is elsewhere (sensor/session/verify). Pieces are passed on
as they stand, unlike what is taken: a coinbase is longer than any text that is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sensor.signatures.located import YamlEntry
from sensor.signatures.paths import MISSING, Parts, look, parse_path

#: For each scheme the pieces it is fed with.
SCHEMES: dict[str, tuple[str, ...]] = {
    "bitcoin-header": (
        *("extranonce1", "version_mask"),  # of the session
        *("prevhash", "coinb1", "coinb2", "branches", "version", "nbits"),  # of a job
        *("extranonce2", "ntime", "nonce", "version_bits"),  # of a share
    ),
    "claimed-result": ("result",),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """Named pieces of one message; false if there are none."""

    places: tuple[tuple[str, Parts], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.places)

    def read(self, message: object) -> dict[str, object]:
        """The pieces that are there, as they stand."""
        found = {name: look(message, parts) for name, parts in self.places}
        return {name: value for name, value in found.items() if value is not MISSING}


def compile_proof(entry: YamlEntry | None) -> Proof:
    """`proof`: a map of piece to a path, or to a list of steps where a name has a dot in it."""
    if entry is None or not entry.is_map():
        return Proof()
    entry.only({name for names in SCHEMES.values() for name in names})
    return Proof(tuple((name, _path(place)) for name, place in entry.keys.items()))


def _path(entry: YamlEntry) -> Parts:
    if isinstance(entry.scalar, str):
        return parse_path(entry.scalar)
    steps = tuple(item.scalar for item in entry.items)
    if steps and all(isinstance(step, str | int) and not isinstance(step, bool) for step in steps):
        return tuple(step for step in steps if isinstance(step, str | int))
    entry.fail("must be a path, or a list of its steps")
    return ()


def compile_scheme(entry: YamlEntry, proofs: Iterable[Proof]) -> str | None:
    """The dialect's `verify`, which must know every piece its messages name."""
    named = {name for proof in proofs for name, _ in proof.places}
    if "verify" not in entry.keys:
        if named:
            entry.fail("proof is given for messages, but verify (the scheme) is missing")
        return None
    scheme = entry.choice("verify", tuple(SCHEMES))
    if not named:
        entry.keys["verify"].fail("no message gives a proof")
    elif unknown := sorted(named.difference(SCHEMES.get(scheme, ()))):
        entry.keys["verify"].fail(f"{', '.join(unknown)} does not belong to {scheme}")
    return scheme
