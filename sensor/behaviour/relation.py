"""An equation between lengths that holds in a session, with its chance. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Relation:
    """An equation that holds, with its chance."""

    name: str
    detail: str
    p: float
    lengths: tuple[int, ...] = ()  # of the records in which it holds
    sent_by: Literal["miner", "pool"] = "pool"  # whose records these are


@dataclass(frozen=True, slots=True)
class Tested:
    """A relation, and all chances that it could have had in this session: rising to 1, each its own chance."""

    relation: Relation
    levels: tuple[float, ...]
