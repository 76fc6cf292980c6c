"""Ordinary long thin sessions, the half of the families that gates were tuned on."""

from __future__ import annotations

import json
import math
import random

from tests.behaviour.plans import DOWN, UP, Plan, bursts, every, mixed, poisson


def text(value: object) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def ws(length: int, side: int) -> int:
    """A WebSocket frame."""
    return length + (2 if length < 126 else 4) + (4 if side == UP else 0)


def upgraded(rng: random.Random) -> Plan:
    plan = Plan()
    plan.ask(0.0, rng.randrange(180, 620), rng.randrange(129, 300))
    return plan


def electrum(rng: random.Random, until_s: float) -> Plan:
    """A Bitcoin wallet at its server: ids roll over, headers come with blocks, histories are fetched after them."""
    plan, number, spaced = Plan(), 0, rng.choice([0, 6])
    addresses = rng.randrange(5, 60)

    def ask(at: float, method: str, params: list[object], answer: int) -> None:
        nonlocal number
        plan.ask(
            at,
            text({"jsonrpc": "2.0", "method": method, "params": params, "id": number}) + 1 + spaced,
            text({"jsonrpc": "2.0", "result": None, "id": number}) - 4 + answer + 1,
        )
        number += 1

    ask(0.0, "server.version", ["4.5.8", "1.4"], 30)
    ask(0.3, "blockchain.headers.subscribe", [], 186)
    for n in range(addresses):
        ask(0.5 + n * 0.02, "blockchain.scripthash.subscribe", ["a" * 64], rng.choice([4, 66]))
    for at, what in mixed(
        ping=every(rng, until_s, 60), block=poisson(rng, until_s, 600), touch=poisson(rng, until_s, 400)
    ):
        if at < 3:
            continue
        if what == "ping":
            ask(at, "server.ping", [], 4)
        elif what == "block":
            plan.say(at, DOWN, 271)
        else:
            plan.say(at, DOWN, 205)
            ask(at + 0.4, "blockchain.scripthash.get_history", ["a" * 64], rng.randrange(2, 900))
    return plan


def ethereum_wallet(rng: random.Random, until_s: float) -> Plan:
    """A wallet over WebSocket: heads are pushed, calls of one length answered by words of one length."""
    plan, number = upgraded(rng), 1
    head = rng.randrange(1250, 1600)
    plan.ask(
        0.3, ws(text({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}), UP), ws(74, DOWN)
    )
    call = rng.choice([180, 200, 260])
    for at, what in mixed(head=every(rng, until_s, 12, 0.01), call=poisson(rng, until_s, rng.choice([10, 60, 200]))):
        if what == "head":
            plan.say(at, DOWN, ws(head + rng.choice([0, 0, 0, -1, 1]), DOWN))
        else:
            number += 1
            grown = len(str(number))
            plan.ask(at, ws(call + grown, UP), ws(rng.choice([103, 103, 103, 40]) + grown, DOWN))
    return plan


def home_assistant(rng: random.Random, until_s: float) -> Plan:
    plan, number = upgraded(rng), 2
    plan.ask(0.3, ws(210, UP), ws(44, DOWN))
    plan.ask(0.5, ws(55, UP), ws(50, DOWN))
    kinds = [rng.randrange(600, 1500) for _ in range(rng.randrange(2, 12))]
    events = rng.choice([3, 15, 60])
    for at, what in mixed(
        ping=every(rng, until_s, 30), event=poisson(rng, until_s, events), act=bursts(rng, until_s, 300, 6)
    ):
        grown = len(str(number))
        if what == "event":
            plan.say(at, DOWN, ws(rng.choice(kinds) + rng.randrange(0, 5), DOWN))
        elif what == "ping":
            number += 1
            plan.ask(at, ws(22 + grown, UP), ws(22 + grown, DOWN))
        else:
            number += 1
            plan.ask(at, ws(rng.choice([130, 148]) + grown, UP), ws(110 + grown, DOWN))
    return plan


def charging_point(rng: random.Random, until_s: float) -> Plan:
    """OCPP 1.6: calls with UUIDs, empty confirmations of one length."""
    plan = upgraded(rng)
    plan.ask(0.4, ws(250, UP), ws(120, DOWN))
    meter = rng.randrange(300, 420)
    for at, what in mixed(
        beat=every(rng, until_s, rng.choice([60, 300])),
        meter=every(rng, until_s, rng.choice([15, 60]), 0.02),
        status=poisson(rng, until_s, 600),
        order=poisson(rng, until_s, 500),
    ):
        if what == "beat":
            plan.ask(at, ws(57, UP), ws(81, DOWN))
        elif what == "meter":
            plan.ask(at, ws(meter + rng.randrange(0, 4), UP), ws(44, DOWN))
        elif what == "status":
            plan.ask(at, ws(180, UP), ws(44, DOWN))
        else:
            plan.answer(plan.say(at, DOWN, ws(130, DOWN)), UP, ws(65, UP))
    return plan


def redis_channel(rng: random.Random, until_s: float) -> Plan:
    plan = Plan()
    plan.ask(0.0, 34, 5)
    plan.ask(0.2, rng.randrange(30, 80), rng.randrange(40, 90))
    size, spread = rng.randrange(60, 600), rng.choice([1, 3, 100])
    for at, what in mixed(ping=every(rng, until_s, 15), message=poisson(rng, until_s, rng.choice([1, 10, 60]))):
        if what == "ping":
            plan.ask(at, 14, 18)
        else:
            plan.say(at, DOWN, size + rng.randrange(0, spread))
    return plan


def opc_ua(rng: random.Random, until_s: float) -> Plan:
    """A publish request is answered when there is something to publish, or as a sign of life."""
    plan = Plan()
    for n, (up, down) in enumerate(((64, 28), (132, 136), (rng.randrange(400, 1500), 700), (180, 90))):
        plan.ask(n * 0.2, up, down)
    body, life = rng.randrange(90, 300), rng.choice([5, 10, 30])
    for at in every(rng, until_s, life, rng.choice([0.01, 0.3])):
        plan.answer(plan.say(at, DOWN, body if rng.random() < 0.3 else 96), UP, 92)
    for at in poisson(rng, until_s, 120):
        plan.ask(at, 116, 80)
    return plan


def log_shipper(rng: random.Random, until_s: float) -> Plan:
    plan = Plan()
    size = rng.choice([200, 400, 1500])
    for at in bursts(rng, until_s, rng.choice([5, 30, 120]), 5):
        plan.ask(at, int(size * rng.lognormvariate(0, 0.8)) + 40, 6)
    return plan


def game(rng: random.Random, until_s: float) -> Plan:
    plan = Plan()
    plan.ask(0.0, 120, 300)
    state = rng.randrange(60, 300)
    for at, what in mixed(act=bursts(rng, until_s, 20, 8), state=every(rng, until_s, rng.choice([2, 5, 10]), 0.1)):
        if what == "act":
            plan.ask(at, rng.choice([24, 28, 36]), rng.choice([20, 24, 44]))
        else:
            plan.say(at, DOWN, state + 4 * rng.randrange(0, 8))
    return plan


def sensor_with_alarms(rng: random.Random, until_s: float) -> Plan:
    """Reports of one length at random times, each acknowledged in one length; settings of one length are pushed."""
    plan = Plan()
    plan.ask(0.0, rng.randrange(80, 300), rng.randrange(20, 120))
    up, down, push = rng.randrange(60, 400), rng.randrange(4, 120), rng.randrange(60, 500)
    for at, what in mixed(
        report=poisson(rng, until_s, rng.choice([10, 40, 120])),
        push=every(rng, until_s, rng.choice([30, 60, 120]), 0.02),
    ):
        if what == "report":
            plan.ask(at, up, down)
        else:
            plan.say(at, DOWN, push)
    return plan


def explorer(rng: random.Random, until_s: float) -> Plan:
    plan = upgraded(rng)
    plan.say(0.3, UP, ws(rng.randrange(20, 60), UP))
    for at, what in mixed(block=poisson(rng, until_s, 600), tx=poisson(rng, until_s, 3), ping=every(rng, until_s, 30)):
        if what == "ping":
            plan.ask(at, ws(13, UP), ws(13, DOWN))
        else:
            size = 1100 if what == "block" else int(rng.lognormvariate(6.5, 0.5))
            plan.say(at, DOWN, ws(size, DOWN))
    return plan


def remote_calls(rng: random.Random, until_s: float) -> Plan:
    """gRPC: calls of one length, answers of one length, pings; a stream of changes."""
    plan = Plan()
    plan.ask(0.0, rng.randrange(60, 120), rng.randrange(40, 80))
    up, down, change = rng.randrange(60, 400), rng.randrange(30, 200), rng.randrange(100, 500)
    for at, what in mixed(
        call=bursts(rng, until_s, rng.choice([20, 120]), 4),
        ping=every(rng, until_s, 30),
        change=poisson(rng, until_s, 30),
    ):
        if what == "call":
            plan.ask(at, up + rng.randrange(0, 3), down + rng.randrange(0, 2))
        elif what == "ping":
            plan.ask(at, 17, 17)
        else:
            plan.say(at, DOWN, change + rng.randrange(0, 40))
    return plan


def xmpp(rng: random.Random, until_s: float) -> Plan:
    plan, number = Plan(), 0
    for n, (up, down) in enumerate(((190, 600), (110, 90), (120, 320), (70, 50))):
        plan.ask(n * 0.2, up, down)
    for at, what in mixed(
        ping=every(rng, until_s, 60), message=bursts(rng, until_s, 240, 6), seen=poisson(rng, until_s, 90)
    ):
        number = number + 1
        grown = len(str(number))
        if what == "ping":
            plan.ask(at, 98 + grown, 70 + grown)
        elif what == "message":
            side = rng.choice([UP, DOWN])
            row = plan.say(at, side, int(180 + rng.lognormvariate(3, 1)))
            plan.answer(row, 1 - side, 32 + grown)
        else:
            plan.say(at, DOWN, rng.choice([210, 230, 260]) + rng.randrange(0, 12))
    return plan


def quotes(rng: random.Random, until_s: float) -> Plan:
    """An exchange's ticker in JSON: one length but for digits."""
    plan = upgraded(rng)
    plan.ask(0.3, ws(rng.randrange(60, 130), UP), ws(rng.randrange(25, 120), DOWN))
    base, digits = rng.randrange(90, 420), rng.choice([1, 2, 6])
    for at, what in mixed(tick=poisson(rng, until_s, rng.choice([1, 5, 20])), ping=every(rng, until_s, 20)):
        if what == "ping":
            plan.ask(at, ws(4, UP), ws(4, DOWN))
        else:
            plan.say(at, DOWN, ws(base + rng.randrange(0, digits), DOWN))
    return plan


def orders(rng: random.Random, until_s: float) -> Plan:
    """FIX: orders and their executions, heartbeats both ways; lengths grow with the sequence number."""
    plan, number = Plan(), 1
    plan.ask(0.0, 104, 104)
    for at, what in mixed(
        order=poisson(rng, until_s, 60), beat=every(rng, until_s, 30), market=poisson(rng, until_s, 8)
    ):
        number += 1
        grown = math.floor(math.log10(number))
        if what == "order":
            plan.ask(at, 186 + grown, 246 + grown)
        elif what == "beat":
            plan.ask(at, 74 + grown, 74 + grown)
        else:
            plan.say(at, DOWN, 150 + grown + rng.randrange(0, 9))
    return plan


FIRST = {
    "electrum": electrum,
    "ethereum wallet": ethereum_wallet,
    "home assistant": home_assistant,
    "charging point": charging_point,
    "redis": redis_channel,
    "opc ua": opc_ua,
    "log shipper": log_shipper,
    "game": game,
    "sensor with alarms": sensor_with_alarms,
    "explorer": explorer,
    "grpc": remote_calls,
    "xmpp": xmpp,
    "quotes": quotes,
    "fix orders": orders,
}
