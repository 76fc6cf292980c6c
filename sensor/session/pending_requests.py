"""Requests waiting for their replies, in one direction of one flow. Knows ids and kinds of request; knows nothing of
dialects.

Ids may repeat, be 0, null, text, or missing. An exact id is looked for first (first in, first out); what has no
usable id goes to the oldest unanswered login, else to the oldest unanswered share. Only requests already seen can be
chosen, so a reply never meets a later request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Requests kept per direction: a miner has a handful outstanding, a farm's agent many. As long as no answer was seen
#: fewer are, because each holds some 300 bytes: as many as may be sent ahead of the first answer, or, where the other
#: direction is not captured at all, the newest few, for there are many such sessions.
MAX_PENDING, MAX_AHEAD, MAX_UNHEARD = 256, 64, 8

#: Kinds whose reply matters for counting; of the others at most one per id is kept, because hashrate reports often
#: never get an answer.
COUNTED = ("login", "subscribe", "submit")
#: Kinds of id that stand in a message, and may be wrong there; what a framing ties together itself is never guessed.
OWN_IDS = ("none", "word", "text", "number")


#: An id as it is compared: its kind, and what it is.
IdKey = tuple[str, object]
#: Kinds that a reply is not for while another request has its id: a report that gets no answer must not take a share's,
#: nor a subscription, which is answered by more than yes or no.
UNLIKELY, UNLIKELY_FLAT = ("hashrate",), ("hashrate", "subscribe")


@dataclass(slots=True, eq=False)
class Request:
    """One request and what how each reading of the flow understands it."""

    key: IdKey
    kind: str
    tokens: tuple[object, ...]


def id_key(value: object) -> IdKey:
    """An id as a comparable key: 1 and "1" differ, 1 and 1.0 do not; maps, lists and texts that were cut are no ids."""
    if type(value) is str:
        return ("text", value[:128])
    if type(value) is int or type(value) is float:
        return ("number", value)
    return ("word", str(value)) if value is None or type(value) is bool else ("none", None)


def _alike(first: IdKey, other: IdKey) -> bool:
    """The same id, once as a number and once as text."""
    return {first[0], other[0]} == {"number", "text"} and str(first[1]) == str(other[1])


class PendingRequests:
    """The unanswered requests of one direction, oldest first."""

    __slots__ = ("_heard", "_unheard", "_waiting", "dropped")

    def __init__(self, *, is_one_sided: bool = False) -> None:
        """`is_one_sided` says that not a packet of the other direction was seen."""
        self._unheard = MAX_UNHEARD if is_one_sided else MAX_AHEAD
        self._waiting: tuple[Request, ...] = ()
        self._heard = False  # one of them was answered
        self.dropped = 0

    def add(self, request: Request) -> None:
        """Remember a request; over the bound the oldest is forgotten (its share stays unanswered)."""
        if request.kind not in COUNTED:
            self._waiting = tuple(
                waiting for waiting in self._waiting if waiting.kind != request.kind or waiting.key != request.key
            )
        self._waiting = (*self._waiting, request)
        if len(self._waiting) > (MAX_PENDING if self._heard else self._unheard):
            self._waiting = self._waiting[1:]
            self.dropped += 1

    def answer(self, key: IdKey, *, flat: bool) -> Request | None:
        """The request a reply with this id belongs to; `flat` says its result is a mere yes or no."""
        if key[0] != "none":
            unlikely = UNLIKELY_FLAT if flat else UNLIKELY
            for request in self._waiting:  # as nearly always
                if request.key == key and request.kind not in unlikely:
                    return self._remove(request)
            same = [request for request in self._waiting if request.key == key] or [
                request for request in self._waiting if _alike(request.key, key)
            ]
            for request in same:
                if request.kind not in unlikely:
                    return self._remove(request)
            if same:
                return self._remove(same[0])
        if key[0] not in OWN_IDS:
            return None
        return self._oldest(("login", "subscribe")) or self._oldest(("submit",))

    def answer_kind(self, key: IdKey, kinds: Sequence[str]) -> Request | None:
        """The same for a message whose rule names the kinds that it answers."""
        for request in self._waiting:
            if request.key == key and request.kind in kinds:
                return self._remove(request)
        if key[0] not in OWN_IDS:
            return None
        for kind in kinds:
            found = self._oldest((kind,))
            if found is not None:
                return found
        return None

    def settle(self, key: IdKey, kind: str) -> None:
        """Forget a request that was answered by a message recognised by its own shape (work with the request's id)."""
        for request in self._waiting:
            if request.key == key and request.kind == kind:
                self._remove(request)
                return

    def waiting(self, kind: str) -> list[Request]:
        """The unanswered requests of a kind."""
        return [request for request in self._waiting if request.kind == kind]

    def narrow(self, wanted: Callable[[object], bool]) -> None:
        """Forget the tokens of readings that are given up."""
        for request in self._waiting:
            request.tokens = tuple(token for token in request.tokens if wanted(token))

    def _oldest(self, kinds: Sequence[str]) -> Request | None:
        for request in self._waiting:
            if request.kind in kinds:
                return self._remove(request)
        return None

    def _remove(self, request: Request) -> Request:
        self._heard = True
        if self._waiting[0] is request:
            self._waiting = self._waiting[1:]
        else:
            self._waiting = tuple(waiting for waiting in self._waiting if waiting is not request)
        return request
