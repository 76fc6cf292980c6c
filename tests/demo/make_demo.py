"""Makes the demo capture: seven minutes at the edge of an operator's network, always the same bytes.

Customers have addresses of 198.51.100.0/24; the Internet is 203.0.113.0/24 and 192.0.2.0/24 (documentation ranges).
One plant hides four ASIC machines behind its only address, a desk computer runs XMRig, a rig that shares its address
with others behind a translator mines Etchash, another KawPow through a SOCKS5 proxy, and a museum's old computer
submits shares that can be recomputed; around them is ordinary traffic, and traffic that resembles mining. `make`
says what a detector must find; `books/` says whose the addresses are. Run as `python -m tests.demo.make_demo
build/demo.pcap`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from tests.demo import miners, ordinary
from tests.demo.miners import SECOND, Counts
from tests.demo.wire import Tcp, Wire, host

PLANT, DESK, RIG, NODE = host("198.51.100.23"), host("198.51.100.77"), host("198.51.100.130"), host("198.51.100.201")
CELLAR, MUSEUM, PROXY, OLD_POOL = (
    host("198.51.100.142"),
    host("198.51.100.171"),
    host("203.0.113.9"),
    host("192.0.2.77"),
)
BTC_POOL, XMR_POOL, ETC_POOL = host("203.0.113.40"), host("203.0.113.88"), host("192.0.2.61")
RESOLVER, WEB, MAIL, SHOP, PEER = (
    host("192.0.2.53"),
    host("203.0.113.10"),
    host("203.0.113.25"),
    host("192.0.2.140"),
    host("192.0.2.200"),
)
S19_PRO, S21 = "Antminer S19 Pro/Tue Mar 11 09:12:44 CST 2025", "Antminer S21/Mon Mar  3 01:02:03 CST 2025"
#: Name, agent, hashrate, difficulty at the beginning, shares, and which of them are refused.
MACHINES = (
    ("rack01-01", S19_PRO, 110e12, 65_536, 62, frozenset({9})),
    ("rack01-02", S19_PRO, 110e12, 65_536, 65, frozenset()),
    ("rack02-01", S21, 200e12, 131_072, 64, frozenset({4, 51})),
    ("rack02-02", S21, 200e12, 131_072, 62, frozenset()),
)


def mining(wire: Wire) -> dict[str, Counts]:
    """The miners; the key is the login as it stands on the wire."""
    truth: dict[str, Counts] = {}
    for number, (worker, agent, rate, difficulty, shares, rejects) in enumerate(MACHINES):
        tcp = Tcp(wire, PLANT, BTC_POOL, (40_110 + 7 * number, 3333), (4 + 11 * number) * SECOND, rtt_us=31_000)
        login = f"{miners.BTC}.{worker}"
        truth[login] = miners.stratum(tcp, login, agent, shares, 0, rejects, difficulty=difficulty, hashrate_hps=rate)
    agent = "XMRig/6.22.2 (Linux x86_64) libuv/1.48.0 gcc/13.2.0"
    tcp = Tcp(wire, DESK, XMR_POOL, (51_512, 10_128), 20 * SECOND, rtt_us=18_000)
    truth[miners.XMR] = miners.cryptonote(
        tcp, miners.XMR, agent, 34, every_s=10, rejects=frozenset({13}), target=miners.XMR_USUAL
    )
    tcp = Tcp(wire, RIG, ETC_POOL, (47_890, 1010), 35 * SECOND, rtt_us=42_000)
    truth[f"{miners.ETC}.rig3"] = miners.ethproxy(tcp, miners.ETC, "rig3", 38, every_s=9, claimed_hps=447_000_000)
    proxied = miners.Socks(wire, CELLAR, PROXY, (44_020, 1080), 50 * SECOND, rtt_us=55_000)
    truth[f"{miners.RVN}.cellar"] = miners.kawpow(
        proxied, f"{miners.RVN}.cellar", "T-Rex/0.26.8", 36, every_s=9, rejects=frozenset({30})
    )
    tcp = Tcp(wire, MUSEUM, OLD_POOL, (43_700, 3333), 90 * SECOND, rtt_us=60_000)
    truth["museum.stick"] = miners.recomputable(tcp, "museum.stick", every_s=12.9)
    return truth


def surroundings(wire: Wire) -> None:
    """Ordinary traffic and look-alikes, over the whole time."""
    rng = random.Random("surroundings")
    customers = [host(f"198.51.100.{last}") for last in (11, 12, 15, 23, 42, 77, 90, 115, 160, 184)]
    for number in range(160):
        at, client = rng.randrange(0, 400 * SECOND), rng.choice(customers)
        name = rng.choice(ordinary.NAMES)
        ordinary.dns(wire, client, RESOLVER, name, at)
        ports = (rng.randrange(49_152, 65_000), 443 if number % 3 else 80)
        if number % 3 == 0:
            web = Tcp(wire, client, WEB, ports, at + 20_000)
            ordinary.web(web, name, f"/{number}", ordinary.page(name + str(number), rng.randrange(2_000, 30_000)))
        elif number % 3 == 1:
            ordinary.tls(Tcp(wire, client, WEB, ports, at + 20_000), name, rng.randrange(1, 7))
    for number in range(6):
        tcp = Tcp(wire, rng.choice(customers), MAIL, (50_000 + number, 25), (30 + 60 * number) * SECOND)
        ordinary.mail(tcp, f"desk{number}@example.com", "plant@example.org")
    ordinary.dns(wire, DESK, RESOLVER, "pool.example.net", 19 * SECOND)
    ordinary.web(
        Tcp(wire, customers[2], SHOP, (50_321, 80), 95 * SECOND),
        "docs.example.org",
        "/stratum",
        ordinary.STRATUM_PAGE.encode(),
    )
    ordinary.electrum(Tcp(wire, customers[4], SHOP, (50_777, 50_001), 44 * SECOND), minutes=5)
    ordinary.dispatcher(Tcp(wire, customers[6], SHOP, (50_888, 9_100), 61 * SECOND))
    ordinary.language_server(Tcp(wire, customers[7], SHOP, (50_999, 2_087), 70 * SECOND))
    ordinary.bitcoin_node(Tcp(wire, NODE, PEER, (46_222, 8333), 12 * SECOND))
    for number, port in enumerate(
        (46_500, 48_700, 46_501)
    ):  # others behind the rig's address, in their own blocks of ports
        tcp = Tcp(wire, RIG, WEB, (port, 80), (60 + 90 * number) * SECOND)
        ordinary.web(tcp, "www.example.net", f"/shared/{number}", ordinary.page(f"shared {number}", 3_000))


def make(path: Path) -> tuple[int, dict[str, Counts]]:
    """Write the capture; the number of packets and the truth about the miners by login."""
    wire = Wire()
    truth = mining(wire)
    surroundings(wire)
    return wire.write(path), truth


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo.pcap")
    packets, found = make(target)
    print(f"{target}: {packets} packets, {len(found)} miners", file=sys.stderr)
