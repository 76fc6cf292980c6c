"""What a session's lengths would be if it were another protocol of the same structure: one that signs in, pushes, asks
with ids that grow and acknowledges in one text, as mining does and as any queue of jobs over JSON-RPC may do.

Equations that such a protocol obeys by its structure say nothing of mining; its constants do. The null is a reference:
protocols whose constants are drawn from what JSON-RPC needs around contents of any length. The chance is that of
constants that fit any dialect as closely as the session's do. Knows dialects and lengths; knows no sessions.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from sensor.behaviour.dialect_lengths import DialectLengths, LengthRange, LineOpening, framed
from sensor.behaviour.message_kinds import EXTRA_BYTES, Constants
from sensor.behaviour.opening import MEMBERS, MERGED

#: Protocols that are drawn. The least chance that can be told is one of so many and one.
DRAWN = 4_000
#: Bytes of {"jsonrpc":"2.0","id":1,"method":"...","params":{...}} and an LF around its contents, of the same without an
#: id, and of an answer {"id":1}, each without its version.
AROUND_QUESTION, AROUND_PUSH, AROUND_ANSWER = 32, 25, 9
#: Contents of a question, its method's name among them, of an answer that says something, of a push: the median, and
#: the deviation of logarithms in most protocols. Most are as long as those of mining, which is the hard case; the rest
#: spread wider.
QUESTION_BYTES, ANSWER_BYTES, PUSH_BYTES = (100, 0.6), (50, 0.7), (220, 0.6)
WIDER, WIDER_DEVIATION, LEAST_BYTES = 0.3, 1.3, 4
#: What an acknowledgement says, with the spaces that the spaced style adds: true, true without an error, null, "ok",
#: {}, {"status":"ok"}, the same without an error, 0 or 1.
ACKNOWLEDGEMENTS = ((14, 1), (27, 2), (14, 1), (14, 1), (12, 1), (25, 2), (38, 3), (11, 1))
#: ,"jsonrpc":"2.0" and its space.
VERSION = (16, 1)
#: Shares of protocols with a version, in spaced style, over WebSocket, with an acknowledgement of none of those texts.
WITH_VERSION, SPACED, OVER_WEBSOCKET, OTHER_TEXT = 0.65, 0.35, 0.35, 0.2
#: Share of a sign-in's questions that are acknowledged like any other.
ACKNOWLEDGED = 0.4
#: Questions of a sign-in that are drawn at least.
LEAST_REQUESTS = 4
#: Share of protocols that push something else at the beginning, of pools that push a target then in a way that can be
#: seen, and of pools of dialects without one that push something.
EXTRA_ELSEWHERE, EXTRA_TARGET, EXTRA_OTHER = 0.2, 0.6, 0.1
#: How far a dialect's lengths lie from its example's, as parts of its ranges, each as likely.
PARTS = (0.05, 0.2, 0.5, 1.0)
#: Lengths nearer than one part in so many are one length elsewhere.
NEAR = 20


class OtherProtocols:
    """The reference, and how closely its protocols fit the dialects."""

    def __init__(self, grammars: Sequence[DialectLengths]) -> None:
        grammars = tuple(grammars)
        self._coins = {coin for own in grammars for coin in own.coins}
        rng = _Draws()
        sizes = (len(opening.requests) for own in grammars for opening in own.openings)
        questions = max((LEAST_REQUESTS, *sizes))  # protocols that ask less would fit no opening that asks more
        self.drawn = [_draw(rng, questions) for _ in range(DRAWN)]
        self._columns = (
            sorted(length for some in self.drawn for length in some.requests),
            sorted(answer[0] for some in self.drawn for answer in some.answers),
            sorted(some.reply or 0 for some in self.drawn),
            sorted(some.job for some in self.drawn),
            sorted(extra for some in self.drawn for extra in some.extras),
        )
        self._grammars = [(own, tuple(map(_lengths, (own.replies, own.submits, own.jobs)))) for own in grammars]
        self._densities: dict[tuple[int, int], float] = {}
        self._scores: dict[tuple[int, bool, str | None], array[float]] = {}  # 32 KB each

    def least_chance(self, readings: Collection[Constants], coin: str | None = None) -> float:
        """The least of several ways to read one session, which pays for all of them."""
        if not readings:
            return 1.0
        ways = len({(len(some.requests), some.share, some.reply) for some in readings})
        return min(1.0, ways * min(self.chance(some, coin) for some in readings))

    def chance(self, constants: Constants, coin: str | None = None) -> float:
        """The chance of constants that fit as closely as these, all dialects tried; with a coin those that
        push its jobs. It is 1 for a coin of which none does, as far as the signatures say."""
        size, alone = len(constants.requests), constants.share is None
        if coin is not None and coin not in self._coins:
            return 1.0
        if (size, alone, coin) not in self._scores:
            drawn = (self.score(_shaped(some, size, alone), coin) for some in self.drawn)
            self._scores[size, alone, coin] = array("d", sorted(drawn))
        scores = self._scores[size, alone, coin]
        return (1 + len(scores) - bisect_left(scores, self.score(constants, coin) - 1e-9)) / (1 + len(scores))

    def score(self, constants: Constants, coin: str | None = None) -> float:
        """The logarithm of how many times as likely the constants are in the dialects, taken together, as elsewhere."""
        kinds = (constants.reply, constants.share, constants.job)
        likely = [
            score
            for grammar, fitting in self._grammars
            if (coin is None or coin in grammar.coins)
            and all(length is None or length in some for length, some in zip(kinds, fitting, strict=True))
            for score in self._scores_in(grammar, constants)
        ]
        most = max(likely, default=-math.inf)
        if most == -math.inf:
            return most
        return most + math.log(math.fsum(math.exp(score - most) for score in likely) / len(self._grammars))

    def _scores_in(self, grammar: DialectLengths, constants: Constants) -> Iterator[float]:
        total = self._apart(_JOB, grammar.jobs, constants.job)
        if constants.reply is not None:
            total += self._apart(_REPLY, grammar.replies, constants.reply)
        if not constants.requests:
            yield total if constants.share is None else total + self._apart(_QUESTION, grammar.submits, constants.share)
            return
        total += self._extra(grammar, constants)
        for opening in grammar.openings:
            if len(opening.requests) == len(constants.requests):
                yield total + self._opening(grammar, opening, constants)

    def _extra(self, grammar: DialectLengths, constants: Constants) -> float:
        """Of one more push at the beginning, or none."""
        own = EXTRA_TARGET if grammar.targets else EXTRA_OTHER
        if not constants.extras:
            return math.log((1 - own) / (1 - EXTRA_ELSEWHERE))
        fitting = (self._apart(_EXTRA, grammar.targets, extra) for extra in constants.extras if grammar.targets)
        more = math.fsum(map(math.exp, fitting)) / len(constants.extras)
        return math.log((own * more + EXTRA_OTHER) / EXTRA_ELSEWHERE)

    def _opening(self, grammar: DialectLengths, opening: LineOpening, constants: Constants) -> float:
        total = 0.0
        if not all(length in some for some, length in zip(opening.requests, constants.requests, strict=True)):
            return -math.inf
        for request, length in zip(opening.requests, constants.requests, strict=True):
            total += self._apart(_QUESTION, (request,), length)
        if constants.share is not None:
            total += self._share(grammar, opening, constants.share, constants.requests[opening.login])
        if opening.envelope is not None:
            if constants.answers[0][0] in constants.pushed:
                return total  # any protocol pushes, and its answer may have been taken for a ticket of TLS
            carrying = opening.envelope.around(constants.pushed)
            return total + self._apart(_ANSWER, (carrying,), constants.answers[0][0])
        for bounds, as_share, lengths in zip(opening.answers, opening.as_share, constants.answers, strict=False):
            if bounds is not None:
                total += max(self._answer(bounds, as_share, length, constants.reply) for length in lengths)
        return total

    def _share(self, grammar: DialectLengths, opening: LineOpening, share: int, login: int) -> float:
        """Of a share, which repeats the miner's name where the example's does."""
        alone = self._apart(_QUESTION, grammar.submits, share)
        if opening.share_minus_login is None or alone == -math.inf:
            return alone
        beside = self._apart(_QUESTION, (opening.share_minus_login.around(LengthRange(login, login)),), share)
        return beside if beside == -math.inf else math.log((math.exp(alone) + math.exp(beside)) / 2)

    def _answer(self, bounds: LengthRange, as_share: bool, length: int, reply: int | None) -> float:
        if length >= bounds.low + MERGED:
            return 0.0  # with more lines in its record
        if not as_share or reply is None:
            return self._apart(_ANSWER, (bounds,), length)
        fits = any(reply - 2 <= length + members <= reply + 2 for members in MEMBERS)
        return -math.log(ACKNOWLEDGED) if fits else -math.inf

    def _apart(self, column: int, ranges: Sequence[LengthRange], length: int) -> float:
        """The logarithm of how many times as likely a length is within these ranges as it is elsewhere."""
        inside = math.fsum(_density(some, length) for some in ranges) / max(1, len(ranges))
        if not inside:
            return -math.inf
        if (column, length) not in self._densities:
            values, near = self._columns[column], max(1, length // NEAR)
            number = bisect_right(values, length + near) - bisect_left(values, length - near)
            self._densities[column, length] = (number + 0.5) / (2 * near + 1) / len(values)
        return math.log(inside / self._densities[column, length])


@lru_cache(1)
def other_protocols(grammars: tuple[DialectLengths, ...]) -> OtherProtocols:
    """Drawn once, when the first session is close to be judged: it takes half a second for each kind of opening."""
    return OtherProtocols(grammars)


_QUESTION, _ANSWER, _REPLY, _JOB, _EXTRA = range(5)


def _lengths(ranges: Iterable[LengthRange]) -> frozenset[int]:
    return frozenset(length for some in ranges for length in range(some.low, some.high + 1))


def _density(bounds: LengthRange, length: int) -> float:
    """Of lengths in a range: as in the example, or as much farther from that as any part of the range allows."""
    if length not in bounds:
        return 0.0
    low, high = bounds.usual or (bounds.low, bounds.high)
    low, high = min(low, bounds.high), max(high, bounds.low)
    total = 0.0
    for part in PARTS:
        least, most = low - part * (low - bounds.low), high + part * (bounds.high - high)
        total += (least <= length <= most) / (most - least + 1)
    return total / len(PARTS)


class _Draws:
    """Numbers of one sequence, the same in each run (splitmix64; Steele, Lea and Flood 2014)."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = 0

    def random(self) -> float:
        """From 0 to below 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _WHOLE
        mixed = ((self._state ^ (self._state >> 30)) * 0xBF58476D1CE4E5B9) & _WHOLE
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WHOLE
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def below(self, number: int) -> int:
        """A whole number below another."""
        return int(self.random() * number)

    def normal(self) -> float:
        """Of the normal law (Box and Muller 1958)."""
        return math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())


_WHOLE = (1 << 64) - 1


def _shaped(some: Constants, size: int, alone: bool) -> Constants:
    """The protocol with so many questions in its opening, and asking nothing later."""
    cut = replace(some, requests=some.requests[:size], answers=some.answers[:size])
    return replace(cut, share=None, reply=None) if alone else cut


def _draw(rng: _Draws, questions: int) -> Constants:
    version = VERSION if rng.random() < WITH_VERSION else (0, 0)
    spaced, socket, size = rng.random() < SPACED, rng.random() < OVER_WEBSOCKET, _sizes(rng)

    def written(content: int, spaces: int, from_client: bool) -> int:
        length = content + version[0] + (spaces + version[1] if spaced else 0)
        return framed(length - 1, "websocket" if socket else "line", from_client)

    def asked() -> int:
        return written(AROUND_QUESTION + size(QUESTION_BYTES), 8, True)

    other = rng.random() < OTHER_TEXT
    text, spaces = (size(ANSWER_BYTES), 1) if other else ACKNOWLEDGEMENTS[rng.below(len(ACKNOWLEDGEMENTS))]
    reply = written(AROUND_ANSWER + text, 2 + spaces, False)
    answers = tuple(
        (reply if rng.random() < ACKNOWLEDGED else written(AROUND_ANSWER + size(ANSWER_BYTES), 6, False),)
        for _ in range(questions)
    )
    requests = tuple(asked() for _ in range(questions))
    extras = (
        (EXTRA_BYTES[0] + rng.below(EXTRA_BYTES[1] - EXTRA_BYTES[0] + 1),) if rng.random() < EXTRA_ELSEWHERE else ()
    )
    return Constants(requests, answers, asked(), reply, written(AROUND_PUSH + size(PUSH_BYTES), 8, False), extras)


def _sizes(rng: _Draws) -> Callable[[tuple[float, float]], int]:
    """Lengths of contents by their median and deviation."""

    def drawn(usual: tuple[float, float]) -> int:
        deviation = WIDER_DEVIATION if rng.random() < WIDER else usual[1]
        return max(LEAST_BYTES, round(usual[0] * math.exp(deviation * rng.normal())))

    return drawn
