"""The states of a case, by name. Plain data: what may follow what is in `sensor/cases/states.py`."""

from __future__ import annotations

from typing import Literal, get_args

State = Literal["new", "notified", "under-check", "rectifying", "re-check", "closed", "relapsed", "false-alarm"]
STATES: tuple[State, ...] = get_args(State)
