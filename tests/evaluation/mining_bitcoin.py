"""Mining by hand, Bitcoin's dialect and Stratum V2: pools of several makers, NiceHash, Scrypt, and frames of Noise.

Written from the programs' own formats; shares nothing with the dialect files.
"""

from __future__ import annotations

from typing import Any

from tests.evaluation.mining_randomx import shares, text
from tests.evaluation.talk import DOWN, UP, Talk


def _notify(talk: Talk, job_digits: int, clean: bool) -> dict[str, Any]:
    """A job; how many branches it has hangs on how full the block is."""
    first = talk.server.trait("coinbase 1", lambda r: 2 * r.randrange(50, 100))
    second = talk.server.trait("coinbase 2", lambda r: 2 * r.randrange(90, 240))
    branches = talk.server.trait("branches", lambda r: r.choice([11, 12, 12, 13])) - (talk.rng.random() < 0.15)
    if clean and talk.rng.random() < 0.2:
        branches = 0
    params = ["0" * job_digits, "0" * 64, "0" * first, "0" * second, ["0" * 64] * branches, "2" * 8, "1" * 8, "6" * 8]
    return {"id": None, "method": "mining.notify", "params": [*params, clean]}


def ckpool(talk: Talk) -> None:
    """A Bitaxe or an Antminer at a ckpool: spaces behind commas and colons, version rolling, steered difficulty."""
    rng, user = talk.rng, "b" * 42 + talk.rng.choice(["", ".bitaxe", ".garage01"])
    roll = {"id": 1, "method": "mining.configure", "params": [["version-rolling"], {"version-rolling.mask": "f" * 8}]}
    taken = {"result": {"version-rolling": True, "version-rolling.mask": "1fffe000"}, "id": 1, "error": None}
    talk.ask(0, text(roll), text(taken, True))
    hello = {"id": 2, "method": "mining.subscribe", "params": ["bitaxe/BM1368/v2.4." + str(rng.randrange(9))]}
    names = [["mining.notify", "0" * 8]]
    talk.ask(0.05, text(hello), text({"result": [names, "0" * 8, 8], "id": 2, "error": None}, True))
    back_s = talk.ask(0.1, text({"id": 3, "method": "mining.authorize", "params": [user, "x"]}),
                      text({"result": True, "id": 3, "error": None}, True))  # fmt: skip
    levels = iter([10_000, 1_000, 512, 2_048, 4_096, 8_192, 16_384] * 9)
    talk.say(back_s + 0.02, DOWN, _level(next(levels), True), text(_notify(talk, 16, True), True))
    _mine(talk, user, 16, spaced=True, first_id=4, rolls=True, levels=levels, answer=("result", "error", "id"))


def large_pool(talk: Talk) -> None:
    """A machine of a farm at a large pool: compact lines, an answer of id first, ids that grow from its sign-in on."""
    rng = talk.rng
    user = "account.rack" + str(rng.randrange(1, 30)) + "x" + str(rng.randrange(1, 300))
    hello = {
        "id": 1,
        "method": "mining.subscribe",
        "params": ["cgminer/4.11.1" if rng.random() < 0.5 else "bmminer/2.0.0"],
    }
    names = [["mining.set_difficulty", "0" * 8], ["mining.notify", "0" * 8]]
    talk.ask(0, text(hello), text({"id": 1, "result": [names, "0" * 8, 8], "error": None}))
    back_s = talk.ask(0.1, text({"id": 2, "method": "mining.authorize", "params": [user, "123"]}),
                      text({"id": 2, "result": True, "error": None}))  # fmt: skip
    digits = talk.server.trait("job", lambda r: r.choice([4, 5, 8, 10]))
    talk.say(back_s + 0.02, DOWN, _level(65_536, False), text(_notify(talk, digits, True)))
    _mine(talk, user, digits, spaced=False, first_id=3, rolls=rng.random() < 0.8, levels=iter([131_072, 262_144]),
          answer=("id", "result", "error"))  # fmt: skip


def nicehash(talk: Talk) -> None:
    """SHA-256 at NiceHash: extra nonces that change with the buyer, many clean jobs, `error` before `result`."""
    user = "3" + "x" * 33 + talk.rng.choice(["", ".rig" + str(talk.rng.randrange(9))])
    hello = {"id": 1, "method": "mining.subscribe", "params": ["NiceHash/1.0.0", None]}
    talk.ask(0, text(hello), text({"id": 1, "error": None, "result": [[["mining.notify", "0" * 32]], "0" * 10, 4]}))
    talk.ask(0.1, text({"id": 2, "method": "mining.authorize", "params": [user, "x"]}),
             text({"id": 2, "error": None, "result": True}))  # fmt: skip
    back_s = talk.ask(0.15, text({"id": 3, "method": "mining.extranonce.subscribe", "params": []}),
                      text({"id": 3, "error": None, "result": True}))  # fmt: skip
    talk.say(back_s + 0.02, DOWN, _level(500_000, False), text(_notify(talk, 16, True)))
    changes = {"id": None, "method": "mining.set_extranonce", "params": ["0" * 10, 4]}
    for at in talk.poisson(900):
        talk.say(at, DOWN, text(changes), text(_notify(talk, 16, True)))
    _mine(talk, user, 16, False, 4, False, iter([750_000, 1_000_000]), ("id", "error", "result"), every_s=20)


def scrypt(talk: Talk) -> None:
    """Scrypt with merged chains: a clean job with each block of Litecoin, another with each of Dogecoin (60 s)."""
    user = "user" + str(talk.rng.randrange(1000)) + "." + str(talk.rng.randrange(1, 40))
    hello = {"id": 0, "method": "mining.subscribe", "params": ["cgminer/4.9.0"]}
    names = [["mining.set_difficulty", "1"], ["mining.notify", "1"]]
    talk.ask(0, text(hello), text({"error": None, "id": 0, "result": [names, "0" * 8, 4]}))
    back_s = talk.ask(0.1, text({"id": 1, "method": "mining.authorize", "params": [user, "1"]}),
                      text({"error": None, "id": 1, "result": True}))  # fmt: skip
    talk.say(back_s + 0.01, DOWN, _level(32_768, False), text(_notify(talk, 4, True)))
    _mine(talk, user, 4, False, 2, False, iter([65_536, 131_072]), ("error", "id", "result"), coin="LTC", every_s=60)


def _level(difficulty: int, spaced: bool) -> int:
    return text({"id": None, "method": "mining.set_difficulty", "params": [difficulty]}, spaced)


def _mine(
    talk: Talk,
    user: str,
    job_digits: int,
    spaced: bool,
    first_id: int,
    rolls: bool,
    levels: Any,
    answer: tuple[str, ...],
    coin: str = "BTC",
    every_s: float = 0,
) -> None:
    rng, number = talk.rng, first_id - 1
    refresh_s = every_s or talk.server.trait("refresh", lambda r: r.choice([20, 30, 30, 55]))
    found = shares(talk, 10 ** rng.uniform(0, 0.8), True)
    changes = list(talk.poisson(600))
    params = [user, "0" * job_digits, "0" * 16, "6" * 8, "0" * 8, *(["0" * 8] if rolls else [])]
    jobs = iter(talk.clocked(refresh_s, coin, 0.02, resets=rng.random() < 0.5))
    for at, what in talk.mixed(job=jobs, share=iter(found), level=iter(changes)):
        if at < 1:
            continue
        if what == "job":
            talk.say(at, DOWN, text(_notify(talk, job_digits, rng.random() < 0.1), spaced))
        elif what == "level":
            level = next(levels, None)
            if level is not None:
                talk.say(at, DOWN, _level(level, spaced), text(_notify(talk, job_digits, True), spaced))
        else:
            number += 1
            parts: dict[str, Any] = {"id": number, "result": True, "error": None}
            if rng.random() < 0.005:
                parts = {"id": number, "result": None, "error": [21, "Job not found", None]}
            reply = {key: parts[key] for key in answer}
            talk.submit(at, text({"id": number, "method": "mining.submit", "params": params}), text(reply, spaced))


def noise_in_turn(talk: Talk) -> None:
    """Stratum V2: frames of Noise NX, each after the answer to the one before."""
    _noise(talk, pipelined=False)


def noise_pipelined(talk: Talk) -> None:
    """Stratum V2 whose client asks for its channel before its setup is answered."""
    _noise(talk, pipelined=True)


def _noise(talk: Talk, pipelined: bool) -> None:
    """An extended channel or a standard one; the certificate's flight has 234 bytes."""
    rng, extended = talk.rng, talk.rng.random() < 0.7
    setup, opens = 54 + rng.randrange(24, 90), (81 if extended else 79) + rng.randrange(10, 64)
    opened = (97 if extended else 89, 86, 470 + 32 * rng.randrange(0, 3))
    at = talk.ask(0, 64, 234) + 1e-3
    if pipelined:
        talk.say(at, UP, setup, opens)
        talk.say(at + talk.rtt_s + 0.01, DOWN, 44, *opened)
    else:
        talk.ask(talk.ask(at, setup, 44) + 1e-3, opens, *opened)
    batch, count = rng.choice([1, 1, 8, 20]), 0
    found = shares(talk, 10 ** rng.uniform(0, 0.8))
    for at, what in talk.mixed(job=iter(talk.clocked(rng.choice([30, 60]), "BTC", 0.01)), share=iter(found)):
        if at < 2:
            continue
        if what == "job":
            job = (470 + 32 * rng.choice([0, 0, 1])) if extended else 87
            talk.say(at, DOWN, job, *([86] if rng.random() < 0.1 else []))
        else:
            count += 1
            if count % batch:
                talk.say(at, UP, 71 if extended else 62)
            else:
                talk.ask(at, 71 if extended else 62, 58)
