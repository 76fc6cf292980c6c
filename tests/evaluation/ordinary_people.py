"""Ordinary sessions of people and their programs: chats, mail, calls, desktops, notebooks, editors."""

from __future__ import annotations

from tests.evaluation.mining_randomx import framed, text
from tests.evaluation.talk import DOWN, UP, Talk, digits


def _ws(value: object, side: int) -> int:
    return framed(text(value) - 1, side)


def jupyter(talk: Talk) -> None:
    """A notebook's kernel over WebSocket: cells run at random, each with status, input, output; a ping every 30 s."""
    rng, counter = talk.rng, 0
    talk.ask(0, 700 + rng.randrange(300), 140 + rng.randrange(60))
    head = 430 + rng.randrange(40)
    for at, what in talk.mixed(cell=talk.bursts(240, 5, 8.0), ping=talk.every(30, 0.001)):
        if what == "ping":
            talk.call(at, framed(0, DOWN), framed(0, UP))
            continue
        counter += 1
        talk.say(at, UP, head + int(rng.lognormvariate(4.5, 1)))
        answered = at + talk.rtt_s
        talk.say(answered, DOWN, head + 30, head + 60 + digits(counter) + int(rng.lognormvariate(4.5, 1)))
        done = answered + rng.expovariate(1 / 2)
        talk.say(done, DOWN, head + 80 + int(rng.lognormvariate(5, 1)), head + 31, head + 120 + digits(counter))


def desktop_idle(talk: Talk) -> None:
    """A remote desktop that nobody uses: the clock on its screen, keepalives, some mouse now and then."""
    rng = talk.rng
    talk.ask(0, 420 + rng.randrange(60), 110 + rng.randrange(60))
    clock = talk.server.trait("clock", lambda r: r.randrange(180, 420))
    for at, what in talk.mixed(
        clock=talk.every(60, 0.0005), keep=talk.every(rng.choice([20, 45])), mouse=talk.bursts(500, 25, 0.3)
    ):
        if what == "clock":
            talk.say(at, DOWN, clock + rng.randrange(-18, 19))
        elif what == "keep":
            talk.ask(at, 12, 12)
        else:
            talk.say(at, UP, 12 + 7 * rng.randrange(1, 3))
            if rng.random() < 0.5:
                talk.say(at + talk.rtt_s, DOWN, 60 + int(rng.lognormvariate(4, 1)))


def chat(talk: Talk) -> None:
    """A chat of a company over WebSocket: pings with ids that grow, answered by them; messages, people who type."""
    rng, number = talk.rng, 0
    talk.ask(0, 800 + rng.randrange(400), 240 + rng.randrange(60))
    talk.say(
        0.4, DOWN, _ws({"type": "hello", "fast_reconnect": False, "region": "eu-west-1", "host_id": "x" * 24}, DOWN)
    )
    for at, what in talk.mixed(
        ping=talk.every(30, 0.002), message=talk.poisson(150), types=talk.poisson(200), mine=talk.poisson(600)
    ):
        if what == "ping":
            number += 1
            talk.ask(at, _ws({"type": "ping", "id": number}, UP), _ws({"type": "pong", "reply_to": number}, DOWN))
        elif what == "mine":
            number += 1
            words = "x" * int(rng.lognormvariate(3.5, 0.8))
            message = {"id": number, "type": "message", "channel": "C" + "0" * 10, "text": words}
            talk.ask(at, _ws(message, UP), _ws({"ok": True, "reply_to": number, "ts": "1" * 17, "text": words}, DOWN))
        else:
            talk.say(at, DOWN, framed((400 + int(rng.lognormvariate(4, 0.9))) if what == "message" else 112, DOWN))


def push_service(talk: Talk) -> None:
    """A phone's push service: pings in a period that grows, notices at random, each acknowledged."""
    rng, ping_s = talk.rng, talk.rng.choice([60, 240, 540])
    talk.ask(0, 320 + rng.randrange(120), 160 + rng.randrange(60))
    for at, what in talk.mixed(ping=talk.every(ping_s, 0.02), notice=talk.poisson(10 ** rng.uniform(1.7, 2.6))):
        if what == "ping":
            talk.ask(at, 5, 5)
        else:
            talk.call(at, 180 + int(rng.lognormvariate(5, 0.7)), 29)


def sip(talk: Talk) -> None:
    """A telephone over TLS: registrations that count, OPTIONS of the server, keepalives of two line ends."""
    rng, count, theirs = talk.rng, 1, 100 + talk.rng.randrange(800)
    question, answer = 560 + rng.randrange(120), 430 + rng.randrange(90)
    refresh_s = rng.choice([50, 110, 280])
    for at, what in talk.mixed(
        register=talk.every(refresh_s, 0.01, 0.0), options=talk.every(30, 0.002), keep=talk.every(25)
    ):
        if what == "register":
            talk.ask(at, question + digits(count), answer + digits(count))
            count += 1
        elif what == "options":
            theirs += 1
            talk.call(at, 380 + digits(theirs), 350 + digits(theirs))
        else:
            talk.ask(at, 4, 2)


def imap(talk: Talk) -> None:
    """Mail with IDLE: tags that grow, "still here" every two minutes, new mail fetched."""
    rng, tag = talk.rng, 3
    talk.say(0.0, DOWN, 90 + rng.randrange(60))
    for order, size in enumerate((30 + rng.randrange(40), 22, 20)):
        talk.ask(0.1 + order * 0.4, size, 60 + rng.randrange(250))
    talk.ask(2, digits(tag) + 1 + 7, 10)
    for at, what in talk.mixed(still=talk.every(120, 0.001), mail=talk.poisson(700), again=talk.every(840, 0.01)):
        if what == "still":
            talk.say(at, DOWN, 16)
            continue
        if what == "mail":
            talk.say(at, DOWN, 15, 13)
        talk.ask(at + 0.2, 6, digits(tag) + 1 + 22)
        if what == "mail":
            tag += 1
            talk.ask(at + 0.6, digits(tag) + 1 + 50, 900 + int(rng.lognormvariate(7.5, 1)))
        tag += 1
        talk.ask(at + 1.4, digits(tag) + 1 + 7, 10)


def xmpp(talk: Talk) -> None:
    """XMPP with stream management: acknowledgements that count what came."""
    rng, came, went = talk.rng, 0, 0
    talk.ask(0, 160 + rng.randrange(40), 480 + rng.randrange(60))
    talk.ask(0.5, 130 + rng.randrange(60), 51)
    for at, what in talk.mixed(
        theirs=talk.poisson(10 ** rng.uniform(1.2, 2.2)), mine=talk.poisson(300), ping=talk.every(60, 0.01)
    ):
        if what == "theirs":
            came += 1
            talk.call(
                at, 210 + int(rng.lognormvariate(3.6, 0.8)) + 26, len("<a xmlns='urn:xmpp:sm:3' h=''/>") + digits(came)
            )
        else:
            went += 1
            extra = int(rng.lognormvariate(3.6, 0.8)) if what == "mine" else 0
            talk.ask(at, 190 + extra + 26, len("<a xmlns='urn:xmpp:sm:3' h=''/>") + digits(went))


def game(talk: Talk) -> None:
    """A game of turns: states pushed, moves of few lengths, a heartbeat with a number that grows."""
    rng, number = talk.rng, 0
    talk.ask(0, 200 + rng.randrange(90), 500 + rng.randrange(900))
    state = talk.server.trait("state", lambda r: r.randrange(90, 400))
    for at, what in talk.mixed(beat=talk.every(20, 0.01), move=talk.poisson(40), theirs=talk.poisson(30)):
        if what == "beat":
            number += 1
            talk.ask(at, 20 + digits(number), 20 + digits(number))
        elif what == "move":
            talk.ask(at, rng.choice([34, 38, 52]), state + 4 * rng.randrange(0, 9))
        else:
            talk.say(at, DOWN, state + 4 * rng.randrange(0, 9))


def editor(talk: Talk) -> None:
    """A language server over TLS: requests with ids that grow, in bursts as somebody types; diagnostics pushed."""
    rng = talk.rng
    path = "x" * rng.randrange(20, 90)
    wrap = len("Content-Length: 123\r\n\r\n") - 1
    talk.ask(0, 2_000 + rng.randrange(900), 1_200 + rng.randrange(900))
    for number, at in enumerate(talk.bursts(300, 14, 0.9), start=1):
        method = rng.choice(["textDocument/completion", "textDocument/hover", "textDocument/signatureHelp"])
        place = {"line": rng.randrange(1, 900), "character": rng.randrange(0, 80)}
        params = {"textDocument": {"uri": path}, "position": place}
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        result = None if rng.random() < 0.5 else "x" * int(rng.lognormvariate(6, 1))
        changed = 150 + len(path) + rng.randrange(12)
        talk.say(at, UP, changed, wrap + text(question))
        answer = wrap + text({"jsonrpc": "2.0", "id": number, "result": result})
        talk.say(at + talk.rtt_s + rng.expovariate(20), DOWN, answer)
        if rng.random() < 0.3:
            talk.say(at + talk.rtt_s + 0.3, DOWN, wrap + 120 + len(path) + 180 * rng.randrange(0, 4))


def model_context(talk: Talk) -> None:
    """Tools of an assistant (MCP): JSON-RPC with ids that grow over HTTP, answers and progress as server-sent events,
    a comment every 15 s."""
    rng, number = talk.rng, 1
    head = 260 + rng.randrange(200)
    wrap = len("event: message\ndata: \n\n") - 1
    talk.ask(0, head + 210, 320 + rng.randrange(200))
    for at, what in talk.mixed(call=talk.poisson(10 ** rng.uniform(1.3, 2.0)), quiet=talk.every(15)):
        if what == "quiet":
            talk.say(at, DOWN, 15)
            continue
        number += 1
        params = {"name": rng.choice(["search", "read_file", "run"]), "arguments": {"q": "x" * rng.randrange(4, 60)}}
        question = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        content = [{"type": "text", "text": "x" * int(rng.lognormvariate(5.5, 1))}]
        result = {"jsonrpc": "2.0", "id": number, "result": {"content": content}}
        talk.ask(at, head + text(question), wrap + text(result), takes_s=rng.expovariate(1))
