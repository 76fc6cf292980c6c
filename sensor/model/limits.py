"""Bounds of everything the network feeds into a core: names, defaults and meanings.

Both cores take them under these names, and the configuration's section `limits` has the same defaults. The compiled
core states its own (it is built without Python); a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreLimits:
    """What a core holds at most: counts of entries held at once, `_bytes` in octets, `_s` in seconds of packet time."""

    workers: int = 1  # threads that follow flows; the reference core has one, whatever this is
    flows: int = 1_048_576  # flows in the table
    candidates: int = 16_384  # flows among them whose gate is open
    session_bytes: int = 65_536  # payload handed over of a candidate before a literal must be seen again
    reorder_bytes: int = 131_072  # payload held of one direction behind a hole in its sequence
    reorder_segments: int = 128  # segments held likewise
    held_bytes: int = 134_217_728  # all that is held of all directions, with 64 for each segment
    thin_flows: int = 65_536  # encrypted sessions followed; 0 follows none
    thin_bytes: int = 67_108_864  # what is collected of them and held, until they are judged and behind holes
    fragments: int = 4_096  # IP datagrams of which fragments are held
    fragment_bytes: int = 16_777_216  # payload of all those fragments
    queue_events: int = 16_384  # events that wait to be polled before no new flow is let in; four times as many at most
    queue_bytes: int = 16_777_216  # the same in bytes of streams
    tcp_timeout_s: int = 600  # silence after which a TCP flow ends
    tcp_new_timeout_s: int = 60  # the same while one side only was seen
    closed_timeout_s: int = 10  # the same after FIN of both sides, or RST
    udp_timeout_s: int = 60  # silence after which a UDP flow ends
    candidate_timeout_s: int = 1_800  # silence after which a TCP flow with an open gate ends
