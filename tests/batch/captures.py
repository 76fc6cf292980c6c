"""An archive for tests: captures of many sites, each with a folder of its own. Always the same bytes.

Sites have nothing in common: no address, no login, no pool. Each has one miner, in one of five dialects, beside a
little ordinary traffic. Some are written as two captures, cut in the middle of the miner's connection.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.demo import miners, ordinary
from tests.demo.miners import SECOND
from tests.demo.wire import Tcp, Wire, host

#: Every so many sites one is cut in two.
CUT_EVERY = 10
#: Seconds from the beginning of one site to that of the next.
APART_S = 600
SHARES = 6


def archive(folder: Path, sites: int) -> list[Path]:
    """Write the captures of so many sites; their paths in order of time."""
    paths: list[Path] = []
    for number in range(sites):
        wire = site(number)
        place = folder / f"site-{number:04d}"
        if number % CUT_EVERY == CUT_EVERY - 1:
            paths += cut(place, wire, len(wire.frames) // 2)
        else:
            paths.append(place / "capture.pcap")
            wire.write(paths[-1])
    return paths


def cut(folder: Path, wire: Wire, at: int) -> list[Path]:
    """Write what a wire carried as two captures, the second from its frame `at` on."""
    frames = [(time_us, order, data) for order, (time_us, data) in enumerate(wire.sorted())]
    paths = [folder / "first.pcap", folder / "then.pcap"]
    for path, part in zip(paths, (frames[:at], frames[at:]), strict=True):
        half = Wire()
        half.frames = part
        half.write(path)
    return paths


def site(number: int, shares: int = SHARES) -> Wire:
    """What is on the wire of one site."""
    wire, begins = Wire(), number * APART_S * SECOND
    rng = random.Random(f"site {number}")
    miner, pool = host(f"100.64.{number >> 8}.{number & 255}"), host(f"203.0.{number >> 8}.{number & 255}")
    tcp = Tcp(wire, miner, pool, (40_000 + number, 3_333), begins + SECOND, rtt_us=rng.randrange(10_000, 60_000))
    name = f"site{number}"
    match number % 5:
        case 0:
            miners.stratum(tcp, f"{name}.rig", "cgminer/4.12.1", shares, 20.0, frozenset({2}))
        case 1:
            miners.cryptonote(tcp, name, "XMRig/6.22.2 (Linux x86_64)", shares, 20.0)
        case 2:
            miners.ethproxy(tcp, name, "rig", shares, 20.0)
        case 3:
            miners.kawpow(tcp, f"{name}.rig", "T-Rex/0.26.8", shares, 20.0)
        case _:
            miners.recomputable(tcp, f"{name}.stick", 20.0)
    tcp.close()
    web = Tcp(wire, host(f"100.65.{number >> 8}.{number & 255}"), pool, (50_000, 80), begins + 2 * SECOND)
    ordinary.web(web, "www.example.com", f"/{number}", ordinary.page(name, 2_000))
    return wire
