"""Ordinary long thin sessions, the half of the families that nothing was tuned on."""

from __future__ import annotations

import random

from tests.behaviour.ordinary_first import text, upgraded, ws
from tests.behaviour.plans import DOWN, UP, Plan, bursts, every, mixed, poisson


def model_context(rng: random.Random, until_s: float) -> Plan:
    """MCP: JSON-RPC with ids; tools are called in bursts, progress is pushed."""
    plan, number = upgraded(rng), 1
    plan.ask(0.2, ws(210, UP), ws(380, DOWN))
    for at in bursts(rng, until_s, rng.choice([30, 180]), 6):
        number += 1
        grown = len(str(number))
        row = plan.say(at, UP, ws(90 + rng.randrange(20, 300) + grown, UP))
        for _ in range(rng.randrange(0, 4)):
            plan.answer(row, DOWN, ws(120 + rng.randrange(0, 3), DOWN))
        plan.answer(row, DOWN, ws(70 + int(rng.lognormvariate(6, 1)), DOWN))
    for at in every(rng, until_s, 30):
        plan.ask(at, ws(41, UP), ws(36, DOWN))
    return plan


def language_server(rng: random.Random, until_s: float) -> Plan:
    plan, number, version = Plan(), 1, 1
    plan.ask(0.0, 2400, 3100)
    for at in bursts(rng, until_s, 40, 20):
        version += 1
        row = plan.say(at, UP, 330 + len(str(version)) + rng.randrange(0, 2))
        if rng.random() < 0.3:
            plan.answer(row, DOWN, 180 + 140 * rng.randrange(0, 4))
        if rng.random() < 0.4:
            number += 1
            plan.answer(
                plan.say(at + 0.1, UP, 210 + len(str(number))), DOWN, 60 + len(str(number)) + 120 * rng.randrange(0, 30)
            )
    return plan


def notebook(rng: random.Random, until_s: float) -> Plan:
    plan = upgraded(rng)
    for at in bursts(rng, until_s, 120, 4):
        row = plan.say(at, UP, ws(600 + rng.randrange(0, 400), UP))
        for size in (430, 520, 480 + rng.randrange(0, 900), 610, 430):
            plan.answer(row, DOWN, ws(size, DOWN))
    for at in every(rng, until_s, 30):
        plan.answer(plan.say(at, DOWN, 2), UP, 6)
    return plan


def desktop(rng: random.Random, until_s: float) -> Plan:
    """A remote desktop that is hardly used: pointer and keys of one length, updates, a clock."""
    plan = Plan()
    for n, (up, down) in enumerate(((43, 19), (430, 380), (64, 120))):
        plan.ask(n * 0.2, up, down)
    for at, what in mixed(
        key=bursts(rng, until_s, 60, 30), clock=every(rng, until_s, 60), screen=poisson(rng, until_s, 15)
    ):
        if what == "key":
            plan.ask(at, rng.choice([9, 15]), rng.choice([60, 90, 200, 600]))
        else:
            plan.say(at, DOWN, 180 if what == "clock" else int(rng.lognormvariate(5, 1)))
    return plan


def replication(rng: random.Random, until_s: float) -> Plan:
    """MySQL, semi-synchronous: events down, each acknowledged; heartbeats."""
    plan = Plan()
    plan.ask(0.0, 200, 90)
    row_size, spread = rng.randrange(150, 400), rng.choice([2, 30])
    for at, what in mixed(event=poisson(rng, until_s, rng.choice([5, 30])), beat=every(rng, until_s, 30)):
        size = row_size + rng.randrange(0, spread) if what == "event" else 63
        plan.answer(plan.say(at, DOWN, size), UP, 25)
    return plan


def phone_push(rng: random.Random, until_s: float) -> Plan:
    plan = Plan()
    plan.ask(0.0, rng.randrange(300, 700), rng.randrange(60, 200))
    for at, what in mixed(push=poisson(rng, until_s, 400), beat=every(rng, until_s, rng.choice([240, 900]))):
        if what == "push":
            plan.answer(plan.say(at, DOWN, int(150 + rng.lognormvariate(5, 0.7))), UP, rng.choice([9, 17, 40]))
        else:
            plan.ask(at, 10, 12)
    return plan


def build_runner(rng: random.Random, until_s: float) -> Plan:
    plan, at = Plan(), 0.0
    ask, none = rng.randrange(400, 900), rng.randrange(180, 400)
    while at < until_s:
        plan.say(at, UP, ask)
        at += rng.choice([50, 50, 50, rng.uniform(0, 50)])
        plan.say(at, DOWN, none if rng.random() < 0.9 else rng.randrange(3000, 9000))
        at += 0.2
    return plan


def valves(rng: random.Random, until_s: float) -> Plan:
    """Modbus over TLS: everything of fixed length."""
    plan = Plan()
    size = 9 + 2 * rng.randrange(1, 120)
    for at, what in mixed(read=every(rng, until_s, rng.choice([1, 5, 10]), 0.005), write=poisson(rng, until_s, 200)):
        plan.ask(at, 12, size if what == "read" else 12)
    return plan


def work_queue(rng: random.Random, until_s: float) -> Plan:
    """The nearest thing to mining: tasks are pushed, results handed in with ids that grow and acknowledged by true."""
    plan, number = Plan(), 1
    plan.ask(0.0, rng.randrange(80, 200), text({"jsonrpc": "2.0", "id": 1, "result": True}) + 1)
    task, result = rng.randrange(150, 500), rng.randrange(100, 400)
    wide = rng.choice([3, 20, 200])
    for at in poisson(rng, until_s, rng.choice([10, 60])):
        number += 1
        plan.say(at, DOWN, task + rng.randrange(0, wide))
        at += rng.lognormvariate(1, 0.8)
        acknowledged = text({"jsonrpc": "2.0", "id": number, "result": True}) + 1
        plan.ask(at, result + rng.randrange(0, wide) + len(str(number)), acknowledged)
    rows = list(enumerate(plan.rows))
    return plan if rows else Plan()


def chat(rng: random.Random, until_s: float) -> Plan:
    plan = upgraded(rng)
    plan.ask(0.2, ws(180, UP), ws(900, DOWN))
    for at, what in mixed(
        beat=every(rng, until_s, 41.25),
        event=poisson(rng, until_s, rng.choice([5, 60])),
        typed=bursts(rng, until_s, 300, 8),
    ):
        if what == "beat":
            plan.ask(at, ws(17, UP), ws(11, DOWN))
        elif what == "event":
            plan.say(at, DOWN, ws(rng.choice([220, 240, 260]) + rng.randrange(0, 30), DOWN))
        else:
            plan.ask(at, ws(80 + rng.randrange(0, 120), UP), ws(200 + rng.randrange(0, 120), DOWN))
    return plan


def telephone(rng: random.Random, until_s: float) -> Plan:
    """SIP: OPTIONS as a sign of life, registration, sometimes a notification."""
    plan = Plan()
    size = rng.randrange(380, 480)
    for at, what in mixed(
        options=every(rng, until_s, rng.choice([15, 30])),
        register=every(rng, until_s, 120),
        notify=poisson(rng, until_s, 300),
    ):
        if what == "notify":
            plan.answer(plan.say(at, DOWN, 720), UP, 340)
        else:
            plan.ask(at, size if what == "options" else 640, size - 40 if what == "options" else 520)
    return plan


def car_tracker(rng: random.Random, until_s: float) -> Plan:
    """Positions in JSON of one length but for digits, acknowledged with a counter; orders pushed."""
    plan, number = Plan(), 1
    plan.ask(0.0, rng.randrange(90, 240), 35)
    base, push = rng.randrange(120, 300), rng.randrange(80, 300)
    for at, what in mixed(where=every(rng, until_s, rng.choice([10, 30]), 0.2), order=poisson(rng, until_s, 120)):
        if what == "order":
            plan.say(at, DOWN, push)
            continue
        number += 1
        plan.ask(at, base + len(str(number)) + rng.randrange(0, 2), 24 + len(str(number)))
    return plan


def table_listener(rng: random.Random, until_s: float) -> Plan:
    """PostgreSQL: notifications of rows, and a query now and then, prepared, whose answer has one length."""
    plan = Plan()
    plan.ask(0.0, 90, 340)
    notified, query = rng.randrange(40, 300), rng.randrange(60, 300)
    for at, what in mixed(
        note=poisson(rng, until_s, rng.choice([10, 60])), query=poisson(rng, until_s, rng.choice([20, 90]))
    ):
        if what == "note":
            plan.say(at, DOWN, notified + rng.choice([0, 0, 1]))
        else:
            plan.ask(at, query, rng.choice([40, 62]))
    return plan


def wallet_of_a_node(rng: random.Random, until_s: float) -> Plan:
    """JSON-RPC polled: one question, heights of one length; a change is pushed by the same server."""
    plan, number = Plan(), 0
    for at, what in mixed(poll=every(rng, until_s, rng.choice([5, 10, 20]), 0.05), push=poisson(rng, until_s, 120)):
        number = number + 1
        grown = len(str(number))
        if what == "poll":
            plan.ask(at, 58 + grown, 70 + grown)
        else:
            plan.say(at, DOWN, rng.choice([150, 217]))
    return plan


SECOND = {
    "mcp": model_context,
    "language server": language_server,
    "notebook": notebook,
    "remote desktop": desktop,
    "replication": replication,
    "phone push": phone_push,
    "build runner": build_runner,
    "modbus": valves,
    "work queue": work_queue,
    "chat": chat,
    "telephone": telephone,
    "car tracker": car_tracker,
    "table listener": table_listener,
    "node wallet": wallet_of_a_node,
}
