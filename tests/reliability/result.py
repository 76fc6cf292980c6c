"""What a reliability test came to: a figure beside what passes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One line of the table of `make reliability`."""

    figure: str  # what was measured, in words a reader can check against the pass line
    passed: bool | None  # None: could not be run here; `figure` says why
