"""How many subjects names may make findings of at once: a flood of look-ups in others' names must not take the room of
what was spoken.
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from sensor.line.unspoken import SubjectKey
from sensor.model.evidence import Grade
from sensor.model.time import HOUR_NS

#: Subjects of each grade at once: together an eighth of the findings that are followed. Of one miner's address an
#: eighth of a grade's.
MOST_OF_GRADE = {Grade.LOOKED_UP: 4_096, Grade.CONTACTED: 2_048, Grade.NAMED: 2_048}
SHARE_OF_MINER = 8


class NamedRoom:
    """The subjects that names were handed on of, by grade, oldest first."""

    def __init__(self, hold_ns: int | None = HOUR_NS) -> None:
        """`hold_ns`: how long a subject takes its room after the last name; None: for good."""
        self._hold_ns = hold_ns
        self._subjects: dict[Grade, OrderedDict[SubjectKey, int]] = {grade: OrderedDict() for grade in MOST_OF_GRADE}
        self._of_miner: Counter[tuple[Grade, str]] = Counter()
        self.refused = 0

    def take(self, grade: Grade, key: SubjectKey, at_ns: int) -> bool:
        """Whether there is room for a name of this grade about a subject."""
        subjects, most = self._subjects[grade], MOST_OF_GRADE[grade]
        if key in subjects:
            subjects[key] = max(subjects[key], at_ns)
            subjects.move_to_end(key)
            return True
        self._expire(grade, at_ns)
        if len(subjects) >= most or self._of_miner[grade, key.miner_ip] >= most // SHARE_OF_MINER:
            self.refused += 1
            return False
        subjects[key] = at_ns
        self._of_miner[grade, key.miner_ip] += 1
        return True

    def _expire(self, grade: Grade, at_ns: int) -> None:
        subjects = self._subjects[grade]
        while self._hold_ns is not None and subjects:
            oldest = next(iter(subjects))
            if at_ns - subjects[oldest] <= self._hold_ns:
                return
            del subjects[oldest]
            self._of_miner[grade, oldest.miner_ip] -= 1
            if not self._of_miner[grade, oldest.miner_ip]:
                del self._of_miner[grade, oldest.miner_ip]
