"""Ordinary sessions of machines: sensors, meters, plants, agents, runners, banks; and openings that are not Noise's."""

from __future__ import annotations

from tests.evaluation.mining_randomx import framed, text
from tests.evaluation.talk import DOWN, UP, Talk, digits


def opc_ua(talk: Talk) -> None:
    """A plant's OPC UA inside TLS: publish requests that wait, answered by changes or by a keepalive; reads."""
    rng = talk.rng
    talk.ask(0, 60 + rng.randrange(40), 28)
    talk.ask(0.1, 132, 136)
    talk.ask(0.2, 310 + rng.randrange(90), 820 + rng.randrange(300))
    items = talk.server.trait("items", lambda r: r.randrange(1, 9))
    period_s = talk.server.trait("period", lambda r: r.choice([5, 10, 30, 60]))
    for at in talk.every(period_s, 0.002):
        changed = sum(rng.random() < 0.4 for _ in range(items))
        talk.say(at, DOWN, 104 + (40 + 30 * changed if changed else 0))
        talk.say(at + 1e-3, UP, 76 + 8 * bool(changed))


def sensor_readings(talk: Talk) -> None:
    """MQTT 3.1.1: readings in JSON with a counter, acknowledged in four bytes; orders of the broker; pings."""
    rng, counter = talk.rng, talk.rng.choice([0, 0, 5_000])
    name = "x" * rng.randrange(6, 22)
    talk.ask(0, 14 + len(name) + rng.randrange(60), 4)
    talk.ask(0.1, 9 + len(name), 5)
    acknowledged = rng.random() < 0.6
    for at, what in talk.mixed(
        read=talk.every(rng.choice([10, 30, 60]), 0.02), order=talk.poisson(400), ping=talk.every(60)
    ):
        if what == "read":
            counter += 1
            value = {"id": counter, "t": round(rng.gauss(21, 3), 2), "h": rng.randrange(20, 90), "dev": name}
            length = 2 + 2 + 12 + len(name) + (2 if acknowledged else 0) + text(value) - 1
            if acknowledged:
                talk.ask(at, length, 4)
            else:
                talk.say(at, UP, length)
        elif what == "ping":
            talk.ask(at, 2, 2)
        else:
            talk.call(at, 40 + len(name) + rng.randrange(60), 4)


def smart_meter(talk: Talk) -> None:
    """Meters read by DLMS through a concentrator: requests of one length, answers of few; alarms."""
    rng = talk.rng
    talk.call(0.1, 65 + rng.randrange(20), 43)
    answer = talk.server.trait("answer", lambda r: r.choice([26, 34, 58]))
    for at, what in talk.mixed(
        read=talk.every(talk.server.trait("period", lambda r: r.choice([10, 15, 60])), 0.01), alarm=talk.poisson(900)
    ):
        if what == "read":
            talk.call(at, 21, answer + rng.choice([0, 0, 0, 2, 4]))
        else:
            talk.say(at, UP, 48)


def monitoring_agent(talk: Talk) -> None:
    """An agent that reports in a period: text of figures, an answer that counts what was processed."""
    rng, period_s = talk.rng, talk.rng.choice([15, 30, 60])
    base = 300 + rng.randrange(2_000)
    for at in talk.every(period_s, rng.choice([0.0, 0.01, 0.1])):
        many = rng.randrange(8, 130)
        info = f"processed: {many}; failed: 0; total: {many}; seconds spent: {rng.uniform(0.0001, 0.002):.6f}"
        talk.ask(at, base + rng.randrange(-14, 15), 13 + text({"response": "success", "info": info}))


def ci_runner(talk: Talk) -> None:
    """A runner that polls for jobs: an answer of one length unless there is a job; then logs."""
    rng, at = talk.rng, 0.0
    question, empty = 520 + rng.randrange(160), 210 + rng.randrange(90)
    waits_s = rng.choice([10.0, 30.0, 50.0])
    while at < talk.until_s:
        if rng.random() < min(0.3, waits_s / 600):
            at = talk.ask(at, question, empty + 4_000 + rng.randrange(9_000)) + 1
            for order in range(rng.randrange(4, 30)):
                at = talk.ask(at, 500 + int(rng.lognormvariate(6, 1)), 190 + digits(order * 700)) + rng.uniform(3, 6)
        else:
            at = talk.ask(at, question, empty, takes_s=waits_s) + rng.uniform(0.01, 0.4)


def fix_session(talk: Talk) -> None:
    """A bank's FIX: sequence numbers of both sides that grow, heartbeats in silence, orders and reports."""
    rng, ours, theirs = talk.rng, 1, 1
    names = 2 * (6 + rng.randrange(4, 14))
    talk.ask(0, 90 + names, 90 + names)
    for at, what in talk.mixed(
        beat=talk.every(30), theirs=talk.every(30), order=talk.poisson(10 ** rng.uniform(1.2, 2.2))
    ):
        if what == "beat":
            ours += 1
            talk.say(at, UP, 56 + names + digits(ours))
        elif what == "theirs":
            theirs += 1
            talk.say(at, DOWN, 56 + names + digits(theirs))
        else:
            ours, theirs = ours + 1, theirs + 1
            talk.ask(at, 150 + names + digits(ours) + digits(rng.randrange(1, 9_999)), 230 + names + digits(theirs))


def watch_of_cluster(talk: Talk) -> None:
    """A watch of a cluster's objects over HTTP/2: events with versions that grow, bookmarks every minute, pings."""
    rng, version = talk.rng, 10 ** talk.rng.randrange(4, 9)
    talk.ask(0, 24 + 45 + 280 + rng.randrange(90), 90 + rng.randrange(40))
    size = talk.server.trait("size", lambda r: r.randrange(700, 2_600))
    for at, what in talk.mixed(
        event=talk.bursts(10 ** rng.uniform(1.5, 2.3), 4, 1), mark=talk.every(60, 0.05), ping=talk.every(30)
    ):
        version += rng.randrange(1, 40)
        if what == "event":
            talk.say(at, DOWN, 9 + size + digits(version) + rng.randrange(0, 25))
        elif what == "mark":
            talk.say(at, DOWN, 9 + 150 + digits(version))
        else:
            talk.ask(at, 17, 17)


def traces(talk: Talk) -> None:
    """Telemetry over gRPC: exports in a period, answers of one length, window updates, pings."""
    rng = talk.rng
    talk.ask(0, 24 + 54, 27 + 9)
    size = int(rng.lognormvariate(6.4, 0.5))
    for at, what in talk.mixed(
        export=talk.every(rng.choice([10, 30, 60]), 0.01), ping=talk.every(rng.choice([20, 60]))
    ):
        if what == "export":
            talk.ask(at, 9 + 40 + 9 + 5 + size + int(rng.gauss(0, 12)), 9 + 14 + 9 + 5 + 9 + 24)
        else:
            talk.ask(at, 17, 17)


def random_poller(talk: Talk) -> None:
    """An adversary: a JSON-RPC client in lines that asks at random, ids from 1 on, each answered by `true` and its id;
    the server tells of something in a period. It differs from shares in the words alone."""
    rng, number, spaced = talk.rng, 0, talk.server.trait("spaced", lambda r: r.random() < 0.3)
    method = "x" * talk.server.trait("method", lambda r: r.randrange(6, 24))
    params = ["x" * rng.randrange(4, 40), "0" * talk.server.trait("key", lambda r: r.choice([8, 16, 32, 64]))]
    news = talk.server.trait("news", lambda r: r.randrange(120, 500))
    full = talk.server.trait("full", lambda r: r.random() < 0.5)
    for at, what in talk.mixed(
        ask=talk.poisson(10 ** rng.uniform(0.9, 1.8)),
        news=talk.every(talk.server.trait("period", lambda r: r.choice([15, 30, 60])), 0.01),
    ):
        if what == "news":
            talk.say(at, DOWN, news)
        else:
            number += 1
            answer = (
                {"id": number, "result": True, "error": None}
                if full
                else {"jsonrpc": "2.0", "result": True, "id": number}
            )
            talk.ask(at, text({"id": number, "method": method, "params": params}), text(answer, spaced))


def auctions(talk: Talk) -> None:
    """A stream of auctions over WebSocket: offers at random with growing ids, bids of one form answered by it."""
    rng, number = talk.rng, 1_000 * talk.rng.randrange(1, 90)
    talk.ask(0, 260 + rng.randrange(200), 129 + rng.randrange(90))
    for at in talk.poisson(10 ** rng.uniform(1, 1.8)):
        number += rng.randrange(1, 4)
        offer = {"auction": number, "item": "x" * rng.randrange(8, 40), "floor": round(rng.lognormvariate(1, 1), 2)}
        talk.say(at, DOWN, framed(text(offer) - 1, DOWN))
        if rng.random() < 0.4:
            bid = framed(text({"auction": number, "bid": round(rng.lognormvariate(1, 1), 2)}) - 1, UP)
            talk.ask(at + talk.rtt_s + rng.expovariate(2), bid, framed(text({"auction": number, "ok": True}) - 1, DOWN))


def bip324(talk: Talk) -> None:
    """Raw: Bitcoin's encrypted transport. 64 bytes of each side, up to 4,095 of garbage, then packets of 20 more."""
    rng = talk.rng
    most = 1 if rng.random() < 0.5 else 4_096
    talk.ask(0, 64 + rng.randrange(most), 64 + rng.randrange(most), 16 + 20)
    talk.ask(0.2, 16 + 20 + 20 + 105 + rng.randrange(20), 20 + 105 + rng.randrange(20), 21)
    for at, what in talk.mixed(ping=talk.every(120), invites=talk.poisson(25), block=talk.blocks("BTC", 1.0)):
        if what == "ping":
            talk.ask(at, 29, 29)
        elif what == "block":
            talk.say(at, DOWN, rng.randrange(9_000, 22_000))
        else:
            talk.say(at, DOWN if rng.random() < 0.6 else UP, 22 + 36 * rng.randrange(1, 36))


def openings_of_64(talk: Talk) -> None:
    """Raw: something that opens with 64 bytes and is answered by some near 234; then messages of few lengths."""
    rng = talk.rng
    talk.ask(0, 64, rng.choice([64, 96, 170, rng.randrange(200, 234), 233, 235, rng.randrange(236, 300), 234]))
    sizes = [rng.randrange(20, 400) for _ in range(4)]
    talk.ask(0.1, rng.choice(sizes), rng.choice(sizes))
    for at in talk.poisson(10 ** rng.uniform(0.9, 1.7)):
        talk.ask(at, rng.choice(sizes), rng.choice(sizes))
