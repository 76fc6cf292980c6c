"""What one login did while it was watched: its shares, and the time in which shares could have been seen. Sans-IO;
knows no messages.

The window matters as much as the count. It starts when the miner could begin: at its login and its first job if the
connection was seen from the start, else at the flow's first packet. It ends at the flow's last packet, whoever sent it.
A window whose end was put there by a share (the last packet is that share, or the answer to it) is one share too full:
n shares then span n-1 intervals, and counting n would overstate the rate by n/(n-1). So a share within EDGE_NS of a
window's edge becomes the edge and is not counted; what lies before a share is independent of it, so this is sound also
where the nearness was chance. A single share is counted all the same: Garwood's bounds hold when the n-th share ends
the window (Gamma(n) instead of Poisson), only their middle is high then.

Which shares count: `credited` has all that were not rejected. An unanswered share is taken as accepted: its answer
was lost by the capture, or is just under way at the end, or (one direction captured) no answer could be seen; pools
refuse a percent or two. `spent` has the rejected ones too: they are no proof for the pool but cost the same
electricity, so power rests on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from sensor.estimate.tally import Share, Tally
from sensor.estimate.target import Guess
from sensor.estimate.windows import Windows
from sensor.model.quantities import ExposureRecord, GuessRecord
from sensor.model.time import SECOND_NS

#: Far above the answer's way through the network and a delayed acknowledgement, far below any window worth estimating.
EDGE_NS = SECOND_NS


@dataclass(slots=True)
class Exposure:
    """Shares and watched time, ready for the estimate; joins with others of the same miner."""

    windows: Windows = field(default_factory=Windows)
    credited: Tally = field(default_factory=Tally)
    spent: Tally = field(default_factory=Tally)
    guess: Guess = field(default_factory=Guess)
    submitted: int = 0  # of any kind, those of unknown work included
    unknown: int = 0  # submitted without known work
    missed_bytes: int = 0  # of the miner's stream
    seen_bytes: int = 0
    next_work: tuple[int, int] | None = None  # (time, work) of the latest job
    unrated: int = 0  # shares of unknown work, left out of all the above together with their time
    unrated_windows: Windows = field(default_factory=Windows)

    def add(self, other: Exposure) -> None:
        """Join another: work adds up, and time seen twice counts once, so rigs at the same time add their rates."""
        self.windows.add(other.windows)
        self.credited.add(other.credited)
        self.spent.add(other.spent)
        self.guess.add(other.guess)
        self.submitted += other.submitted
        self.unknown += other.unknown
        self.missed_bytes += other.missed_bytes
        self.seen_bytes += other.seen_bytes
        self.next_work = max(filter(None, (self.next_work, other.next_work)), default=None)
        self.unrated += other.unrated
        self.unrated_windows.add(other.unrated_windows)

    @property
    def unknown_shares(self) -> int:
        """Submitted shares whose work is not known."""
        return self.unrated + self.unknown if not self.guess.blocks else self.unrated

    @property
    def unknown_seconds(self) -> float:
        """The time that those left out stand for."""
        return self.unrated_windows.total_ns / SECOND_NS

    def record(self, algorithm: str | None) -> ExposureRecord:
        """All of it as plain data."""
        guess = self.guess.finished()
        return ExposureRecord(
            algorithm,
            self.windows.record(),
            self.credited.record(),
            self.spent.record(),
            GuessRecord(guess.tally.record(), guess.blocks, guess.largest),
            self.submitted,
            self.unknown,
            self.missed_bytes,
            self.seen_bytes,
            self.next_work,
            self.unrated,
            self.unrated_windows.record(),
        )

    @classmethod
    def of(cls, record: ExposureRecord) -> Exposure:
        """The exposure of a record."""
        guess = Guess(Tally(*record.guess.tally), record.guess.blocks, record.guess.largest)
        return cls(
            Windows.of(record.stretches),
            Tally(*record.credited),
            Tally(*record.spent),
            guess,
            record.submitted,
            record.unknown,
            record.missed_bytes,
            record.seen_bytes,
            record.next_work,
            record.unrated,
            Windows.of(record.unrated_stretches),
        )

    @property
    def loss(self) -> float:
        """Part of the miner's bytes the capture missed; most of them are submits, so as many shares are missing."""
        total = self.missed_bytes + self.seen_bytes
        return self.missed_bytes / total if total else 0.0


@dataclass(slots=True)
class JobTimes:
    """When a connection's first job came, and the first whose difficulty was known."""

    first_ns: int | None = None
    known_ns: int | None = None

    def put(self, ts_ns: int, has_work: bool) -> None:
        """A job was given."""
        if self.first_ns is None:
            self.first_ns = ts_ns
        if has_work and self.known_ns is None:
            self.known_ns = ts_ns


@dataclass(slots=True)
class ShareBook:
    """The shares of one login in one flow, as sums; rarely needed parts are created on demand."""

    login_ns: int | None = None  # its first login, if one was seen
    spent: Tally = field(default_factory=Tally)
    rejected: Tally | None = None
    guess: Guess | None = None
    submitted: int = 0
    unknown: int = 0
    early: int = 0  # those of them that came before the first of known work
    first: Share | None = None
    last: Share | None = None

    def submit(self, ts_ns: int, work: int | None, value: int | None = None, position: int = 0) -> Share:
        """A share was sent; `value` is its hash's upper part where the message carries it, `position` the message's in
        the miner's stream."""
        share = Share(ts_ns, work, value, position=position)
        self.submitted += 1
        self.first = self.first or share
        self.last = share
        if work is not None:
            self.spent.put(work)
        else:
            self.unknown += 1
            self.early += not self.spent.count
            if value is not None:
                self.guess = self.guess or Guess()
                self.guess.put(share)
        return share

    def learn(self, share: Share, work: int) -> None:
        """The work of a share that was unknown when it was sent."""
        share.work = work
        self.unknown -= 1
        self.early = max(0, self.early - 1)
        self.spent.put(work)

    def reject(self, share: Share) -> None:
        """The pool refused it."""
        share.rejected = True
        if share.work is not None:
            self.rejected = self.rejected or Tally()
            self.rejected.put(share.work)

    def rescale(self, factor: Fraction) -> None:
        """The algorithm proved to be another than assumed: every difficulty so far means this many times the work."""
        self.spent.rescale(factor)
        if self.rejected is not None:
            self.rejected.rescale(factor)
        for share in {id(share): share for share in (self.first, self.last) if share is not None}.values():
            share.work = None if share.work is None else int(share.work * factor)

    def close(self, first_ns: int, last_ns: int, jobs: JobTimes, midstream: bool) -> Exposure:
        """The flow has ended: its window and what to count in it."""
        guess = self.guess.finished() if self.guess is not None else Guess()
        credited = self.spent.copy() if self.rejected is None else self.spent.without(self.rejected)
        start = first_ns
        if not midstream and self.login_ns is not None:
            start = max(first_ns, self.login_ns, jobs.first_ns or 0)
        result = Exposure(
            credited=credited, spent=self.spent.copy(), guess=guess, submitted=self.submitted, unknown=self.unknown
        )
        if self.early and jobs.known_ns is not None and guess.tally.count <= self.spent.count:
            return self._since_known(result, start, jobs.known_ns, last_ns)
        end = self._ended(result, last_ns)
        if self.first is not None:
            late = self.first.ts_ns < start  # a share before the window: its login or job was not seen as it was
            if late or (midstream and self.first.ts_ns - start < EDGE_NS):
                start = self.first.ts_ns
                if self.submitted > 2:
                    _uncount(result, self.first)
        if self.unknown and not self.spent.count and not guess.tally.count:
            result.submitted, result.unknown, result.unrated = 0, 0, self.unknown
            result.unrated_windows.put(start, max(start, last_ns))
            return result
        result.windows.put(start, max(start, end))
        return result

    def _since_known(self, result: Exposure, start_ns: int, known_ns: int, last_ns: int) -> Exposure:
        """Joined before any difficulty was sent: what was mined until then is left out, and so is its time."""
        result.unrated = self.early
        result.unrated_windows.put(start_ns, max(start_ns, known_ns))
        result.submitted -= self.early
        result.unknown -= self.early
        result.guess = Guess()
        result.windows.put(known_ns, max(known_ns, self._ended(result, last_ns)))
        return result

    def _ended(self, result: Exposure, last_ns: int) -> int:
        """The window's end; a share that is next to it is it."""
        if self.last is None or result.submitted < 2 or last_ns - self.last.ts_ns >= EDGE_NS:
            return last_ns
        _uncount(result, self.last)
        return self.last.ts_ns


def _uncount(exposure: Exposure, share: Share) -> None:
    """A share is an edge of the window, not an event in it. (Inferred work stays: its block is judged as a whole.)"""
    exposure.submitted -= 1
    if share.work is None:
        exposure.unknown -= 1
        return
    exposure.spent.remove(share.work)
    if not share.rejected:
        exposure.credited.remove(share.work)
