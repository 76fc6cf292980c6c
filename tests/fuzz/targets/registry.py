"""All targets, and their groups: what one process fuzzes at a time, the first byte of an input saying which target."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache, partial

from tests.fuzz.targets import captures, conversations, files, topics
from tests.fuzz.targets.target import Target

#: By the name of the group: beginnings of the names of its targets.
GROUPS = {
    "captures": ("captures", "encrypted", "dns", "quic"),
    "readers": ("reader-", "conversation"),
    "dialects": ("dialects", "streams", "draft", "login", "blanking"),
    "books": ("books-",),
    "files": ("meters", "signature-files", "host-lists", "configuration"),
    "topics": ("parcels", "parcel-headers", "learnt", "reports"),
}


@cache
def targets() -> dict[str, Target]:
    """Every target by its name."""
    return {target.name: target for family in (captures, conversations, files, topics) for target in family.targets()}


def group(name: str) -> Target:
    """The targets of a group as one; a single target's name is a group of its own. Raises KeyError if there is none."""
    if name in GROUPS:
        return _together(name, [one for one in targets().values() if one.name.startswith(GROUPS[name])])
    return targets()[name]


def _together(name: str, chosen: list[Target]) -> Target:
    if len(chosen) == 1:
        return chosen[0]
    return Target(name, partial(_feed, chosen), partial(_seeds, chosen), mutate=_mutation(chosen))


def _feed(chosen: list[Target], data: bytes) -> None:
    if data:
        chosen[data[0] % len(chosen)].feed(data[1:])


def _seeds(chosen: list[Target]) -> list[bytes]:
    return [bytes([number]) + seed for number, target in enumerate(chosen) for seed in target.seeds()]


def _mutation(chosen: list[Target]) -> Callable[[random.Random, list[bytes]], bytes]:
    """Damage as the target of the input that is to be damaged does it."""

    def mutate(rng: random.Random, seeds: list[bytes]) -> bytes:
        seed = rng.choice(seeds) or b"\0"
        number = seed[0] % len(chosen)
        beside = [other[1:] for other in (rng.choice(seeds) for _ in range(4)) if other and other[0] == number]
        return bytes([number]) + chosen[number].mutate(rng, [seed[1:], *beside])

    return mutate
