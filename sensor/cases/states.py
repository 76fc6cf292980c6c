"""The case loop 通报→核查→整改→复查 as a table: states, which may follow which, when a step is due.

Notify (通报), check (核查), rectify (整改), re-check (复查); then closed, and relapsed if mining is seen again.
A false alarm is the other end. Pure; knows no ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensor.model.case_state import STATES as STATES
from sensor.model.case_state import State
from sensor.model.time import DAY_NS

#: The sensor's own name in a case's history.
SENSOR = "minewatch"
#: What may come after what; the sensor itself only closes, and makes closed cases relapse.
FOLLOWS: dict[State, tuple[State, ...]] = {
    "new": ("notified", "under-check", "false-alarm", "closed"),
    "notified": ("under-check", "rectifying", "re-check", "false-alarm", "closed"),
    "under-check": ("rectifying", "re-check", "false-alarm", "closed"),
    "rectifying": ("under-check", "re-check", "false-alarm", "closed"),
    "re-check": ("rectifying", "false-alarm", "closed"),
    "closed": ("relapsed", "re-check", "false-alarm"),
    "relapsed": ("notified", "under-check", "rectifying", "re-check", "false-alarm", "closed"),
    "false-alarm": ("under-check",),
}
#: Days in which the next step is awaited.
DUE_DAYS: dict[State, int] = {
    "new": 7,
    "notified": 7,
    "under-check": 15,
    "rectifying": 30,
    "re-check": 7,
    "relapsed": 7,
}
OPEN: tuple[State, ...] = tuple(DUE_DAYS)
NAMES: dict[State, str] = {
    "new": "新发现",
    "notified": "通报",
    "under-check": "核查",
    "rectifying": "整改",
    "re-check": "复查",
    "closed": "办结",
    "relapsed": "复发",
    "false-alarm": "误报",
}


NO_CASE = "there is no case {case}"
NO_STATE = "{text} is no state of a case; there are {choices}"
IS_ALREADY = "a case that is {before} is already {after}; it can go to {states}"
CANNOT_GO = "a case that is {before} cannot go to {after}; it can go to {states}"


class CaseError(ValueError):
    """What was asked of a case cannot be; one sentence, which has its figures apart, so that it can be translated."""

    def __init__(self, sentence: str, **figures: str) -> None:
        super().__init__(sentence.format(**figures) if figures else sentence)
        self.sentence, self.figures = sentence, figures


class NoSuchCaseError(CaseError):
    """There is no such case, or it is in no division of whoever asks."""

    def __init__(self, case_id: int) -> None:
        super().__init__(NO_CASE, case=str(case_id))


def parse_state(text: str) -> State:
    """A state by its name, in English (also with spaces or underscores) or Chinese. Raises CaseError."""
    name = "-".join(text.strip().lower().replace("_", " ").replace("-", " ").split())
    found = next((state for state in STATES if name == state or text.strip() == NAMES[state]), None)
    if found is None:
        raise CaseError(NO_STATE, text=repr(text), choices=", ".join(STATES))
    return found


def entered(history: Sequence[State]) -> int:
    """Which step of a history, oldest first, brought the case into the state it is in: those after it are notes."""
    step = len(history) - 1
    while step > 0 and history[step - 1] == history[step]:
        step -= 1
    return step


def check_move(before: State, after: State) -> None:
    """Raise CaseError if a case cannot go from one state to the other."""
    if after not in FOLLOWS[before]:
        sentence = IS_ALREADY if before == after else CANNOT_GO
        raise CaseError(sentence, before=before, after=after, states=", ".join(FOLLOWS[before]))


def due_ns(now: State, since_ns: int) -> int | None:
    """When the next step should have been taken; None where none is awaited."""
    days = DUE_DAYS.get(now)
    return None if days is None else since_ns + days * DAY_NS
