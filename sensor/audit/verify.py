"""Holds a chain against its own hashes, and against heads that stand somewhere else. Pure; hostile rows never raise.

Without an anchor a chain whose tail was cut off, or that somebody wrote anew as a whole, is as good as any: it is
evidence of tampering, not proof against it. So what was checked up to which row is part of the answer.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sensor.audit.chain import ALGORITHMS, FORM, START, StoredRow, canonical, digest_of
from sensor.audit.seal import SealedRows, seal_in
from sensor.model.audit_head import AuditAnchor, AuditHead
from sensor.model.text import N_
from sensor.model.time import rfc3339_text

FaultKind = Literal["changed", "missing", "inserted", "moved", "forked", "cut-off", "rewritten", "foreign"]
#: Faults that are listed; more are counted. Rows remembered to say which two follow the same one.
MOST_FAULTS, REMEMBERED = 100, 4_096
#: Columns that repeat what the bytes say, by the field of the record.
REPEATED = {"sequence": "sequence", "at_ns": "at_ns", "actor": "who", "action": "action", "previous": "previous"}


class AuditFault(NamedTuple):
    """One thing that is wrong, in one sentence."""

    kind: FaultKind
    sequence: int | None
    sentence: str


@dataclass(slots=True)
class AuditVerdict:
    """What was found."""

    count: int = 0
    chain: str = ""
    algorithm: str = ""
    digest: str = ""
    anchored: int = 0  # the highest row that an anchor speaks of and that agrees with it
    anchors: int = 0
    sealed: int = 0  # the rows from the first to this one were removed, and the chain says so
    faults: list[AuditFault] = field(default_factory=list)
    further_faults: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def add(self, kind: FaultKind, sequence: int | None, sentence: str) -> None:
        """One more fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(AuditFault(kind, sequence, sentence))
        else:
            self.further_faults += 1


def verify(rows: Iterable[StoredRow], anchors: Sequence[AuditAnchor] = ()) -> AuditVerdict:
    """Look at every row, and at every anchor."""
    walk = _Walk(anchors)
    for row in rows:
        walk.step(row)
    return walk.end()


def _row_name(sequence: int | None, before: int) -> str:
    form = N_("row {number}") if sequence is not None else N_("the row after row {number}")
    return form.format(number=before if sequence is None else sequence)


#: Why the bytes of a row cannot be its own.
NO_RECORD = N_("{row} was changed: its bytes are no record of this chain")
OTHER_HASH = N_("{row} was changed: its bytes do not give its hash")


class _Walk:
    """The rows one after another, in the order of their numbers."""

    def __init__(self, anchors: Sequence[AuditAnchor]) -> None:
        self.verdict = AuditVerdict(anchors=len(anchors))
        self._anchors: dict[int, list[AuditHead]] = {}
        for anchor in anchors:
            self._anchors.setdefault(anchor.head.rows, []).append(anchor.head)
        self._sequence = 0  # of the row before
        self._digests = {START}  # what the next row may follow: what the row before says, and what its bytes give
        self._begins: tuple[int, object] | None = None  # the first row that is there, and the hash that it follows
        self._seal: SealedRows | None = None  # what the chain says of the rows before it
        self._followed: OrderedDict[str, int] = OrderedDict()  # the row that follows a hash

    def step(self, row: StoredRow) -> None:
        """The next row."""
        verdict = self.verdict
        verdict.count += 1
        sequence = row.sequence if type(row.sequence) is int else None
        name = _row_name(sequence, self._sequence)
        record = record_of(row.record)
        computed = _computed(row.record, record)
        self._look_into(row, name, sequence, record, computed)
        if sequence is not None:
            self._place(sequence, name)
            if self._begins is not None:
                self._look_for_seal(row, sequence, record, self._begins)
            self._follow(row, sequence, name, record)
            self._hold_against_anchors(sequence, row.digest if isinstance(row.digest, str) else computed)
            self._sequence = max(self._sequence, sequence)
        self._digests = {text for text in (row.digest, computed) if isinstance(text, str)}
        verdict.digest = row.digest if isinstance(row.digest, str) else computed
        verdict.algorithm = str(record.get("hash", "")) if record else ""

    def end(self) -> AuditVerdict:
        """What was found in all."""
        verdict = self.verdict
        self._judge_beginning()
        left = sorted(count for count in self._anchors if count > self._sequence)
        if left:
            newest = self._anchors[left[-1]][0]
            verdict.add(
                "cut-off",
                self._sequence + 1,
                N_(
                    "rows {first} to {last} are cut off: {count} anchors have more rows than there are, the last one, "
                    "of {time}, {last_too}"
                ).format(
                    first=self._sequence + 1,
                    last=left[-1],
                    count=len(left),
                    time=rfc3339_text(newest.at_ns),
                    last_too=left[-1],
                ),
            )
        return verdict

    def _look_into(
        self, row: StoredRow, name: str, sequence: int | None, record: dict[str, object] | None, computed: str
    ) -> None:
        """The row by itself: its bytes, their hash, and the columns that repeat them."""
        verdict = self.verdict
        if record is None:
            verdict.add("changed", sequence, NO_RECORD.format(row=name))
            return
        if computed != row.digest:
            verdict.add("changed", sequence, OTHER_HASH.format(row=name))
        if sequence is not None and record.get("sequence") != sequence:
            moved = N_("{row} was moved: its bytes say that it is row {other}")
            verdict.add("moved", sequence, moved.format(row=name, other=repr(record.get("sequence"))))
        for column, key in REPEATED.items():
            held = getattr(row, column)
            if column != "sequence" and (type(held) is not type(record.get(key)) or held != record.get(key)):
                changed = N_("{row} was changed: its column {column} is not what its bytes say")
                verdict.add("changed", sequence, changed.format(row=name, column=column))
        if sequence is None:
            verdict.add("changed", None, N_("{row} was changed: it has no number").format(row=name))
        if not verdict.chain:
            verdict.chain = str(record.get("chain"))
        elif record.get("chain") != verdict.chain:
            verdict.add("inserted", sequence, N_("{row} was inserted: it is of another chain").format(row=name))

    def _place(self, sequence: int, name: str) -> None:
        """Whether rows are missing before it, or its number is there twice."""
        if sequence > 1 and self.verdict.count == 1:
            self._begins = (sequence, None)
            self._digests.clear()
        elif sequence > self._sequence + 1:
            first, last = self._sequence + 1, sequence - 1
            form = N_("row {first} is missing") if first == last else N_("rows {first} to {last} are missing")
            self.verdict.add("missing", first, form.format(first=first, last=last))
            self._digests.clear()  # nobody knows what this row should follow
        elif sequence < 1:
            below = N_("{row} was inserted: numbers begin at 1")
            self.verdict.add("inserted", sequence, below.format(row=name))
        elif sequence <= self._sequence:
            twice = N_("{row} is there twice: one of both was inserted")
            self.verdict.add("inserted", sequence, twice.format(row=name))

    def _look_for_seal(
        self, row: StoredRow, sequence: int, record: dict[str, object] | None, begins: tuple[int, object]
    ) -> None:
        """What the first row follows, and what a later one says of those before it."""
        if sequence == begins[0]:
            self._begins = (sequence, record.get("previous") if record else row.previous)
        sealed = seal_in(record)
        if sealed is not None and sealed.rows == begins[0] - 1:
            self._seal = sealed

    def _judge_beginning(self) -> None:
        """Whether the chain says itself that its first rows were removed; else they are missing."""
        if self._begins is None:
            return
        last = self._begins[0] - 1
        if self._seal is not None and self._seal.digest == self._begins[1]:
            self.verdict.sealed = last
            self._hold_against_anchors(last, self._seal.digest)
        else:
            text = "row 1 is" if last == 1 else f"rows 1 to {last} are"
            self.verdict.faults.insert(0, AuditFault("missing", 1, f"{text} missing"))

    def _follow(self, row: StoredRow, sequence: int, name: str, record: dict[str, object] | None) -> None:
        """Whether it follows the row before it, and nobody else does."""
        previous = record.get("previous") if record else row.previous
        if not isinstance(previous, str):
            return
        rival = self._followed.get(previous)
        if rival is not None:
            fork = N_("a fork: rows {first} and {second} follow the same row")
            self.verdict.add("forked", sequence, fork.format(first=rival, second=sequence))
        elif self._digests and previous not in self._digests:
            before = _row_name(sequence - 1, 0) if sequence > 1 else N_("the beginning")
            form = N_("{row} does not follow {before}: either was changed, or one of them was put in its place")
            self.verdict.add("changed", sequence, form.format(row=name, before=before))
        self._followed[previous] = sequence
        if len(self._followed) > REMEMBERED:
            self._followed.popitem(last=False)

    def _hold_against_anchors(self, sequence: int, digest: str) -> None:
        for head in self._anchors.get(sequence, ()):
            when = rfc3339_text(head.at_ns)
            if head.chain != self.verdict.chain:
                foreign = N_(
                    "row {number} is of chain {chain}, the anchor of {time} of {other}: the chain was replaced, or the "
                    "anchor is another's"
                ).format(number=sequence, chain=self.verdict.chain, time=when, other=head.chain)
                self.verdict.add("foreign", sequence, foreign)
            elif head.digest != digest:
                rewritten = N_(
                    "row {number} is not the one that was anchored at {time}: the chain was written anew, at least "
                    "from there"
                ).format(number=sequence, time=when)
                self.verdict.add("rewritten", sequence, rewritten)
            else:
                self.verdict.anchored = max(self.verdict.anchored, sequence)


def record_of(data: object) -> dict[str, object] | None:
    """A record's fields; None for bytes that are none, or that are not what those fields come to."""
    if not isinstance(data, bytes):
        return None
    try:
        record = json.loads(data)
        if not isinstance(record, dict) or canonical(record) != data:
            return None
    except (ValueError, RecursionError):
        return None
    right = record.get("form") == FORM and record.get("hash") in ALGORITHMS and type(record.get("sequence")) is int
    return record if right else None


def _computed(data: object, record: dict[str, object] | None) -> str:
    if record is None or not isinstance(data, bytes):
        return ""
    try:
        return digest_of(data, str(record["hash"]))
    except ValueError:
        return ""
