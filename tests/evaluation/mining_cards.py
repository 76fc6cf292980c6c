"""Mining by hand, dialects of graphics cards and of machines other than Bitcoin's.

Written from the programs' own formats; shares nothing with the dialect files.
"""

from __future__ import annotations

from typing import Any

from tests.evaluation.mining_randomx import shares, text
from tests.evaluation.talk import DOWN, Talk

HASH = "0x" + "0" * 64


def eth_proxy(talk: Talk) -> None:
    """Ethash in eth-proxy's way: work as a list, ids of a fixed meaning, a hashrate every minute."""
    rng, login = (
        talk.rng,
        {"id": 1, "jsonrpc": "2.0", "method": "eth_submitLogin", "worker": "rig" + str(talk.rng.randrange(99))},
    )
    params = ["0x" + "0" * 40 + rng.choice(["", ".rig1"]), "x"]
    talk.ask(0, text({**login, "params": params}), text({"id": 1, "jsonrpc": "2.0", "result": True}))
    height = talk.server.trait("height", lambda r: r.random() < 0.5)
    work = [HASH, HASH, HASH, *(["0x" + "0" * 7] if height else [])]
    talk.ask(0.1, text({"id": 5, "jsonrpc": "2.0", "method": "eth_getWork", "params": []}),
             text({"id": 5, "jsonrpc": "2.0", "result": work}))  # fmt: skip
    pushed, taken = text({"id": 0, "jsonrpc": "2.0", "result": work}), text({"id": 4, "jsonrpc": "2.0", "result": True})
    rate = {"id": 6, "jsonrpc": "2.0", "method": "eth_submitHashrate", "params": ["0x" + "0" * 8, HASH]}
    found = shares(talk, 10 ** rng.uniform(-0.1, 0.7))
    events = talk.mixed(job=talk.blocks("ETC"), share=iter(found), rate=talk.every(60, 0.0))
    share = {"id": 4, "jsonrpc": "2.0", "method": "eth_submitWork", "params": ["0x" + "0" * 16, HASH, HASH]}
    for at, what in events:
        if what == "job":
            talk.say(at, DOWN, pushed)
        elif what == "rate":
            talk.ask(at, text(rate), text({"id": 6, "jsonrpc": "2.0", "result": True}))
        else:
            talk.submit(at, text(share), taken)


def ethereum_stratum(talk: Talk) -> None:
    """EthereumStratum/1.0.0 as NiceHash has it: difficulty beside the job, a short nonce, ids that grow from 40 on."""
    rng, user = talk.rng, "account." + "w" * talk.rng.randrange(2, 9)
    hello = {
        "id": 1,
        "method": "mining.subscribe",
        "params": ["lolMiner 1." + str(rng.randrange(60, 99)), "EthereumStratum/1.0.0"],
    }
    names = ["mining.notify", "0" * 32, "EthereumStratum/1.0.0"]
    talk.ask(0, text(hello), text({"id": 1, "result": [names, "0" * 6], "error": None}))
    back_s = talk.ask(0.05, text({"id": 2, "method": "mining.authorize", "params": [user, "x"]}),
                      text({"id": 2, "result": True, "error": None}))  # fmt: skip
    job = text({"id": None, "method": "mining.notify", "params": ["0" * 8, "0" * 64, "0" * 64, True]})
    level = text({"id": None, "method": "mining.set_difficulty", "params": [4.0]})
    talk.say(back_s + 0.01, DOWN, level, job)
    grows, number = rng.random() < 0.7, 39
    found = shares(talk, 10 ** rng.uniform(-0.1, 0.7))
    for at, what in talk.mixed(job=talk.blocks("ETC"), share=iter(found)):
        if what == "job":
            talk.say(at, DOWN, job)
            continue
        number += grows
        share = {"id": number, "method": "mining.submit", "params": [user, "0" * 8, "0" * 10]}
        talk.submit(at, text(share), text({"id": number, "result": True, "error": None}))


def kawpow(talk: Talk) -> None:
    """KawPow: the whole target in each job, mix and header in each share, a hashrate by some programs."""
    rng, user = talk.rng, "R" + "x" * 33 + "." + "w" * talk.rng.randrange(2, 9)
    hello = {
        "id": 1,
        "jsonrpc": "2.0",
        "method": "mining.subscribe",
        "params": ["kawpowminer/1.2.4", "EthereumStratum/1.0.0"],
    }
    talk.ask(0, text(hello), text({"id": 1, "result": [None, "0" * 6], "error": None}))
    login = {"id": 3, "jsonrpc": "2.0", "method": "mining.authorize", "params": [user, "x"]}
    back_s = talk.ask(0.05, text(login), text({"id": 3, "result": True, "error": None}))
    target = text({"id": None, "method": "mining.set_target", "params": ["0" * 64]})
    block = [3_000_000 + rng.randrange(900_000), "1b0" + "0" * 5]
    job = text({"id": None, "method": "mining.notify", "params": ["0" * 4, "0" * 64, "0" * 64, "0" * 64, True, *block]})
    talk.say(back_s + 0.01, DOWN, target, job)
    grows, number, reports = rng.random() < 0.6, 40, rng.random() < 0.5
    rate = {"id": 9, "jsonrpc": "2.0", "method": "eth_submitHashrate", "params": [HASH, HASH]}
    found = shares(talk, 10 ** rng.uniform(-0.1, 0.7))
    events = talk.mixed(
        job=iter(talk.clocked(talk.server.trait("refresh", lambda r: r.choice([0, 30, 60])), "RVN")),
        share=iter(found),
        rate=talk.every(60) if reports else iter(()),
    )
    for at, what in events:
        if what == "job":
            talk.say(at, DOWN, job)
        elif what == "rate":
            talk.ask(at, text(rate), text({"id": 9, "result": True, "error": None}))
        else:
            number += grows
            params = [user, "0" * 4, "0x" + "0" * 16, HASH, HASH]
            share = {"id": number, "jsonrpc": "2.0", "method": "mining.submit", "params": params}
            talk.submit(at, text(share), text({"id": number, "result": True, "error": None}))


def equihash(talk: Talk) -> None:
    """Zcash: targets instead of difficulties, whole solutions of 1,344 bytes in shares."""
    rng, user = talk.rng, "t1" + "x" * 33 + "." + "w" * talk.rng.randrange(2, 9)
    hello = {"id": 1, "method": "mining.subscribe", "params": ["miniZ/2.4c", None, "pool.example", "3333"]}
    talk.ask(0, text(hello), text({"id": 1, "result": [None, "0" * 8], "error": None}))
    login = {"id": 2, "method": "mining.authorize", "params": [user, "x"]}
    back_s = talk.ask(0.05, text(login), text({"id": 2, "result": True, "error": None}))
    target = text({"id": None, "method": "mining.set_target", "params": ["0" * 64]})
    digits = talk.server.trait("job", lambda r: r.choice([4, 8, 16]))
    params = ["0" * digits, "04000000", "0" * 64, "0" * 64, "0" * 64, "6" * 8, "1f07ffff", True]
    job = text({"id": None, "method": "mining.notify", "params": params})
    talk.say(back_s + 0.01, DOWN, target, job)
    number, solution = 3, "0" * 2694
    share_params = [user, "0" * digits, "6" * 8, "0" * (64 - 8), solution]
    found = shares(talk, 10 ** rng.uniform(-0.1, 0.7))
    jobs = iter(talk.clocked(talk.server.trait("refresh", lambda r: r.choice([0, 20, 30])), "ZEC"))
    for at, what in talk.mixed(job=jobs, share=iter(found), target=talk.poisson(900)):
        if what == "share":
            number += 1
            share = {"id": number, "method": "mining.submit", "params": share_params}
            talk.submit(at, text(share), text({"id": number, "result": True, "error": None}))
        else:
            talk.say(at, DOWN, *([target] if what == "target" else []), job)


def kaspa(talk: Talk) -> None:
    """The Kaspa bridge: a header hash as four numbers, whose digits vary; a job every few seconds."""
    rng, user = talk.rng, "kaspa:" + "q" * 61 + "." + "w" * talk.rng.randrange(2, 9)
    talk.ask(0, text({"id": 1, "method": "mining.subscribe", "params": ["BzMiner/v21"]}),
             text({"id": 1, "jsonrpc": "2.0", "error": None, "result": [True, "EthereumStratum/1.0.0"]}))  # fmt: skip
    back_s = talk.ask(0.05, text({"id": 2, "method": "mining.authorize", "params": [user, "x"]}),
                      text({"id": 2, "jsonrpc": "2.0", "error": None, "result": True}))  # fmt: skip
    nonce = text({"id": None, "jsonrpc": "2.0", "method": "set_extranonce", "params": ["0" * 4, 6]})
    level = text({"id": None, "jsonrpc": "2.0", "method": "mining.set_difficulty", "params": [64]})
    talk.say(back_s + 0.01, DOWN, nonce, level)
    number, job = 2, rng.randrange(1, 90)
    found = shares(talk, 10 ** rng.uniform(0, 0.8))
    for at, what in talk.mixed(
        job=talk.poisson(talk.server.trait("pace", lambda r: r.uniform(5, 15))), share=iter(found)
    ):
        if what == "job":
            job += 1
            numbers = [rng.getrandbits(64) for _ in range(4)]
            params: list[Any] = [str(job), numbers, 1_717_000_000_000]
            talk.say(at, DOWN, text({"id": job, "jsonrpc": "2.0", "method": "mining.notify", "params": params}))
        else:
            number += 1
            share = {"id": number, "method": "mining.submit", "params": [user, str(job), "0x" + "0" * 16]}
            talk.submit(at, text(share), text({"id": number, "jsonrpc": "2.0", "error": None, "result": True}))
