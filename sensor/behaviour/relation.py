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
    beside: Relation | None = None  # another whose chance is multiplied with it, counted only where the first holds

    @property
    def p(self) -> float:
        """The chance that counts."""
        return self.relation.p * (self.beside.p if self.beside is not None else 1.0)
