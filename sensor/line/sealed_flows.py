"""Encrypted sessions that are followed, and what the looks at them say. Sans-IO: time is the packets' own.

A session is looked at when the packets' time has come to its next look, or when it ends; then its grammar of lengths,
its beat with the blocks that are known, and the moments that it shares with other sessions of its server are judged
together. Bounded in bytes: where it is too much, those that no dialect explains so far are given up first, and counted.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from sensor.behaviour.block_beat import FOLLOWS, BlockBeat
from sensor.behaviour.block_clocks import BlockClocks
from sensor.behaviour.calibration import Calibration
from sensor.behaviour.dialect_lengths import DialectLengths, lengths_of
from sensor.behaviour.grammar import constants_of_coin
from sensor.behaviour.judge import Behaviour, judge_behaviour
from sensor.behaviour.session_trace import SESSION_BYTES, GrammarLook, SessionTrace
from sensor.behaviour.synchrony import Synchrony, synchrony_of
from sensor.behaviour.taught_blocks import TaughtBlocks
from sensor.behaviour.trace import NO_TRACE
from sensor.line.judged_session import USUAL_RULES, BehaviourRules, JudgedSession
from sensor.model.encrypted import ClientHello, EncryptedClose, EncryptedEvent, EncryptedOpen, Records, ServerHello
from sensor.model.time import ANY_TIME, MINUTE_NS, PlausibleTime
from sensor.signatures.model import SignatureSet

#: Bytes that all sessions take together: as many as a core follows by default, with 180 records each.
MAX_TRACE_BYTES = 256 << 20
#: What is left of them once room was made, so that making room is rare.
RELIEVED_PARTS = (7, 8)
#: Chances of beats remembered for counting all that were tried, the newest of each session.
MAX_BEATS = 65_536
#: A core hands records over when there are 16, or with a sweep a minute or more after the first of them.
LATE_NS = 2 * MINUTE_NS
#: Looks taken at once: each takes some milliseconds, and whoever begins or ends many sessions at a time shall not stop
#: the line.
LOOKS_AT_ONCE = 16
#: Sessions of one server, and others, that are compared in time.
MAX_COMPARED = 24
#: The grammar's chance from which on a session is compared with others, and kept when room is made.
COMPARED_FROM = 0.01


def grammars_of(signatures: SignatureSet) -> tuple[DialectLengths, ...]:
    """The grammars of all dialects that have one."""
    return tuple(chain.from_iterable(lengths_of(dialect, signatures) for dialect in signatures.dialects))


@dataclass(slots=True)
class _Followed:
    opened: EncryptedOpen
    session: SessionTrace
    last_ns: int
    held_bytes: int = SESSION_BYTES
    records: tuple[int, int] = (0, 0)
    looks: list[GrammarLook] = field(default_factory=list)
    beats: dict[str, float] = field(default_factory=dict)  # by coin, the chance of its newest by itself
    behaviour: Behaviour | None = None  # that said most so far
    synchrony: float | None = None  # its chance, where it could be tested

    @property
    def worth(self) -> int:
        """What it is worth to keep: least where no dialect explains it, most where one does beyond chance."""
        if any(look.grammar.p <= COMPARED_FROM for look in self.looks):
            return 2
        return int(not self.looks or any(look.grammar.relations for look in self.looks))


class SealedFlows:
    """All sessions of one run."""

    def __init__(
        self, signatures: SignatureSet, rules: BehaviourRules = USUAL_RULES, most_bytes: int = MAX_TRACE_BYTES
    ) -> None:
        self.calibration = Calibration()
        self.blocks, self.taught = BlockClocks(), TaughtBlocks()
        self._grammars: tuple[DialectLengths, ...] | None = None  # made for the first look: it takes 0.1 s
        self.held_bytes = 0
        self._counters: Counter[str] = Counter()
        self._latest_ns = 0
        self._most_bytes = most_bytes
        self._flows: dict[int, _Followed] = {}
        self._due: list[tuple[int, int]] = []
        self._over: deque[tuple[int, _Followed]] = deque()
        self._tried = array("d")  # chances of beats, in order
        self.replace(signatures, rules)

    def __len__(self) -> int:
        return len(self._flows)

    def replace(self, signatures: SignatureSet, rules: BehaviourRules) -> None:
        """Go on with other signatures and rules; blocks that were known stay so."""
        self._signatures, self._grammars, self._thresholds = signatures, None, rules.thresholds
        for coin, times_ns in rules.blocks_ns.items():
            self.blocks.load(coin, times_ns)

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start, by name; those followed, and the bytes that they take, now."""
        names = ("encrypted_records", "encrypted_looks", "encrypted_behaves", "encrypted_given_up")
        counts = {name: self._counters[name] for name in names}
        now = {"encrypted_followed": len(self), "encrypted_bytes": self.held_bytes}
        return {**counts, **now, **self.calibration.counters()}

    def take(self, event: EncryptedEvent, plausible: PlausibleTime = ANY_TIME) -> None:
        """One event of a session; one that begins at a time that cannot be is dropped with all that follows."""
        if isinstance(event, EncryptedOpen) and not plausible.holds(event.first_ns):
            return
        self._latest_ns = max(self._latest_ns, event.ts_ns)
        if isinstance(event, EncryptedOpen):
            if event.kind == "tls":
                trace = SessionTrace(midstream=event.midstream, knows_client=event.basis == "syn")
                self._flows[event.flow] = _Followed(event, trace, event.ts_ns)
                self.held_bytes += SESSION_BYTES
            return
        followed = self._flows.get(event.flow)
        if followed is None:
            return
        followed.last_ns = max(followed.last_ns, event.ts_ns)
        if isinstance(event, Records):
            self._records(event, followed)
        elif isinstance(event, ClientHello):
            followed.session.client, followed.session.knows_client = event.direction, True
        elif isinstance(event, ServerHello):
            followed.session.note_hello(event)
        elif isinstance(event, EncryptedClose):
            del self._flows[event.flow]
            if event.reason == "fat":  # no thin session after all
                self.held_bytes -= followed.held_bytes
                self._forget_beats(followed)
            else:
                self._over.append((event.flow, followed))

    def judged(self) -> Iterator[JudgedSession]:
        """Take looks that are due by the time of the newest event, and those at sessions that have ended: some at each
        call, for a look sees no more for being late.
        """
        looks = 0
        while self._over and looks < LOOKS_AT_ONCE:
            number, followed = self._over.popleft()
            for judged in self._last_looks(number, followed):
                looks += 1
                yield judged
        while looks < LOOKS_AT_ONCE and self._due and self._due[0][0] <= self._latest_ns - LATE_NS:
            _, number = heapq.heappop(self._due)
            found = self._flows.get(number)
            if found is not None:
                looks += 1
                yield self._look(number, found)
                self._schedule(number, found)

    def finish(self, has_time: Callable[[], bool] = lambda: True) -> Iterator[JudgedSession]:
        """The run ends: a last look at every session, those worth most first, until there is no time any more."""
        going_on = sorted(self._flows.items(), key=lambda item: (-item[1].worth, item[0]))
        ending = [*self._over, *going_on]
        self._over.clear()
        for number, followed in ending:
            self._flows.pop(number, None)
            if has_time():
                yield from self._last_looks(number, followed)
            else:
                self._give_up(followed)

    def _last_looks(self, number: int, followed: _Followed) -> Iterator[JudgedSession]:
        """The looks at a session that is over, which is then forgotten."""
        self.held_bytes -= followed.held_bytes
        while (due_ns := followed.session.due_ns) is not None:
            ended = due_ns >= followed.last_ns
            yield self._look(number, followed, ended=ended)
            if ended:
                break
        self._calibrate(followed)
        self._forget_beats(followed)

    def _give_up(self, followed: _Followed) -> None:
        """Forget a session without a look."""
        self._counters["encrypted_given_up"] += 1
        self.held_bytes -= followed.held_bytes
        self._forget_beats(followed)

    def _calibrate(self, followed: _Followed) -> None:
        """A session is over: how small its chances were."""
        tested = [look.grammar.p for look in followed.looks if look.grammar.untestable is None]
        self.calibration.add(min(tested, default=None), followed.beats.values(), followed.synchrony)

    def _records(self, batch: Records, followed: _Followed) -> None:
        is_first = not len(followed.session)
        followed.session.take(batch)
        sides = [record.direction for record in batch.records]
        followed.records = (batch.counts[0] + sides.count(0), batch.counts[1] + sides.count(1))
        self._counters["encrypted_records"] += len(sides)
        self.held_bytes += followed.session.held_bytes - followed.held_bytes
        followed.held_bytes = followed.session.held_bytes
        if is_first:
            self._schedule(batch.flow, followed)
        if self.held_bytes > self._most_bytes:
            self._relieve()

    def _schedule(self, number: int, followed: _Followed) -> None:
        due_ns = followed.session.due_ns
        if due_ns is not None:
            heapq.heappush(self._due, (due_ns, number))

    def _relieve(self) -> None:
        """Too much is held: those worth least go first, of equals the greediest, then the oldest."""
        ranked = sorted(
            self._flows.items(), key=lambda item: (item[1].worth, -item[1].held_bytes, item[1].opened.first_ns)
        )
        for number, followed in ranked:
            if self.held_bytes <= self._most_bytes * RELIEVED_PARTS[0] // RELIEVED_PARTS[1]:
                return
            del self._flows[number]
            self._give_up(followed)

    def _look(self, number: int, followed: _Followed, *, ended: bool = False) -> JudgedSession:
        session = followed.session
        assert session.due_ns is not None, "it was looked for what is due"
        span_ns = (followed.opened.first_ns, min(session.due_ns, followed.last_ns))
        own = self.blocks.between(*span_ns)
        blocks = {**self.taught.between(*span_ns), **own}
        if self._grammars is None:
            self._grammars = grammars_of(self._signatures)
        look = session.look(self._grammars, blocks, ended=ended)
        self._counters["encrypted_looks"] += 1
        followed.looks.append(replace(look, beats=(), trace=NO_TRACE))  # it would take ten times the room
        adjusted = tuple(self._counted(followed, beat) for beat in look.beats)
        beat = min(adjusted, key=lambda each: each.p, default=None)
        least = min(each.grammar.p for each in followed.looks)
        synchrony = self._synchrony(number, followed) if least <= COMPARED_FROM else None
        if synchrony is not None and synchrony.untestable is None:
            followed.synchrony = synchrony.p
        grammars = [each.grammar for each in followed.looks]
        beside = [constants_of_coin(each, self._grammars, beat) for each in grammars]
        rules = self._thresholds
        behaviours = [judge_behaviour(g, beat, synchrony, rules, c) for g, c in zip(grammars, beside, strict=True)]
        before = () if followed.behaviour is None else (followed.behaviour,)
        behaviour = min((*before, *behaviours), key=lambda each: (not each.behaves, each.p))
        followed.behaviour = behaviour  # what was said once stays said
        self._counters["encrypted_behaves"] += behaviour.behaves
        return JudgedSession(
            opened=followed.opened,
            client=session.client,
            last_ns=followed.last_ns,
            records=followed.records,
            looks=(*followed.looks[:-1], look),
            behaviour=behaviour,
            beats=look.beats,
            adjusted=adjusted,
            synchrony=synchrony,
            ended=ended,
            taught={beat.coin: self.taught.sensors_of(beat.coin) for beat in look.beats if beat.coin not in own},
        )

    def _counted(self, followed: _Followed, beat: BlockBeat) -> BlockBeat:
        """A beat with all that were tried counted: its chance times the number of flows and coins, over its rank among
        them (Benjamini and Hochberg 1995, without the step that may only lower it)."""
        if beat.answer not in ("follows", "does not"):
            return beat
        self._take_out(followed.beats.pop(beat.coin, None))
        if len(self._tried) < MAX_BEATS:
            self._tried.insert(bisect_right(self._tried, beat.p), beat.p)
            followed.beats[beat.coin] = beat.p
        p = min(1.0, beat.p * max(1, len(self._tried)) / max(1, bisect_right(self._tried, beat.p)))
        return replace(beat, p=p, answer="follows" if p <= FOLLOWS else "does not")

    def _forget_beats(self, followed: _Followed) -> None:
        for p in followed.beats.values():
            self._take_out(p)
        followed.beats.clear()

    def _take_out(self, p: float | None) -> None:
        if p is not None:
            del self._tried[bisect_left(self._tried, p)]

    def _synchrony(self, number: int, followed: _Followed) -> Synchrony:
        """The session beside others of its server and of other servers."""
        own = _server(followed)
        flows: dict[str, list[list[int]]] = {}
        compared: Counter[bool] = Counter()
        for other, each in self._flows.items():
            is_own = _server(each) == own
            if other == number or not each.looks or compared[is_own] >= MAX_COMPARED:
                continue
            compared[is_own] += 1
            flows.setdefault(_server(each), []).append(each.session.unasked_ns())
        flows.setdefault(own, []).append(followed.session.unasked_ns())
        return synchrony_of(own, flows)


def _server(followed: _Followed) -> str:
    opened = followed.opened
    ends = ((opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port))
    address, port = ends[1 - followed.session.client]
    return f"{address.hex()}:{port}"
