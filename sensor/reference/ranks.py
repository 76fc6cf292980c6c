"""Candidates by how sure it is that somebody talks there, each list in the order of last use.

Whose turn it is to go. Rules: docs/border.md, "Prefilter".
"""

from __future__ import annotations

from sensor.model.limits import CoreLimits
from sensor.reference.flow import Flow, Rank

#: Of the candidates that are allowed, one in so many may besides be of a single packet that nobody has answered.
SINGLE_SHARE = 4


class Ranks:
    def __init__(self, limits: CoreLimits) -> None:
        self._most = limits.candidates
        self._lists: dict[Rank, dict[int, Flow]] = {rank: {} for rank in Rank}

    def __len__(self) -> int:
        """Those whose gate is open."""
        return sum(map(len, self._lists.values()))

    def set(self, flow: Flow, rank: Rank | None) -> None:
        """Move a flow to the end of a list; None: its gate is shut."""
        if flow.rank is not None:
            self._lists[flow.rank].pop(flow.number, None)
        flow.rank = rank
        if rank is not None:
            self._lists[rank][flow.number] = flow

    def touch(self, flow: Flow) -> None:
        """It was used just now."""
        self.set(flow, flow.rank)

    def oldest(self, rank: Rank) -> Flow | None:
        return next(iter(self._lists[rank].values()), None)

    def is_full(self) -> bool:
        """Whether there are as many of more than one packet as may be."""
        return len(self._lists[Rank.ONE_SIDED]) + len(self._lists[Rank.ANSWERED]) >= self._most

    def has_room(self, flow: Flow) -> bool:
        """Whether its gate may open without shutting another that is as good.

        What nobody has answered makes its own room.
        """
        return not flow.is_answered() or not self.is_full() or bool(self._lists[Rank.ONE_SIDED])

    def victim(self, literal: bool) -> Flow | None:
        """Who goes where all are of more than one packet; for an exact match even one that was answered."""
        return self.oldest(Rank.ONE_SIDED) or (self.oldest(Rank.ANSWERED) if literal else None)

    def excess_single(self) -> Flow | None:
        """Who goes before one more of a single packet comes."""
        singles = self._lists[Rank.SINGLE]
        return self.oldest(Rank.SINGLE) if len(singles) >= max(1, self._most // SINGLE_SHARE) else None
