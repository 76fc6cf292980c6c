"""What somebody can put on a link who wants an innocent address to look like a miner's: a wire, the words, and frames
whose sender is made up.

The victim sends nothing of its own. The words are those of a session that would be mining if they were true.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

from scapy.layers.inet import TCP
from scapy.packet import Packet, Raw

from tests.demo.wire import Host, Wire, host, network

VICTIM, POOL, FORGER, COLLECTOR = (
    host(address) for address in ("198.51.100.66", "203.0.113.9", "192.0.2.13", "203.0.113.77")
)
LOGIN = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr.rig1"
SECOND = 1_000_000
MINER_SIDE, POOL_SIDE = 0, 1
PORTS = (40_000, 3333)
#: Where each side's stream begins in what a blind forger sends.
ISN = (1_000_000, 7_000_000)
HEAD = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff2503233708"
TAIL = "072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000"


class Line(NamedTuple):
    """One message of the session."""

    side: int
    data: bytes


def line(message: object) -> bytes:
    """Compact JSON and LF."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def job(number: int) -> bytes:
    """A `mining.notify`."""
    params = [f"{number:x}", f"{number:064x}", HEAD, TAIL, ["ab" * 32], "20000000", "17022f7a", "69a544a0", True]
    return line({"id": None, "method": "mining.notify", "params": params})


def submit(number: int, given: int) -> bytes:
    """A `mining.submit` for a job."""
    params = [LOGIN, f"{given:x}", f"{number:08x}", "69a544a0", f"{number + 77:08x}"]
    return line({"id": 10 + number, "method": "mining.submit", "params": params})


def session(shares: int, agent: str = "cgminer/4.12.1") -> list[Line]:
    """Subscription, login, a job before every third share, shares, and all the pool's answers."""
    pairs = [["mining.set_difficulty", "a"], ["mining.notify", "b"]]
    words = [
        Line(MINER_SIDE, line({"id": 1, "method": "mining.subscribe", "params": [agent]})),
        Line(POOL_SIDE, line({"id": 1, "result": [pairs, "f8002c90", 4], "error": None})),
        Line(MINER_SIDE, line({"id": 2, "method": "mining.authorize", "params": [LOGIN, "x"]})),
        Line(POOL_SIDE, line({"id": 2, "result": True, "error": None})),
        Line(POOL_SIDE, line({"id": None, "method": "mining.set_difficulty", "params": [8192]})),
    ]
    for number in range(shares):
        if number % 3 == 0:
            words.append(Line(POOL_SIDE, job(number // 3)))
        words.append(Line(MINER_SIDE, submit(number, number // 3)))
        words.append(Line(POOL_SIDE, line({"id": 10 + number, "result": True, "error": None})))
    return words


def side(words: Iterable[Line], wanted: int) -> list[bytes]:
    """What one side says."""
    return [said.data for said in words if said.side == wanted]


class Blind:
    """Segments between two ends by somebody who is neither and hears no answer."""

    def __init__(self, wire: Wire, ends: tuple[Host, Host] = (VICTIM, POOL), ports: tuple[int, int] = PORTS) -> None:
        self._wire, self._ends, self._ports = wire, ends, ports
        self.next = list(ISN)
        self.wrap: Callable[[Packet], Packet] = lambda packet: packet  # how it travels

    def send(self, at_us: int, from_side: int, data: bytes = b"", flags: str = "PA", ack: int | None = None) -> None:
        """One segment; it acknowledges what the other side has sent so far, unless another number is given."""
        number = (self.next[1 - from_side] if ack is None else ack) & 0xFFFFFFFF
        segment = TCP(
            sport=self._ports[from_side],
            dport=self._ports[1 - from_side],
            seq=self.next[from_side] & 0xFFFFFFFF,
            ack=number if "A" in flags else 0,
            flags=flags,
            window=501,
        )
        packet = network(self._ends[from_side], self._ends[1 - from_side], at_us >> 6) / segment
        self._wire.add(at_us, self.wrap(packet / Raw(data) if data else packet))
        self.next[from_side] += len(data) + ("S" in flags or "F" in flags)

    def handshake(self, at_us: int) -> int:
        """Both sides of the three-way handshake; the time after it."""
        self.send(at_us, 0, flags="S")
        self.send(at_us + 5_000, 1, flags="SA")
        self.send(at_us + 10_000, 0, flags="A")
        return at_us + 15_000
