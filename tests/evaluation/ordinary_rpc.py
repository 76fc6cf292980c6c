"""Ordinary sessions of JSON-RPC, and of what looks like it: a sign-in, pushes, questions with ids that grow, answers of
one text. They obey the equations that any such protocol obeys; their constants are their own, another set at each
server.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from tests.evaluation.mining_randomx import framed, text
from tests.evaluation.talk import DOWN, UP, Talk

#: What services answer to a question that asks for nothing, besides the id.
ACKNOWLEDGEMENTS: tuple[dict[str, Any], ...] = (
    {"result": True},
    {"result": True, "error": None},
    {"result": None},
    {"result": "ok"},
    {"result": {}},
    {"result": {"status": "ok"}},
    {"result": {"status": "OK"}, "error": None},
    {"result": {"status": "OK"}},
    {"result": {"accepted": True}},
    {"result": {"success": True}},
    {"result": 0, "error": None},
    {"result": 1},
)
VERB = ("done", "submit", "result", "report", "complete", "worker.submit", "task.finish", "queue.ack", "v1.report")
PUSH = ("job", "task", "work", "notify", "assign", "worker.job", "queue.task", "event", "v1.assign")
ENTER = ("login", "register", "hello", "authenticate", "worker.register", "session.open", "v1.hello")


class _Service:
    """How one server and its clients write: style, framing, version."""

    def __init__(self, talk: Talk, *, framings: tuple[str, ...] = ("line", "line", "websocket")) -> None:
        draw = talk.server.trait
        self._talk = talk
        self.spaced = draw("spaced", lambda r: r.random() < 0.35)
        self.asks_spaced = draw("asks spaced", lambda r: r.random() < 0.25)
        self.framing = draw("framing", lambda r: r.choice(framings))
        self.version = draw("version", lambda r: r.choice([{"jsonrpc": "2.0"}, {"jsonrpc": "2.0"}, {}]))
        self.acknowledgement: dict[str, Any] = draw("ack", lambda r: r.choice(ACKNOWLEDGEMENTS))
        self.number = 0
        if self.framing == "websocket":
            talk.ask(0, 190 + talk.rng.randrange(260), 129 + draw("upgrade", lambda r: r.randrange(0, 90)))

    def size(self, value: Any, side: int) -> int:
        length = text(value, self.asks_spaced if side == UP else self.spaced) - 1
        if self.framing == "websocket":
            return framed(length, side)
        return length + (1 if self.framing == "line" else len(f"Content-Length: {length}\r\n\r\n"))

    def ask(
        self, at_s: float, method: str, params: Any, answer: dict[str, Any] | None = None, slow_s: float = 0
    ) -> None:
        """A question with the next id, and its answer, an acknowledgement if nothing else is said."""
        self.number += 1
        question = {**self.version, "id": self.number, "method": method, "params": params}
        reply = {**self.version, "id": self.number, **(self.acknowledgement if answer is None else answer)}
        self._talk.ask(at_s, self.size(question, UP), self.size(reply, DOWN), takes_s=slow_s)

    def push(self, at_s: float, method: str, params: Any) -> None:
        self._talk.say(at_s, DOWN, self.size({**self.version, "method": method, "params": params}, DOWN))


def _texts(rng: Random, least: int, most: int, longest: int) -> dict[str, str]:
    """Named texts of fixed lengths."""
    return {
        "k" * rng.randrange(2, 10) + str(n): "x" * round(longest ** rng.random())
        for n in range(rng.randint(least, most))
    }


def _rate(talk: Talk) -> float:
    """Mean seconds between questions of one session."""
    return 10 ** talk.rng.uniform(0.9, 1.9)


def other_rpc(talk: Talk) -> None:
    """An adversary: some other JSON-RPC with every constant drawn, a sign-in of one or two questions, one kind of push
    of one length, one kind of question at random, each acknowledged."""
    rng, draw = talk.rng, talk.server.trait
    service, begun_s = _Service(talk), 0.3
    enter, verb, push = (
        draw(f"method {n}", lambda r, some=some: r.choice(some)) for n, some in enumerate((ENTER, VERB, PUSH))
    )
    service.ask(begun_s, enter, draw("enter", lambda r: _texts(r, 1, 5, 120)) | {"name": "x" * rng.randrange(4, 16)},
                draw("entered", lambda r: r.choice([None, {"result": _texts(r, 1, 4, 80)}])))  # fmt: skip
    if draw("second", lambda r: r.random() < 0.4):
        begun_s += 0.7
        service.ask(
            begun_s, draw("subscribe", lambda r: r.choice(ENTER)), draw("topics", lambda r: _texts(r, 1, 3, 40))
        )
    pushed, asked = draw("pushed", lambda r: _texts(r, 2, 8, 200)), draw("asked", lambda r: _texts(r, 1, 6, 90))
    for _ in range(draw("at once", lambda r: r.choice([0, 1, 1]))):
        service.push(begun_s + 0.7, push, pushed)
    period_s = draw("period", lambda r: r.choice([0, 15, 30, 60]))
    pushes = talk.every(period_s, 0.02, begun_s + 2) if period_s else talk.poisson(10 ** rng.uniform(1, 2), begun_s + 2)
    for at, what in talk.mixed(push=pushes, ask=talk.poisson(_rate(talk), begun_s + 2)):
        if what == "push":
            service.push(at, push, pushed)
        else:
            service.ask(at, verb, asked)


def tile_farm(talk: Talk) -> None:
    """An adversary: a farm of renderers. Tiles of one length are pushed whether the last is done or not, results come
    at random, each with the hash of its picture."""
    rng, draw = talk.rng, talk.server.trait
    service = _Service(talk)
    node = "render-" + "0" * rng.randrange(2, 6)
    service.ask(0.3, "farm.login", {"node": node, "token": "x" * draw("token", lambda r: r.choice([32, 36, 64])),
                "gpu": "x" * rng.randrange(8, 30)}, {"result": {"session": "x" * 36, "status": "OK"}})  # fmt: skip
    tile = {"id": "x" * draw("tile id", lambda r: r.choice([8, 12, 36])), "scene": "0" * 64,
            "camera": [0.12] * 9, "x": 512, "y": 384, "samples": 128, "seed": "0" * 16}  # fmt: skip
    service.push(0.9, "tile", tile)
    every_s = draw("every", lambda r: r.choice([20, 40, 90]))
    for at, what in talk.mixed(tile=talk.every(every_s, 0.03, 3), done=talk.poisson(_rate(talk), 3)):
        if what == "tile":
            service.push(at, "tile", tile)
        else:
            service.ask(at, "farm.done", {"session": "x" * 36, "tile": tile["id"], "picture": "0" * 64})


def volunteers(talk: Talk) -> None:
    """An adversary: work units of a search among volunteers' machines, the nearest thing to mining that is none: a unit
    now and then, hits at random with a hash, each taken by one text."""
    rng, draw = talk.rng, talk.server.trait
    service = _Service(talk, framings=("line",))
    user = "x" * rng.randrange(4, 20)
    service.ask(0.3, draw("enter", lambda r: r.choice(ENTER)), {"user": user, "client": "x" * rng.randrange(10, 50)},
                draw("entered", lambda r: r.choice([None, {"result": {"session": "x" * 32}}])))  # fmt: skip
    unit = {
        "unit": "x" * draw("unit", lambda r: r.choice([4, 8, 16, 36])),
        "data": "0" * draw("data", lambda r: r.choice([64, 128, 152, 200])),
        "from": 10**9,
        "to": 10**9 + 10**6,
        "program": "x" * draw("program", lambda r: r.randrange(3, 12)),
    }
    service.push(0.8, "unit", unit)
    for at, what in talk.mixed(unit=talk.poisson(10 ** rng.uniform(1.2, 2), 2), hit=talk.poisson(_rate(talk), 2)):
        if what == "unit":
            service.push(at, "unit", unit)
        else:
            service.ask(
                at, draw("verb", lambda r: r.choice(VERB)), {"unit": unit["unit"], "at": "0" * 8, "hash": "0" * 64}
            )


def build_agent(talk: Talk) -> None:
    """An adversary: a build agent. A build is pushed when the last is over, steps are reported, each acknowledged."""
    rng, draw = talk.rng, talk.server.trait
    service = _Service(talk)
    build = draw("build", lambda r: _texts(r, 3, 8, 120)) | {"commit": "0" * 40}
    step = draw("step", lambda r: _texts(r, 1, 4, 40)) | {"state": "passed", "build": "x" * 36}
    service.ask(0.3, "agent.register", {"name": "x" * rng.randrange(5, 25), "os": "linux", "labels": ["x" * 8] * 3},
                {"result": {"agent": "x" * 36, "poll": 30}})  # fmt: skip
    at = 0.8
    while at < talk.until_s:
        service.push(at, "build.run", build)
        for _ in range(rng.randint(1, 6)):
            at += rng.lognormvariate(math.log(_rate(talk)), 0.9)
            service.ask(at, "build.step", step)
        at += rng.uniform(0.2, 0.6) if rng.random() < 0.7 else rng.expovariate(1 / 60)


def counter_poller(talk: Talk) -> None:
    """An adversary: a panel that reads counters at random over JSON-RPC, and is told of alarms of one length."""
    rng, draw = talk.rng, talk.server.trait
    service = _Service(talk)
    service.ask(0.3, "session.open", {"user": "x" * rng.randrange(4, 12), "password": "x" * rng.randrange(8, 20)})
    name = draw("name", lambda r: "x" * r.randrange(4, 30))
    count, alarm = 10 ** rng.randrange(1, 7), draw("alarm", lambda r: _texts(r, 2, 6, 150))
    service.push(0.9, "alarm", alarm)
    for at, what in talk.mixed(alarm=talk.poisson(10 ** rng.uniform(1, 2), 2), read=talk.poisson(_rate(talk), 2)):
        if what == "alarm":
            service.push(at, "alarm", alarm)
        else:
            count += rng.randrange(1, 40)
            service.ask(at, "counter.read", [name], {"result": {"value": count, "unit": "x" * 3}})


def node_wallet(talk: Talk) -> None:
    """A wallet at a node by JSON-RPC: heads of the chain are pushed, balances and fees asked for now and then."""
    rng, draw = talk.rng, talk.server.trait
    service, coin = _Service(talk), draw("coin", lambda r: r.choice(["XMR", "BTC", "ETC", "LTC"]))
    address = "x" * draw("address", lambda r: r.choice([34, 42, 62, 95]))
    service.ask(0.3, "chain.subscribe", [address], {"result": "0" * 64})
    head = {"height": 800_000, "hash": "0" * 64, "bits": "0" * 8, "difficulty": 10**12}
    service.push(0.9, "chain.head", head)
    balance = 10 ** rng.randrange(4, 12)
    for at, what in talk.mixed(head=talk.blocks(coin), ask=talk.poisson(_rate(talk), 2), fees=talk.every(60, 0.02, 30)):
        if what == "head":
            service.push(at, "chain.head", head)
        elif what == "ask":
            service.ask(at, "wallet.balance", [address], {"result": {"confirmed": balance, "pending": 0}})
        else:
            service.ask(at, "fees.estimate", [6], {"result": "0.00012"})


def tools_of_model(talk: Talk) -> None:
    """A model's tools (MCP) over WebSocket or lines: calls in bursts, progress, lists that change, pings."""
    rng = talk.rng
    service = _Service(talk)
    own = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x" * 9}}
    service.ask(0.3, "initialize", own,
                {"result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}})  # fmt: skip
    service.ask(0.9, "tools/list", {}, {"result": {"tools": [{"name": "x" * 12, "description": "x" * 60}] * 5}})
    fixed = rng.random() < 0.5
    for at, what in talk.mixed(
        call=talk.bursts(_rate(talk) * 3, 4, 6), ping=talk.every(30, 0.01, 5), told=talk.poisson(60, 5)
    ):
        if what == "ping":
            service.ask(at, "ping", {}, {"result": {}})
        elif what == "told":
            service.push(at, "notifications/progress", {"token": "x" * 8, "progress": rng.randrange(100), "total": 100})
        else:
            size = 80 if fixed else int(rng.lognormvariate(5, 1))
            params = {"name": "x" * 12, "arguments": {"path": "x" * (30 if fixed else rng.randrange(8, 90))}}
            service.ask(at, "tools/call", params, {"result": {"content": [{"type": "text", "text": "x" * size}]}}, 0.4)


def code_assistant(talk: Talk) -> None:
    """A language server in a tunnel: changes, completions, diagnostics pushed, with headers of lengths."""
    rng = talk.rng
    service = _Service(talk, framings=("headers",))
    service.ask(0.3, "initialize", {"rootUri": "file:///" + "x" * rng.randrange(10, 60), "capabilities": {}},
                {"result": {"capabilities": {"completionProvider": {}, "hoverProvider": True}}})  # fmt: skip
    place = {"textDocument": {"uri": "file:///" + "x" * 40}, "position": {"line": 100, "character": 20}}
    for at in talk.bursts(_rate(talk) * 3, 6, 3):
        service.ask(
            at,
            "textDocument/hover",
            place,
            {"result": None} if rng.random() < 0.7 else {"result": {"contents": "x" * 60}},
        )
        if rng.random() < 0.5:
            count = rng.choice([0, 0, 1, 2])
            service.push(
                at + 1, "textDocument/publishDiagnostics", {"uri": "x" * 47, "diagnostics": [{"m": "x" * 60}] * count}
            )


def house(talk: Talk) -> None:
    """A panel of a house over WebSocket: states are pushed, services called with ids that grow, answered by success."""
    rng = talk.rng
    service = _Service(talk, framings=("websocket",))
    service.ask(0.3, "auth", {"access_token": "x" * 180}, {"type": "auth_ok", "ha_version": "2026.10.1"})
    service.ask(0.9, "subscribe_events", {}, {"type": "result", "success": True, "result": None})
    entity = "x" * rng.randrange(12, 40)
    state = {
        "entity_id": entity,
        "state": "21.5",
        "last_changed": "x" * 32,
        "attributes": {"unit": "C", "name": "x" * 20},
    }
    for at, what in talk.mixed(
        state=talk.poisson(_rate(talk), 2), call=talk.poisson(_rate(talk) * 2, 2), ping=talk.every(30, 0, 30)
    ):
        if what == "state":
            service.push(at, "event", state)
        elif what == "call":
            service.ask(at, "call_service", {"domain": "climate", "entity_id": entity},
                        {"type": "result", "success": True, "result": None})  # fmt: skip
        else:
            service.ask(at, "ping", {}, {"type": "pong"})


def charge_point(talk: Talk) -> None:
    """A charging station (OCPP 1.6 over WebSocket): lists with ids of 36 letters, meter values at random in this one,
    settings pushed and acknowledged by it."""
    rng = talk.rng
    service = _Service(talk, framings=("websocket",))
    mark = "x" * 36

    def call(at: float, action: str, body: Any, answer: Any) -> None:
        talk.ask(at, service.size([2, mark, action, body], UP), service.size([3, mark, answer], DOWN))

    call(0.3, "BootNotification", {"chargePointVendor": "x" * 8, "chargePointModel": "x" * 10},
         {"status": "Accepted", "currentTime": "x" * 20, "interval": 300})  # fmt: skip
    value = {
        "connectorId": 1,
        "transactionId": 4711,
        "meterValue": [{"timestamp": "x" * 20, "sampledValue": [{"value": "1234.5"}]}],
    }
    limit = service.size([2, mark, "SetChargingProfile", {"connectorId": 1, "limit": 16.0}], DOWN)
    for at, what in talk.mixed(
        meter=talk.poisson(_rate(talk), 2), limit=talk.poisson(10 ** rng.uniform(1.2, 2), 2), beat=talk.every(300)
    ):
        if what == "meter":
            call(at, "MeterValues", value, {})
        elif what == "limit":
            talk.call(at, limit, service.size([3, mark, {"status": "Accepted"}], UP))
        else:
            call(at, "Heartbeat", {}, {"currentTime": "x" * 20})
