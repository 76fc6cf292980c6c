"""A session of a dialect that no signature describes is the same in pieces: login, shares and work of the whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.demo.wire import Tcp, Wire
from tests.line.test_resumed import MINER, POOL, findings, pieces_of, read

HEADER, TARGET = "ab" * 76, "00000000ffff" + "0" * 52


def line(**members: object) -> bytes:
    return json.dumps(members).encode() + b"\n"


def conversation(prefix: str, shares: int = 24) -> Wire:
    """A miner that signs in once; every share has a job of its own."""
    wire = Wire()
    talk = Tcp(wire, MINER, POOL, (40_001, 3333), 0).open()
    talk.client(line(id=1, method=f"{prefix}authorize", params={"wallet": "sv1qwallet", "pass": "hush"}))
    talk.server(line(id=1, result=True))
    for number in range(shares):
        job = {"task_id": f"a{number}", "header": HEADER, "target": TARGET}
        talk.server(line(method=f"{prefix}notify", params=job)).wait(20_000_000)
        talk.client(
            line(id=number + 2, method=f"{prefix}submit", params={"task_id": f"a{number}", "nonce": "00112233"})
        )
        talk.server(line(id=number + 2, result=number % 4 != 3)).wait(20_000_000)
    talk.close()
    return wire


@pytest.mark.parametrize("prefix", ["mining.", "mill."])
@pytest.mark.parametrize("parts", [2, 5])
def test_pieces_have_the_shares_and_the_work_of_the_whole(tmp_path: Path, prefix: str, parts: int) -> None:
    packets = conversation(prefix).sorted()
    size = len(packets) // parts
    whole, cut = (tmp_path / name for name in ("whole", "cut"))
    urls = []
    for folder, cuts in ((whole, []), (cut, [size * number for number in range(1, parts)])):
        folder.mkdir()
        urls.append(f"sqlite:///{folder / 'ledger.db'}")
        for number, piece in enumerate(pieces_of(folder, packets, cuts)):
            read([piece], urls[-1], f"run-{number}")
    facts = [
        [(one.dialect, one.login, one.shares.submitted, one.shares.accepted, one.work_hashes) for one in findings(url)]
        for url in urls
    ]
    assert facts[0] == facts[1]
    assert facts[0][0][:4] == ("unknown-stratum", "sv1qwallet", 24, 18)
