"""The shares of one login in one flow, and the time that its rate is estimated from. Sans-IO; knows no messages.

The window matters as much as the count. It starts when the miner could begin: at its login and its first job if the
connection was seen from the start, else at the flow's first packet. It ends at the flow's last packet, whoever sent it.
Time in which the work of a share was not known is cut out of it, with the shares sent then. What is left are
stretches. Where they begin and end depends on what the pool sends and the capture loses, and on no share that is
counted, so the sum of the work over their time is an unbiased rate.

A stretch whose end was put there by a share (the last packet is that share, or the answer to it) is one share too full:
n shares then span n-1 intervals, and counting n would overstate the rate by n/(n-1). So a share within EDGE_NS of a
stretch's edge becomes the edge and is not counted; what lies before a share is independent of it, so this is sound also
where the nearness was chance. A single share is counted all the same: Garwood's bounds hold when the n-th share ends
the window (Gamma(n) instead of Poisson), only their middle is high then. An edge where a doubt begins is left as it is
if the doubt took shares back, or came at once: which answers are lost is chance, and no share put the edge there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from sensor.estimate.book_era import BookEra, ByHashes, count_edge
from sensor.estimate.exposure import Exposure
from sensor.estimate.job_times import JobTimes
from sensor.estimate.tally import Share, Tally
from sensor.estimate.target import Guess
from sensor.model.time import SECOND_NS
from sensor.model.trace import WindowEdge

#: Far above the answer's way through the network and a delayed acknowledgement, far below any window worth estimating.
EDGE_NS = SECOND_NS
#: Shares of which it is remembered that the pool has sent nothing since.
MAX_RECENT = 64

Stretch = tuple[int, int]


@dataclass(slots=True)
class ShareRow:
    """Shares of known work with no doubt between them: the first and the last."""

    first: Share
    last: Share


@dataclass(slots=True)
class ShareBook:
    """The shares of one login in one flow, as sums; rarely needed parts are created on demand."""

    login_ns: int | None = None  # its first login, if one was seen
    spent: Tally = field(default_factory=Tally)
    rejected: Tally | None = None
    guess: Guess | None = None
    submitted: int = 0
    unknown: int = 0  # sent without known work, and with no doubt: it may come with the answer
    learnt: bool = False  # it did come with an answer
    unrated: int = 0  # sent before a difficulty was, or in doubt
    rows: list[ShareRow] = field(default_factory=list)
    first: Share | None = None  # of any work
    last: Share | None = None
    phase: int = 0  # 1: since a job of known difficulty
    _as_it_is: set[int] = field(default_factory=set)  # beginnings of doubts that are no share's edge
    _apart: bool = True  # the next share begins a row
    _recent: list[Share] = field(default_factory=list)
    by_hashes: ByHashes = field(default_factory=ByHashes)
    before: WindowEdge | None = None  # where the connection's earlier window ended, if it is known
    _era: BookEra | None = None

    def submit(
        self, ts_ns: int, work: int | None, value: int | None = None, position: int = 0, times: JobTimes | None = None
    ) -> Share:
        """A share was sent; `value` is its hash's upper part where the message carries it, `position` the message's in
        the miner's stream, `times` when its connection's work was known."""
        if times is not None and times.known_ns is not None:
            if not self.phase:
                self._begin()
            if work is None and not self.learnt and times.since_ns is None:
                times.doubt()
                self.doubt(times.heard_ns, ts_ns)
            if times.since_ns is not None:
                work = None
            self._forget(times.heard_ns)
            if self._era is None or self._era.era != times.era:
                self._enter(times.era)
        doubted = times is not None and times.since_ns is not None
        hashes = 0 if times is None else times.hashes
        share = Share(ts_ns, work, value, False, position, -1, doubted, self.phase, (), hashes)
        self.submitted += 1
        self.first = self.first or share
        self.last = share
        if doubted:
            self.unrated += 1
        elif work is None:
            self.unknown += 1
        else:
            self._count(share, work)
        if work is None and value is not None:
            self.guess = self.guess or Guess()
            self.guess.put(share)
        return share

    def learn(self, share: Share, work: int) -> None:
        """The work of a share that was unknown when it was sent."""
        if share.doubted or share.phase != self.phase:
            return
        share.work = work
        self.unknown -= 1
        self.learnt = True
        self._count(share, work)

    def reject(self, share: Share) -> None:
        """The pool refused it."""
        share.rejected = True
        if share.work is not None and not share.doubted and share.phase == self.phase:
            self.rejected = self.rejected or Tally()
            self.rejected.put(share.work)

    def doubt(self, since_ns: int, noticed_ns: int) -> None:
        """The work of shares is in doubt since then: those that were counted are taken back."""
        self._apart = True
        again = [share for share in self._recent if share.ts_ns > since_ns]
        if again or noticed_ns - since_ns < EDGE_NS:
            self._as_it_is.add(since_ns)
        for share in again:
            self._recent.remove(share)
            if share.work is None:
                continue
            self.spent.remove(share.work)
            self.by_hashes.put(share, -1)
            if share.rejected and self.rejected is not None:
                self.rejected.remove(share.work)
            self.unrated += 1
            share.doubted, share.work = True, None
        while self.rows and self.rows[-1].first.doubted:
            self.rows.pop()
        if self.rows and self.rows[-1].last.doubted:
            row = self.rows[-1]
            row.last = self._recent[-1] if self._recent else row.first

    def refute(self) -> None:
        """The difficulty in force never held: what was counted by it is taken back."""
        self._apart = True
        self.phase += 1
        for share in self._recent:
            share.doubted = True
        self._recent.clear()
        count, era = self.spent.count, self._era
        if era is None:
            return
        self.spent, self.by_hashes = era.spent.copy(), era.by_hashes.copy()
        self.rejected = None if era.rejected is None else era.rejected.copy()
        self.unrated += count - self.spent.count
        del self.rows[era.rows :]
        if self.rows and era.last is not None:
            self.rows[-1].last = era.last

    def rescale(self, factor: Fraction) -> None:
        """The algorithm proved to be another than assumed: every difficulty so far means this many times the work."""
        self.spent.rescale(factor)
        if self.rejected is not None:
            self.rejected.rescale(factor)
        self.by_hashes.rescale(factor)
        if self._era is not None:
            self._era.spent.rescale(factor)
            self._era.by_hashes.rescale(factor)
            if self._era.rejected is not None:
                self._era.rejected.rescale(factor)
        edges = [share for row in self.rows for share in (row.first, row.last)]
        for share in {id(share): share for share in (*edges, *self._recent)}.values():
            share.work = None if share.work is None else int(share.work * factor)

    def close(
        self, first_ns: int, last_ns: int, jobs: JobTimes, midstream: bool, *, unbroken: bool = False
    ) -> Exposure:
        """The flow has ended: its window and what to count in it. `unbroken` says that nothing was lost between the
        connection's earlier window and this."""
        before = self.before if unbroken and self.before is not None and self.before.until_ns <= first_ns else None
        start, midstream = (first_ns, midstream) if before is None else (before.until_ns, False)
        if not midstream and self.login_ns is not None:
            start = max(first_ns, self.login_ns, jobs.first_ns or 0)
        begin = start
        if jobs.known_ns is None and jobs.aimed_ns is not None and self.unknown and not self.learnt:
            begin = max(start, jobs.aimed_ns)
        if jobs.known_ns is not None:
            if not self.phase and self.first is not None and self.first.ts_ns < jobs.known_ns:
                self._begin()
            if midstream or before is not None or self.unrated or self.phase:
                begin = max(start, jobs.known_ns)
        end = max(begin, last_ns)
        # A doubt may reach back to before this window, over time in which nobody listened.
        doubts = [(max(since, start), until) for since, until in jobs.until(end) if until > begin]
        if begin > start:
            doubts.insert(0, (start, begin))
        guess = self.guess.finished() if self.guess is not None else Guess()
        if guess.tally.count > self.spent.count:
            return self._inferred(guess, doubts if jobs.known_ns is not None else [(start, end)], last_ns)
        result = self._sums()
        if before is not None and begin == start:
            count_edge(result, before)
        stretches = _between(begin, end, doubts)
        result.edge = WindowEdge(end, None, False, 0)
        for at, stretch in enumerate(stretches):
            result.windows.put(*self._trimmed(result, stretch, first=at == 0 and begin == start, midstream=midstream))
        for stretch in doubts:
            result.unrated_windows.put(*stretch)
        if result.guess_alone:  # all were told by hashes; those at the edges are not counted
            result.guess.tally = result.spent.copy()
        if self.unknown and not self.spent.count:  # no share's work was ever known: nor is that of the time
            result.unrated_windows, result.windows = result.windows, type(result.windows)()
        return result

    def _sums(self) -> Exposure:
        """What is counted, before the edges."""
        credited = self.spent.copy() if self.rejected is None else self.spent.without(self.rejected)
        like = self.unknown if self.learnt else 0  # their answers were lost: that is no matter of their work
        return Exposure(
            credited=credited,
            spent=self.spent.copy(),
            submitted=self.spent.count + like,
            unknown=like,
            unrated=self.unrated + self.unknown - like,
            guess=self.by_hashes.guess(),
        )

    def _inferred(self, guess: Guess, doubts: list[Stretch], last_ns: int) -> Exposure:
        """What is counted where most shares' work follows from their own hashes: those, in the time that has them."""
        unrated = self.unrated + self.unknown
        result = Exposure(guess=guess, submitted=unrated, unknown=unrated, unrated=0)
        for start, end in doubts:
            result.windows.put(start, max(start, end))
        if self.last is None or unrated < 2 or not doubts or last_ns - self.last.ts_ns >= EDGE_NS:
            return result
        if doubts[-1][1] >= self.last.ts_ns:  # inferred work stays: its block is judged as a whole
            result.submitted, result.unknown = unrated - 1, unrated - 1
            result.windows = type(result.windows)()
            for start, end in doubts:
                result.windows.put(start, max(start, min(end, self.last.ts_ns)))
        return result

    def _trimmed(self, result: Exposure, stretch: Stretch, *, first: bool, midstream: bool) -> Stretch:
        """A stretch whose edges are shares where shares are next to them; those are not counted."""
        start, end = stretch
        inside = [row for row in self.rows if row.first.ts_ns <= end and (row.last.ts_ns >= start or first)]
        if not inside:
            return stretch
        opening, closing = inside[0].first, inside[-1].last
        several = result.spent.count + self.unknown > 1
        if several and end not in self._as_it_is and end - closing.ts_ns < EDGE_NS:
            if result.edge is not None and result.edge.until_ns == end:
                result.edge = WindowEdge(closing.ts_ns, closing.work, closing.rejected, closing.hashes)
            end = closing.ts_ns
            _uncount(result, closing)
        late = first and opening.ts_ns < start  # its login or job was not seen as it was
        if late or (first and midstream and opening.ts_ns - start < EDGE_NS):
            start = opening.ts_ns
            if self.spent.count + self.unknown > 2 and opening is not closing:
                _uncount(result, opening)
        return start, max(start, end)

    def _count(self, share: Share, work: int) -> None:
        self.spent.put(work)
        if share.hashes:
            self.by_hashes.put(share)
        self._recent.append(share)
        if self._apart or not self.rows:
            self.rows.append(ShareRow(share, share))
            self._apart = False
        elif share.ts_ns > self.rows[-1].last.ts_ns:
            self.rows[-1].last = share

    def _begin(self) -> None:
        """The first job of known difficulty has come: what was sent before is of unknown work."""
        self.phase = 1
        self.unrated += self.unknown + self.spent.count
        self.unknown, self.spent, self.rejected, self.by_hashes = 0, Tally(), None, ByHashes()
        self.rows.clear()
        self._recent.clear()
        self._apart = True

    def _enter(self, era: int) -> None:
        """Another difficulty is in force: note what was counted by those before."""
        rejected = None if self.rejected is None else self.rejected.copy()
        last = self.rows[-1].last if self.rows else None
        self._era = BookEra(era, self.spent.copy(), rejected, self.by_hashes.copy(), len(self.rows), last)

    def _forget(self, heard_ns: int) -> None:
        """The pool has sent something since: what was sent before that cannot come into doubt any more. The newest of
        those may become the last of its row."""
        recent = self._recent
        while len(recent) > MAX_RECENT or (len(recent) > 1 and recent[1].ts_ns <= heard_ns):
            del recent[0]


def _between(begin: int, end: int, doubts: list[Stretch]) -> list[Stretch]:
    """What is left of a window without the doubts in it."""
    stretches = []
    for since, until in doubts:
        if since > begin:
            stretches.append((begin, min(since, end)))
        begin = max(begin, until)
    if begin < end or not stretches:
        stretches.append((begin, max(begin, end)))
    return stretches


def _uncount(exposure: Exposure, share: Share) -> None:
    """A share is an edge of the window, not an event in it."""
    if share.work is None:
        return
    exposure.submitted -= 1
    exposure.spent.remove(share.work)
    if not share.rejected:
        exposure.credited.remove(share.work)
