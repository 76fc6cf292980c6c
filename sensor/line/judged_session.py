"""What is known of an encrypted session after a look, and the rules it is judged by. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sensor.behaviour.block_beat import BlockBeat
from sensor.behaviour.judge import USUAL, Behaviour, Thresholds
from sensor.behaviour.session_trace import GrammarLook
from sensor.behaviour.synchrony import Synchrony
from sensor.model.encrypted import EncryptedOpen


@dataclass(frozen=True, slots=True)
class BehaviourRules:
    """From which chances on a session behaves as mining, and the blocks that are known beforehand, by coin."""

    thresholds: Thresholds = USUAL
    blocks_ns: Mapping[str, Sequence[int]] = field(default_factory=dict)


USUAL_RULES = BehaviourRules()


@dataclass(frozen=True, slots=True)
class JudgedSession:
    """What is known of one session after a look."""

    opened: EncryptedOpen
    client: int  # the direction of the client
    last_ns: int
    records: tuple[int, int]  # handed over so far, by direction
    looks: tuple[GrammarLook, ...]
    behaviour: Behaviour
    beats: tuple[BlockBeat, ...]  # of the newest look, as they are by themselves
    adjusted: tuple[BlockBeat, ...]  # with all beats counted that were tried
    synchrony: Synchrony | None
    ended: bool  # no look follows
    taught: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by coin, the sensors that its blocks are of

    @property
    def first_ns(self) -> int:
        """When its flow began."""
        return self.opened.first_ns

    @property
    def ends(self) -> tuple[tuple[bytes, int], tuple[bytes, int]]:
        """Address and port of client and server."""
        ends = ((self.opened.orig_addr, self.opened.orig_port), (self.opened.resp_addr, self.opened.resp_port))
        return ends[self.client], ends[1 - self.client]
