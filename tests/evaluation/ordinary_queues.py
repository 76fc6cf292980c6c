"""Ordinary sessions of queues, databases and logs: pushes, acknowledgements, counters that grow."""

from __future__ import annotations

from tests.evaluation.mining_randomx import text
from tests.evaluation.talk import DOWN, UP, Talk, digits


def redis_channel(talk: Talk) -> None:
    """Redis: subscribed channels, a ping now and then."""
    rng = talk.rng
    talk.ask(0, 40 + rng.randrange(30), 5)
    talk.ask(0.1, 42 + rng.randrange(30), 50 + rng.randrange(20))
    size = talk.server.trait("size", lambda r: r.randrange(40, 500))
    wide = talk.server.trait("wide", lambda r: r.choice([0, 1, 4, 60]))
    for at, what in talk.mixed(news=talk.poisson(10 ** rng.uniform(0.9, 1.8)), ping=talk.every(30, 0.01)):
        if what == "news":
            talk.say(at, DOWN, size + rng.randrange(wide + 1))
        else:
            talk.ask(at, 14, 7)


def mysql_replica(talk: Talk) -> None:
    """A replica of MySQL: events as they come, a heartbeat in silence, an acknowledgement of each by some."""
    rng = talk.rng
    talk.ask(0, 4 + rng.randrange(120, 220), 11)
    talk.ask(0.1, 4 + 36, 11)
    acknowledges = rng.random() < 0.5
    for at, what in talk.mixed(event=talk.bursts(10 ** rng.uniform(1.5, 2.2), 5, 0.4), beat=talk.every(30)):
        if what == "beat":
            talk.say(at, DOWN, 4 + 1 + 19 + 16 + 4)
        else:
            talk.call(at, 4 + 1 + int(rng.lognormvariate(5, 0.7)), *([4 + 1 + 8 + 16] if acknowledges else [29]))


def relp(talk: Talk) -> None:
    """Logs over RELP: each message has a number that grows, and is answered by it."""
    rng, number = talk.rng, 1
    talk.ask(0, 90 + rng.randrange(40), 100 + rng.randrange(40))
    base = 120 + rng.randrange(200)
    for at in talk.bursts(10 ** rng.uniform(1.5, 2.2), 5, 0.6):
        number += 1
        length = base + int(rng.expovariate(1 / 30))
        talk.ask(
            at,
            digits(number) + len(" syslog ") + digits(length) + 1 + length + 1,
            digits(number) + len(" rsp 6 200 OK\n"),
        )


def amqp_jobs(talk: Talk) -> None:
    """An AMQP queue of jobs: deliveries with tags, acknowledgements of 21 bytes, heartbeats of 8."""
    rng = talk.rng
    talk.ask(0, 8, 480 + rng.randrange(60))
    talk.ask(0.1, 330 + rng.randrange(60), 20)
    body = talk.server.trait("body", lambda r: r.randrange(80, 700))
    wide = talk.server.trait("wide", lambda r: r.choice([0, 2, 40]))
    for at, what in talk.mixed(
        job=talk.poisson(10 ** rng.uniform(1.0, 1.9)), beat=talk.every(30), theirs=talk.every(30)
    ):
        if what == "job":
            talk.say(at, DOWN, 60 + 22 + 8 + body + rng.randrange(wide + 1))
            talk.say(at + rng.expovariate(1 / 2), UP, 21)
        else:
            talk.say(at, UP if what == "beat" else DOWN, 8)


def work_queue(talk: Talk) -> None:
    """An adversary: a render farm in JSON-RPC lines. Jobs are pushed, results sent at random with ids that grow, each
    answered by a constant and its id."""
    rng, number, spaced = talk.rng, 2, talk.server.trait("spaced", lambda r: r.random() < 0.4)
    worker = "node-" + "x" * rng.randrange(3, 14)
    talk.ask(0, text({"jsonrpc": "2.0", "id": 1, "method": "register", "params": {"worker": worker, "slots": 8}}),
             text({"jsonrpc": "2.0", "id": 1, "result": {"session": "x" * 36}}, spaced))  # fmt: skip
    job = {"scene": "x" * talk.server.trait("scene", lambda r: r.randrange(20, 200)), "frame": 100, "samples": 256}
    keys = talk.server.trait("keys", lambda r: r.choice([("jsonrpc", "id", "result"), ("id", "result", "error")]))
    refresh_s = talk.server.trait("refresh", lambda r: r.choice([15, 30, 60]))
    jobs = iter(talk.clocked(refresh_s, None, 0.02))
    events = talk.mixed(job=jobs, result=talk.poisson(10 ** rng.uniform(0.9, 1.8)))
    for at, what in events:
        if what == "job":
            job["frame"] = rng.randrange(1, 2000)
            talk.say(at, DOWN, text({"jsonrpc": "2.0", "method": "job", "params": job}, spaced))
        else:
            number += 1
            params = {"worker": worker, "job": "x" * 12, "digest": "0" * 64}
            parts = {"jsonrpc": "2.0", "id": number, "result": True, "error": None}
            answer = {key: parts[key] for key in keys}
            talk.ask(
                at, text({"jsonrpc": "2.0", "id": number, "method": "done", "params": params}), text(answer, spaced)
            )


def kafka(talk: Talk) -> None:
    """A Kafka consumer: fetches that wait, heartbeats of 3 s kept apart, offsets committed every 5 s or more."""
    rng, at = talk.rng, 0.0
    client = rng.randrange(8, 30)
    waits_s = rng.choice([10.0, 30.0, 60.0])
    commits = talk.every(rng.choice([15, 30, 60]), 0.01)
    for moment in commits:
        talk.ask(moment, 60 + client + rng.randrange(2), 40)
    while at < talk.until_s:
        came_s = rng.expovariate(1 / 40)
        some = came_s < waits_s
        at = (
            talk.ask(
                at, 90 + client, 70 + (int(rng.lognormvariate(6, 0.8)) if some else 0), takes_s=min(came_s, waits_s)
            )
            + 0.01
        )


def nats(talk: Talk) -> None:
    """NATS: messages on subjects, pings of both sides."""
    rng = talk.rng
    talk.say(0.0, DOWN, 300 + rng.randrange(80))
    talk.ask(0.1, 150 + rng.randrange(60), 6)
    subject, reply = rng.randrange(8, 40), rng.random() < 0.4
    size = talk.server.trait("size", lambda r: r.randrange(20, 300))
    for at, what in talk.mixed(
        news=talk.poisson(10 ** rng.uniform(0.9, 1.8)), ping=talk.every(120), theirs=talk.every(120)
    ):
        if what == "news":
            length = size + rng.randrange(6)
            talk.say(at, DOWN, 8 + subject + digits(length) + length + 4)
            if reply:
                talk.say(at + rng.expovariate(5), UP, 70 + 22)
        elif what == "ping":
            talk.ask(at, 6, 6)
        else:
            talk.call(at, 6, 6)


def postgres_listener(talk: Talk) -> None:
    """PostgreSQL: LISTEN, notifications, a query of one form every so often."""
    rng = talk.rng
    talk.ask(0, 70 + rng.randrange(40), 340 + rng.randrange(40))
    talk.ask(0.1, 5 + 12, 18)
    query, row = 60 + rng.randrange(120), 80 + rng.randrange(200)
    for at, what in talk.mixed(
        news=talk.poisson(10 ** rng.uniform(1, 2)), query=talk.every(rng.choice([10, 30, 60]), 0.01)
    ):
        if what == "news":
            talk.say(at, DOWN, 9 + 12 + rng.randrange(20, 60))
        else:
            talk.ask(at, query, row + digits(rng.randrange(1, 99_999)))
