"""What a check of one part came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One part of a start: `failure`, it would not succeed; `warning`, it would, and something would not work."""

    part: str
    state: State
    sentence: str
    mend: str | None = None  # what to type, or to do


def worst(results: list[CheckResult]) -> State:
    """The worst state among results."""
    order: tuple[State, ...] = ("failure", "warning", "note", "ok")
    return next((state for state in order if any(result.state == state for result in results)), "ok")
