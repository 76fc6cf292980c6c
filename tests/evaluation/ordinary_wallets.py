"""Ordinary sessions that live with coins: wallets, explorers, nodes, exchanges. Many hear of blocks by design."""

from __future__ import annotations

from tests.evaluation.mining_randomx import framed, text
from tests.evaluation.talk import DOWN, UP, Talk


def _upgraded(talk: Talk) -> float:
    """The opening of a WebSocket."""
    return talk.ask(0, talk.rng.randrange(190, 640), talk.rng.randrange(129, 330))


def _ws(value: object, side: int) -> int:
    return framed(text(value) - 1, side)


def electrum(talk: Talk) -> None:
    """A wallet at an Electrum server: JSON lines with ids that grow, a header with each block, a ping each minute."""
    rng, number = talk.rng, 0

    def call(at: float, method: str, params: list[object], result: object) -> float:
        nonlocal number
        question = {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
        answer = {"jsonrpc": "2.0", "result": result, "id": number}
        number += 1
        return talk.ask(at, text(question, True), text(answer))

    call(0, "server.version", ["electrum/4.5." + str(rng.randrange(9)), "1.4"], ["ElectrumX 1.16.0", "1.4"])
    header = {"hex": "0" * 160, "height": 830_000 + rng.randrange(90_000)}
    call(0.2, "blockchain.headers.subscribe", [], header)
    for order in range(rng.randrange(2, 41)):
        call(
            0.3 + order * 0.01, "blockchain.scripthash.subscribe", ["0" * 64], None if rng.random() < 0.6 else "0" * 64
        )
    pushed = text({"jsonrpc": "2.0", "method": "blockchain.headers.subscribe", "params": [header]})
    coin = talk.server.trait("coin", lambda r: r.choice(["BTC", "LTC", "ZEC"]))
    events = talk.mixed(
        block=talk.blocks(coin), ping=talk.every(60, 0.01), touched=talk.poisson(700), fee=talk.every(60, 0.2)
    )
    for at, what in events:
        if what == "block":
            talk.say(at, DOWN, pushed)
        elif what == "ping":
            call(at, "server.ping", [], None)
        elif what == "fee":
            call(at, "blockchain.estimatefee", [rng.choice([2, 5, 10, 25])], round(rng.uniform(1e-5, 9e-4), 8))
        else:
            changed = {"jsonrpc": "2.0", "method": "blockchain.scripthash.subscribe", "params": ["0" * 64, "0" * 64]}
            talk.say(at, DOWN, text(changed))
            history = [{"tx_hash": "0" * 64, "height": 830_000}] * rng.randrange(1, 6)
            call(at + talk.rtt_s, "blockchain.scripthash.get_history", ["0" * 64], history)


def explorer(talk: Talk) -> None:
    """A page of an explorer: figures of the mempool every few seconds, a block when it comes."""
    rng = talk.rng
    _upgraded(talk)
    wants = {"action": "want", "data": ["blocks", "stats", "mempool-blocks", "live-2h-chart"][: rng.randrange(2, 5)]}
    talk.ask(0.4, _ws({"action": "init"}, UP), rng.randrange(3000, 9000))
    talk.say(0.6, UP, _ws(wants, UP))
    base = talk.server.trait("stats", lambda r: r.randrange(180, 900))
    events = talk.mixed(
        block=talk.blocks("BTC", 2.0), stats=talk.every(rng.choice([5, 10, 20]), 0.05), ping=talk.every(60)
    )
    for at, what in events:
        if what == "block":
            talk.say(at, DOWN, rng.randrange(1200, 2600))
        elif what == "ping":
            talk.ask(at, _ws({"action": "ping"}, UP), _ws({"pong": True}, DOWN))
        else:
            talk.say(at, DOWN, framed(base + rng.randrange(-3, 4), DOWN))


def ethereum_heads(talk: Talk) -> None:
    """A program at an Ethereum node's WebSocket: new heads as they come, calls at random with ids that grow."""
    rng, number = talk.rng, 1
    _upgraded(talk)
    talk.ask(0.4, _ws({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}, UP),
             _ws({"jsonrpc": "2.0", "id": 1, "result": "0x" + "0" * 32}, DOWN))  # fmt: skip
    head = {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": "0x" + "0" * 32, "result": ""}}
    bloom = talk.server.trait("fields", lambda r: r.randrange(1100, 1750))
    call = {"to": "0x" + "0" * 40, "data": "0x" + "0" * rng.choice([8, 72, 136])}
    for at, what in talk.mixed(head=talk.blocks("ETC"), call=talk.poisson(10 ** rng.uniform(1.0, 2.0))):
        if what == "head":
            talk.say(at, DOWN, _ws(head, DOWN) + bloom + rng.randrange(-2, 3))
        else:
            number += 1
            question = {"jsonrpc": "2.0", "id": number, "method": "eth_call", "params": [call, "latest"]}
            talk.ask(at, _ws(question, UP), _ws({"jsonrpc": "2.0", "id": number, "result": "0x" + "0" * 64}, DOWN))


def node_in_tunnel(talk: Talk) -> None:
    """A node of Bitcoin's network inside a TLS tunnel: pings, inventories, a compact block with each block."""
    rng = talk.rng
    talk.ask(0, 24 + 102 + rng.randrange(0, 20), 24 + 102 + rng.randrange(0, 20), 24)
    talk.ask(0.1, 24, 24 + 9, 24 + 9)
    mean_s = 10 ** rng.uniform(1.0, 1.6)
    for at, what in talk.mixed(ping=talk.every(120), invites=talk.poisson(mean_s), block=talk.blocks("BTC", 1.0)):
        if what == "ping":
            talk.ask(at, 32, 32)
            talk.call(at + 20, 32, 32)
        elif what == "block":
            talk.say(at, DOWN, rng.randrange(9_000, 22_000))
        elif rng.random() < 0.5:
            talk.say(at, DOWN, 25 + 36 * rng.randrange(1, 36))
        else:
            talk.ask(at, 25 + 36 * rng.randrange(1, 10), 24 + int(rng.lognormvariate(5.8, 0.6)))


def wallet_service(talk: Talk) -> None:
    """A Monero wallet at a node over TLS: it asks for the height in a period and fetches when there is a block."""
    rng, period_s = talk.rng, talk.rng.choice([10, 20, 60, 90])
    question, height = 210 + rng.randrange(60), 330 + rng.randrange(40)
    blocks, last_s = list(talk.blocks("XMR")), 0.0
    for at in talk.every(period_s, 0.02):
        talk.ask(at, question, height + rng.choice([0, 0, 0, 1]))
        if any(last_s < block <= at for block in blocks):
            talk.ask(at + talk.rtt_s + 0.05, question + 90, rng.randrange(4_000, 30_000))
        last_s = at


def ticker(talk: Talk) -> None:
    """Prices of an exchange over WebSocket: one form, a few characters more or less, heartbeats."""
    rng, price = talk.rng, talk.server.trait("price", lambda r: 10 ** r.uniform(-2, 4.9))
    _upgraded(talk)
    talk.ask(
        0.4,
        _ws({"op": "subscribe", "args": [{"channel": "tickers", "instId": "BTC-USDT"}]}, UP),
        rng.randrange(60, 140),
    )
    pace_s = talk.server.trait("pace", lambda r: 10 ** r.uniform(0.7, 1.6))
    for at, what in talk.mixed(
        price=talk.poisson(pace_s), beat=talk.every(talk.server.trait("beat", lambda r: r.choice([20, 30, 60])))
    ):
        if what == "beat":
            talk.ask(at, framed(4, UP), framed(4, DOWN))
        else:
            price *= 1 + rng.gauss(0, 2e-4)
            data = {
                "instId": "BTC-USDT",
                "last": f"{price:.6g}",
                "lastSz": f"{rng.lognormvariate(-3, 2):.5g}",
                "ts": "1" * 13,
            }
            talk.say(at, DOWN, _ws({"arg": {"channel": "tickers", "instId": "BTC-USDT"}, "data": [data]}, DOWN))


def orders(talk: Talk) -> None:
    """Orders at an exchange, JSON-RPC over WebSocket: ids that grow, heartbeats asked by the server, fills pushed."""
    rng, number = talk.rng, 1
    _upgraded(talk)
    login = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "public/auth",
        "params": {"grant_type": "client_credentials", "client_id": "x" * 8},
    }
    talk.ask(0.4, _ws(login, UP) + 60, rng.randrange(420, 700))
    for at, what in talk.mixed(
        order=talk.poisson(10 ** rng.uniform(0.8, 2)), beat=talk.every(30), fill=talk.poisson(60)
    ):
        number += what != "fill"
        if what == "order":
            params = {
                "instrument_name": "BTC-PERPETUAL",
                "amount": rng.choice([10, 100, 2500]),
                "price": rng.randrange(50_000, 70_000),
            }
            question = {"jsonrpc": "2.0", "id": number, "method": "private/buy", "params": params}
            talk.ask(at, _ws(question, UP), _ws({"jsonrpc": "2.0", "id": number, "result": {"order": "x" * 520}}, DOWN))
        elif what == "beat":
            talk.say(at, DOWN, _ws({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}, DOWN))
            question = {"jsonrpc": "2.0", "id": number, "method": "public/test", "params": {}}
            talk.ask(
                at + 2e-3,
                _ws(question, UP),
                _ws({"jsonrpc": "2.0", "id": number, "result": {"version": "1.2.26"}}, DOWN),
            )
        else:
            talk.say(at, DOWN, framed(640 + rng.randrange(-6, 7), DOWN))


def depositary(talk: Talk) -> None:
    """An adversary: a custodian's feed in JSON lines that pushes with each block and is acknowledged at a length."""
    rng, number = talk.rng, 0
    talk.ask(0, text({"op": "hello", "token": "x" * 40}), text({"ok": True, "server": "x" * 12}))
    coin = talk.server.trait("coin", lambda r: r.choice(["XMR", "BTC", "ETC", "RVN"]))
    size = talk.server.trait("size", lambda r: r.randrange(200, 700))
    for at, what in talk.mixed(block=talk.blocks(coin), asked=talk.poisson(10 ** rng.uniform(0.9, 1.9))):
        if what == "block":
            talk.call(at, size, text({"ok": True}))
        else:
            number += 1
            talk.ask(at, text({"id": number, "op": "balance", "account": "x" * 34}), text({"id": number, "ok": True}))
