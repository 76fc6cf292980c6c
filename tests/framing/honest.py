"""Real sessions that look a little like forged ones: what must still be found."""

from __future__ import annotations

from collections.abc import Callable

from tests.demo.wire import Tcp, Wire
from tests.framing.forge import MINER_SIDE, POOL, POOL_SIDE, SECOND, VICTIM, Line, job, line, session, submit

Session = Callable[[Wire], None]


def miner_side_only(wire: Wire) -> None:
    """Asymmetric routing: the pool's packets take another way."""
    _seen_of(wire, MINER_SIDE, 12, 8 * SECOND)


def pool_side_only(wire: Wire) -> None:
    """The other way of it."""
    _seen_of(wire, POOL_SIDE, 12, 8 * SECOND)


def miner_side_joined_in_the_middle(wire: Wire) -> None:
    """The sensor was started under a running miner, on a link of one direction."""
    _seen_of(wire, MINER_SIDE, 30, 8 * SECOND, since_us=100 * SECOND)


def slow_miner_side(wire: Wire) -> None:
    """A share in ten minutes."""
    _seen_of(wire, MINER_SIDE, 4, 600 * SECOND)


def a_proxy_of_many(wire: Wire) -> None:
    """Eighty shares a second over one connection, answered in bunches; a job a second."""
    tcp = Tcp(wire, VICTIM, POOL, (46_000, 3333), 0, rtt_us=2_000).open()
    words = session(0)
    _talk(tcp, words)
    for second in range(40):
        tcp.server(job(second))
        for bunch in range(8):
            numbers = range(80 * second + 10 * bunch, 80 * second + 10 * bunch + 10)
            tcp.client(b"".join(submit(number, second) for number in numbers))
            tcp.server(b"".join(line({"id": 10 + number, "result": True, "error": None}) for number in numbers))
            tcp.wait(SECOND // 10)


def many_jobs_at_once(wire: Wire) -> None:
    """A pool that sends its jobs three at a time; shares come one by one."""
    tcp = Tcp(wire, VICTIM, POOL, (46_001, 3333), 0).open()
    _talk(tcp, session(0))
    for number in range(30):
        tcp.server(job(3 * number) + job(3 * number + 1) + job(3 * number + 2)).wait(4 * SECOND)
        tcp.client(submit(number, 3 * number + 2))
        tcp.server(line({"id": 10 + number, "result": True, "error": None})).wait(4 * SECOND)


def _seen_of(wire: Wire, whose: int, shares: int, every_us: int, *, since_us: int = 0) -> None:
    """A session of which one side's packets are seen, from a moment on."""
    tcp = Tcp(wire, VICTIM, POOL, (46_009, 3333), 0).open()
    for said in session(shares):
        if said.side == MINER_SIDE and b"mining.submit" in said.data:
            tcp.wait(every_us)
        _talk(tcp, [said])
    mac = bytes.fromhex((VICTIM, POOL)[whose].mac.replace(":", ""))
    first = min(at for at, _, _ in wire.frames)
    wire.frames = [frame for frame in wire.frames if frame[2][6:12] == mac and frame[0] >= first + since_us]


def _talk(tcp: Tcp, words: list[Line]) -> None:
    for said in words:
        (tcp.server if said.side else tcp.client)(said.data)


#: By name: who plays it, the grade it comes to, and the shares that are counted.
HONEST: dict[str, tuple[Session, str, int]] = {
    "miner-side-only": (miner_side_only, "speaks", 12),
    "pool-side-only": (pool_side_only, "speaks", 0),
    "miner-side-joined-in-the-middle": (miner_side_joined_in_the_middle, "speaks", 18),
    "slow-miner-side": (slow_miner_side, "speaks", 4),
    "a-proxy-of-many": (a_proxy_of_many, "accepted", 3_200),
    "many-jobs-at-once": (many_jobs_at_once, "accepted", 30),
}
