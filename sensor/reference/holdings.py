"""What all candidates hold together, and who gives up first.

Of those that hold the most, by powers of two, the one that has done so the longest. Rules: docs/border.md, "Assembler".
"""

from __future__ import annotations

from collections import defaultdict

from sensor.reference.flow import Flow

SEGMENT_BYTES = 64  # what a held segment costs besides its bytes: its place, its allocation


def _held_bytes(flow: Flow) -> int:
    total = 0 if flow.trial is None else flow.trial.kept_bytes
    for side in flow.sides:
        pieces, aside = (0, 0) if side.assembler is None else side.assembler.held(), side.doubts.held()
        total += pieces[1] + aside[1] + SEGMENT_BYTES * (pieces[0] + aside[0])
        total += 0 if side.assembler is None else side.assembler.readings.waiting_bytes()
    return total


class Holdings:
    def __init__(self) -> None:
        self.total_bytes = 0
        self._classes: dict[int, dict[int, Flow]] = defaultdict(dict)  # by the time they came

    def weigh(self, flow: Flow) -> None:
        """After a change of what it holds."""
        before, flow.held_bytes = flow.held_bytes, _held_bytes(flow)
        self.total_bytes += flow.held_bytes - before
        if before.bit_length() != flow.held_bytes.bit_length():
            self._classes[before.bit_length()].pop(flow.serial, None)
            if flow.held_bytes:
                self._classes[flow.held_bytes.bit_length()][flow.serial] = flow

    def greediest(self) -> Flow | None:
        """Who gives up first what it holds."""
        classes = (self._classes[length] for length in sorted(self._classes, reverse=True))
        return next((flow for flows in classes for flow in flows.values()), None)
