"""Work that was really done for the demo: three shares of difficulty 1/64, each some 67 million hashes, in headers of
the demo's own minutes. A reader can recompute them.
"""

from __future__ import annotations

import random

from tests.demo.wire import START_US
from tests.verify.blocks import NO_INPUT, Told

#: The nonces that were found, in the order of the jobs.
NONCES = ("04d0bf03", "a26e1a01", "1f89fb09")
DIFFICULTY = 1 / 64
#: When the first job was made, and how long until the next one, in seconds.
FIRST_S, EVERY_S = 90, 13


def shares() -> list[Told]:
    """The shares, each of a job of its own."""
    return [_share(number, nonce) for number, nonce in enumerate(NONCES)]


def _share(number: int, nonce: str) -> Told:
    rng = random.Random(f"museum {number}")
    height = (938_000 + number).to_bytes(3, "little").hex()
    return Told(
        extranonce1="6d757365",
        extranonce2="00000000",
        coinb1=f"{NO_INPUT}1403{height}062f503253482f08",
        coinb2="ffffffff0100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000",
        prevhash=rng.randbytes(28).hex() + "00000000",
        branches=tuple(rng.randbytes(32).hex() for _ in range(2)),
        version="20000000",
        nbits="17022f7a",
        ntime=f"{START_US // 1_000_000 + FIRST_S + EVERY_S * number:08x}",
        nonce=nonce,
        difficulty=DIFFICULTY,
    )
