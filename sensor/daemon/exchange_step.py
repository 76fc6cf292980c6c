"""The line's part in what sensors share: once a minute what this link taught goes out, and what others taught comes in.
Times go over the wire as true ones, by what each sensor states of its clock. Used by the line's thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sensor.line.pipeline import Pipeline
from sensor.model.shared_knowledge import (
    COIN,
    MOST_ADDRESSES,
    MOST_BLOCKS,
    MOST_PORTS,
    SharedAddress,
    SharedBlock,
    SharedKnowledge,
    block_digest,
    can_be_shared,
)
from sensor.model.time import DAY_NS, HOUR_NS, MINUTE_NS

#: How often it is said what was learnt, though nothing is new: whoever lost it has it again.
SHARE_NS, AGAIN_NS = MINUTE_NS, 6 * HOUR_NS
#: What is older is not shared.
ADDRESSES_NS, BLOCKS_NS = 7 * DAY_NS, 36 * HOUR_NS


class KnowledgeCarrier(Protocol):
    """What brings knowledge to others (`sensor/policy/exchange.py`)."""

    @property
    def counters(self) -> Mapping[str, int]:
        """What became of messages."""

    def share(self, knowledge: SharedKnowledge) -> None:
        """Send this."""

    def heard(self) -> list[SharedKnowledge]:
        """What came since the last call."""


class ExchangeStep:
    """The exchange of one pipeline."""

    def __init__(self, exchange: KnowledgeCarrier, pipeline: Pipeline, sensor_id: str, clock_offset_ns: int) -> None:
        self._exchange, self._pipeline = exchange, pipeline
        self._sensor_id, self._offset_ns = sensor_id, clock_offset_ns
        self._shared: SharedKnowledge | None = None
        self._shared_ns = self._look_ns = 0

    @property
    def counters(self) -> dict[str, int]:
        """What became of messages, and rows that were over a bound or of a time that cannot be."""
        dropped = self._pipeline.names.taught.dropped + self._pipeline.sealed.taught.dropped
        return {**self._exchange.counters, "learnt_dropped": dropped}

    def look(self, now_ns: int) -> None:
        """Once a second."""
        for knowledge in self._exchange.heard():
            self._teach(knowledge, now_ns)
        if 0 <= now_ns - self._look_ns < SHARE_NS:
            return
        self._look_ns = now_ns
        knowledge = knowledge_of(self._pipeline, self._sensor_id, self._offset_ns, now_ns)
        same = self._shared is not None and (knowledge.addresses, knowledge.blocks) == (
            self._shared.addresses,
            self._shared.blocks,
        )
        nothing = self._shared is None and not (knowledge.addresses or knowledge.blocks)
        if nothing or (same and 0 <= now_ns - self._shared_ns < AGAIN_NS):
            return
        self._shared, self._shared_ns = knowledge, now_ns
        self._exchange.share(knowledge)

    def _teach(self, knowledge: SharedKnowledge, now_ns: int) -> None:
        """Take up what another sensor says, by the clock of this one."""
        offset_ns = self._offset_ns
        addresses = [
            SharedAddress(its.address, its.ports, its.first_ns + offset_ns, its.last_ns + offset_ns)
            for its in knowledge.addresses
        ]
        blocks = [SharedBlock(its.coin, its.block, its.seen_ns + offset_ns) for its in knowledge.blocks]
        self._pipeline.names.teach(knowledge.sensor_id, addresses, now_ns)
        self._pipeline.sealed.taught.replace(knowledge.sensor_id, blocks, now_ns)


def knowledge_of(pipeline: Pipeline, sensor_id: str, clock_offset_ns: int, now_ns: int) -> SharedKnowledge:
    """What a pipeline learnt lately, bounded; only addresses at which several miners' shares were accepted."""
    addresses = []
    for address, entry in pipeline.names.learnt.shared(now_ns - ADDRESSES_NS, MOST_ADDRESSES):
        ports = tuple(sorted(entry.ports - {0}))[:MOST_PORTS]
        if ports and can_be_shared(address):  # else nobody would take the whole message
            times_ns = (max(0, its_ns - clock_offset_ns) for its_ns in (entry.first_ns, entry.last_ns))
            addresses.append(SharedAddress(address, ports, *times_ns))
    recent = pipeline.sealed.blocks.recent(now_ns - BLOCKS_NS)[-MOST_BLOCKS:]
    blocks = tuple(
        SharedBlock(coin, block_digest(coin, block), max(0, seen_ns - clock_offset_ns))
        for coin, block, seen_ns in recent
        if COIN.fullmatch(coin)
    )
    return SharedKnowledge(sensor_id, now_ns - clock_offset_ns, tuple(addresses), blocks)
