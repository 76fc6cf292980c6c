"""Mining by hand, CryptoNote's dialect: XMRig with pools, proxies, NiceHash, P2Pool, and a miner in a browser.

Written from the programs' own formats; shares nothing with the dialect files.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.evaluation.talk import DOWN, UP, Talk

#: What XMRig 6 lists in its login, by its version and build.
ALGORITHMS = tuple(
    tuple(names.split())
    for names in (
        "rx/0 rx/wow rx/arq rx/graft rx/sfx rx/yada",
        "cn/1 cn/2 cn/r cn/fast cn/half cn/xao cn/rto cn/rwz cn/zls cn/double cn/ccx cn-lite/1 cn-heavy/0 cn-heavy/tube"
        " cn-heavy/xhv cn-pico cn-pico/tlo cn/upx2 rx/0 rx/wow rx/arq rx/graft rx/sfx rx/yada argon2/chukwa"
        " argon2/chukwav2 argon2/ninja ghostrider",
    )
)


def text(value: Any, spaced: bool = False) -> int:
    """Length of a line of JSON with its end."""
    return len(json.dumps(value) if spaced else json.dumps(value, separators=(",", ":"))) + 1


def framed(length: int, side: int) -> int:
    """Length of a WebSocket frame with so much in it; the client masks (RFC 6455 section 5.2)."""
    return length + (2 if length < 126 else 4) + (4 if side == UP else 0)


def shares(talk: Talk, per_minute: float, settles: bool = False) -> list[float]:
    """Shares found at random; where a pool steers the difficulty, many at first."""
    found = list(talk.poisson(60 / per_minute))
    if settles:
        found += [at for at in talk.poisson(20 / per_minute) if at < 120]
    return sorted(found)


def login(rng: Random, rig: bool = False, algorithms: bool = True) -> dict[str, Any]:
    """What XMRig says first."""
    wallet = "4" + "x" * 94 + rng.choice(["", ".worker", "+25000", ".w" + "1" * rng.randrange(1, 4)])
    agent = f"XMRig/6.{rng.randrange(15, 26)}.{rng.randrange(3)} (Linux x86_64) libuv/1.{rng.randrange(38, 50)}.0 gcc/"
    params: dict[str, Any] = {
        "login": wallet,
        "pass": "x" * rng.randrange(1, 12),
        "agent": agent + rng.choice(["9.3.0", "13.2.1"]),
    }
    if rig:
        params["rigid"] = "r" * rng.randrange(3, 14)
    if algorithms:
        params["algo"] = rng.choice(ALGORITHMS)
    return {"id": 1, "jsonrpc": "2.0", "method": "login", "params": params}


def nodejs_pool(talk: Talk) -> None:
    """XMRig at a pool of the nodejs-pool kind: a job refreshed by a timer, keepalive where it is announced."""
    rng, server = talk.rng, talk.server
    refresh_s = server.trait("refresh", lambda r: r.choice([0, 15, 25, 30, 45]))
    job_digits = server.trait("job", lambda r: r.choice([15, 15, 28]))
    keeps = server.trait("keeps", lambda r: r.random() < 0.6)
    session, job_id, height = "x" * 36, "x" * job_digits, 2_200_000 + rng.randrange(900_000)
    body = {"blob": "0" * rng.choice([152, 154]), "algo": "rx/0", "height": height, "seed_hash": "0" * 64}
    job = {**body, "job_id": job_id, "target": "0" * 8, "id": session}
    result = {
        "id": session,
        "job": job,
        "extensions": ["algo", "nicehash", "connect", "tls", "keepalive"],
        "status": "OK",
    }
    if not keeps:
        result.pop("extensions")
    talk.ask(
        0, text(login(rng, rng.random() < 0.4)), text({"jsonrpc": "2.0", "id": 1, "error": None, "result": result})
    )
    pushed = text({"jsonrpc": "2.0", "method": "job", "params": job})
    _work(talk, pushed, talk.clocked(refresh_s, "XMR", 0.02, resets=True), session, job_id, keeps, tail={})


def xmrig_proxy(talk: Talk) -> None:
    """XMRig behind xmrig-proxy: jobs as the pool behind it sends them, ids first, always keepalive."""
    rng = talk.rng
    session, job_id = "x" * 36, "x" * talk.server.trait("job", lambda r: r.choice([12, 14, 20, 36]))
    job = {
        "blob": "0" * 152,
        "job_id": job_id,
        "target": "0" * 8,
        "algo": "rx/0",
        "height": 3_000_000,
        "seed_hash": "0" * 64,
    }
    result = {"id": session, "job": job, "extensions": ["algo", "nicehash", "connect", "keepalive"], "status": "OK"}
    answer = {"id": 1, "jsonrpc": "2.0", "error": None, "result": result}
    talk.ask(0, text(login(rng, rng.random() < 0.5)), text(answer))
    refresh_s = talk.server.trait("refresh", lambda r: r.choice([20, 30, 60]))
    pushed = text({"jsonrpc": "2.0", "method": "job", "params": job})
    _work(talk, pushed, talk.clocked(refresh_s, "XMR", 0.01), session, job_id, True, tail={"algo": "rx/0"})


def nicehash(talk: Talk) -> None:
    """XMRig at NiceHash: short job ids, a new job every few seconds, no keepalive."""
    rng = talk.rng
    session, job_id = "x" * talk.server.trait("session", lambda r: r.choice([16, 36])), "0" * 16
    job = {"blob": "0" * 152, "job_id": job_id, "target": "0" * 8, "seed_hash": "0" * 64, "algo": "rx/0"}
    result = {"status": "OK", "id": session, "job": job, "extensions": ["nicehash", "algo"]}
    talk.ask(0, text(login(rng, False)), text({"id": 1, "jsonrpc": "2.0", "result": result, "error": None}))
    pushed = text({"jsonrpc": "2.0", "method": "job", "params": job})
    times = sorted([*talk.blocks("XMR"), *talk.poisson(talk.server.trait("orders", lambda r: r.uniform(8, 25)))])
    _work(talk, pushed, times, session, job_id, False, tail={})


def p2pool(talk: Talk) -> None:
    """XMRig at a P2Pool node: a job with each block of its side chain (10 s) and of the main chain, eight digits."""
    session, job_id, height = "0" * 8, "0" * 8, 3_100_000 + talk.rng.randrange(90_000)
    job = {
        "blob": "0" * 152,
        "job_id": job_id,
        "target": "0" * 16,
        "algo": "rx/0",
        "height": height,
        "seed_hash": "0" * 64,
    }
    result = {"id": session, "job": job, "extensions": ["algo"], "status": "OK"}
    talk.ask(0, text(login(talk.rng, False)), text({"id": 1, "jsonrpc": "2.0", "result": result}))
    pushed = text({"jsonrpc": "2.0", "method": "job", "params": job})
    times = sorted([*talk.blocks("XMR"), *talk.poisson(10)])
    _work(talk, pushed, times, session, job_id, False, tail={})


def _frame(value: Any, side: int) -> int:
    return framed(text(value) - 1, side)


def in_browser(talk: Talk) -> None:
    """A miner in a page, through a relay: JSON in WebSocket frames, `type` instead of a method, no ids."""
    rng = talk.rng
    talk.ask(0, rng.randrange(380, 620), rng.randrange(129, 220))
    key = {"site_key": "x" * 32, "type": "anonymous", "user": None, "goal": 0}
    authed = {"type": "authed", "params": {"token": "", "hashes": 0}}
    talk.ask(0.3, _frame({"type": "auth", "params": key}, UP), _frame(authed, DOWN))
    job = {
        "type": "job",
        "params": {"job_id": "0" * 15, "blob": "0" * 152, "target": "f" * 8, "algo": "cn", "variant": 2},
    }
    hashes, per_share = 0, rng.choice([256, 512, 1024])
    share = {"type": "submit", "params": {"version": 7, "job_id": "0" * 15, "nonce": "0" * 8, "result": "0" * 64}}
    talk.say(0.31 + talk.rtt_s, DOWN, _frame(job, DOWN))
    found = shares(talk, 10 ** rng.uniform(-0.2, 0.7))
    for at, what in talk.mixed(job=iter(talk.clocked(30, "XMR", 0.02)), share=iter(found)):
        if what == "job":
            talk.say(at, DOWN, _frame(job, DOWN))
        else:
            hashes += per_share
            talk.submit(at, _frame(share, UP), _frame({"type": "hash_accepted", "params": {"hashes": hashes}}, DOWN))


def _work(
    talk: Talk, pushed: int, pushes: list[float], session: str, job_id: str, keeps: bool, tail: dict[str, str]
) -> None:
    """Shares with growing ids between the pushes; after a minute without words a keepalive, where the pool knows it."""
    rng, number, spoke_s = talk.rng, 1, 0.0
    found = shares(talk, 10 ** rng.uniform(-0.5, 0.6), rng.random() < 0.4)
    events = [(at, "job") for at in pushes if 1 < at < talk.until_s] + [(at, "share") for at in found if at > 1]
    share = {"id": session, "job_id": job_id, "nonce": "0" * 8, "result": "0" * 64, **tail}
    for at, what in sorted(events):
        if what == "job":
            talk.say(at, DOWN, pushed)
            continue
        while keeps and at - spoke_s > 60:
            spoke_s, number = spoke_s + 60, number + 1
            question = {"id": number, "jsonrpc": "2.0", "method": "keepalived", "params": {"id": session}}
            answer = {"id": number, "jsonrpc": "2.0", "error": None, "result": {"status": "KEEPALIVED"}}
            talk.ask(spoke_s, text(question), text(answer))
        number, spoke_s = number + 1, at
        answer = {"id": number, "jsonrpc": "2.0", "error": None, "result": {"status": "OK"}}
        if rng.random() < 0.01:
            answer = {"id": number, "jsonrpc": "2.0", "error": {"code": -1, "message": "Block expired"}}
        talk.submit(at, text({"id": number, "jsonrpc": "2.0", "method": "submit", "params": share}), text(answer))
