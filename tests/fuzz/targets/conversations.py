"""Targets behind the core: readers of each framing, wrappings, dialects, drafts, nodes, logins, blanking."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache, partial

from sensor.dialects.conversation import Conversation
from sensor.dialects.nodes import StreamHeads, read_datagram, read_tcp
from sensor.dialects.registry import LINE_EXITS, LINE_EXITS_JOINED, READERS
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.dialects.stream.reader import FramingReader, Reader, Start
from sensor.evidence.blanking import blanked
from sensor.line.draft.document import DraftError, draft
from sensor.line.draft.transcript import Transcripts
from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Close, Event, Open
from sensor.signatures import SignatureSet, load
from sensor.wallets import identify
from tests.fuzz.mutation import altered_line
from tests.fuzz.targets.target import BrokenPropertyError, Target, pieces_of, said, script
from tests.reliability.held import held_bytes

#: One direction may hold so much: the bound of docs/reliability.md.
MAX_HELD_BYTES = 65_536 + 4_096
START_NS = 1_772_438_400_000_000_000
STEP_NS = 1_000_000
SOCKS5 = [
    (0, bytes.fromhex("050100")),
    (1, bytes.fromhex("0500")),
    (0, bytes.fromhex("05010003") + b"\x0cpool.example" + (3333).to_bytes(2, "big")),
    (1, bytes.fromhex("05000001000000000000")),
]
WRAPPED = (
    SOCKS5,
    [(0, bytes.fromhex("04010d05cb007105") + b"user\0"), (1, bytes.fromhex("005a0d05cb007105"))],
    [(0, b"CONNECT pool.example:3333 HTTP/1.1\r\nHost: pool.example\r\n\r\n"), (1, b"HTTP/1.1 200 OK\r\n\r\n")],
    [(0, b"PROXY TCP4 198.51.100.10 203.0.113.5 40001 3333\r\n")],
    [(0, b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c" + bytes.fromhex("c633640acb0071059c410d05"))],
)


@cache
def signatures() -> SignatureSet:
    return load()


@cache
def dialogues(framing: str | None = None) -> list[list[tuple[int, bytes]]]:
    """What examples and counterexamples of the signatures say; of one framing, or of all."""
    chosen = [one for one in signatures().dialects if framing is None or framing in one.framings]
    return [
        [(line.direction, line.data) for line in example.dialogue]
        for signature in (*chosen, *(signatures().nodes if framing is None else ()))
        for example in signature.header.examples
        if example.dialogue
    ]


def _conversations() -> list[bytes]:
    plain = [said(lines) for lines in dialogues()]
    first = dialogues()[0]
    wrapped = [said([*wrapping, *first]) for wrapping in WRAPPED]
    return [*plain, *wrapped, *(said(lines, joined=True) for lines in dialogues()[::7]), said(first, cut=True)]


def _check_reads(reads: Iterator[Read]) -> None:
    for read in reads:
        if isinstance(read, Message) and not isinstance(read.value, dict):
            raise BrokenPropertyError(f"a message is no map: {type(read.value)}")
        if isinstance(read, Malformed) and not read.reason:
            raise BrokenPropertyError("a malformed piece without a reason")


def _feed_reader(declared: FramingReader, data: bytes) -> None:
    """Both directions of one framing, without what other framings it would go on with."""
    readers: list[Reader | None] = [None, None]
    offsets = [0, 0]
    shared = None if declared.shared is None else declared.shared()
    for number, piece in enumerate(pieces_of(data)):
        side = piece.direction
        reader = readers[side]
        if reader is None:
            exits = LINE_EXITS_JOINED if piece.joined else LINE_EXITS
            reader = readers[side] = declared.open(Start(side, offsets[side], piece.joined, exits), shared)
        if reader.left is not None:
            continue
        offsets[side] += piece.gap
        _check_reads(reader.feed(START_NS + number * STEP_NS, offsets[side], piece.gap, piece.data))
        offsets[side] += len(piece.data)
    for reader in readers:
        if reader is not None:
            _check_held(reader)
            _check_reads(reader.finish())


def _check_held(reader: object) -> None:
    held = held_bytes(reader)
    if held > 2 * MAX_HELD_BYTES:  # a reader may see what both directions share
        raise BrokenPropertyError(f"{type(reader).__name__} holds {held} bytes")


def _feed_conversation(data: bytes) -> None:
    """Wrappings and changes of framing; and the heads of what may be a node's stream."""
    conversation: Conversation | None = None
    heads, offsets = StreamHeads(), [0, 0]
    for number, piece in enumerate(pieces_of(data)):
        conversation = conversation or Conversation(piece.joined)
        side = piece.direction
        heads.add(side, piece.data)
        offsets[side] += piece.gap
        at_ns = START_NS + number * STEP_NS
        _check_reads(conversation.feed(side, at_ns, offsets[side], piece.gap, piece.data))
        offsets[side] += len(piece.data)
    if conversation is not None:
        _check_held(conversation)
        _check_reads(conversation.finish())
        repr(conversation.carriage)
    for node in signatures().nodes:
        read_tcp(node, heads.pair)
        read_datagram(node, bytes(heads.pair[0].data))


def events(data: bytes) -> Iterator[Event]:
    """One flow as a core gives it, with these pieces for its chunks."""
    offsets, number, at_ns = [0, 0], 0, START_NS
    ends = bytes([198, 51, 100, 10]), 40_001, bytes([203, 0, 113, 5]), 3_333
    for number, piece in enumerate(pieces_of(data)):
        at_ns = START_NS + number * STEP_NS
        if not number:
            yield Open(1, at_ns, 6, *ends, "syn", piece.joined, at_ns, (), "-")
        offset = offsets[piece.direction] + piece.gap
        yield Chunk(1, at_ns, piece.direction, offset, piece.gap, piece.data, 1_000)
        offsets[piece.direction] = offset + len(piece.data)
    yield Close(1, at_ns, "fin", START_NS, at_ns, (number, number), (offsets[0], offsets[1]), 0, 0)


def _feed_dialects(data: bytes) -> None:
    """The line from chunks to findings, once as in a replay and once as in the daemon."""
    for reporting in (None, ReportingSettings()):
        pipeline = Pipeline(signatures(), reporting=reporting)
        pipeline.step(events(data))
        pipeline.step([], START_NS + 3_600_000_000_000)
        for record in pipeline.finish():
            repr(record)


def _alter_messages(rng: random.Random, seeds: list[bytes]) -> bytes:
    """A conversation with some of its lines altered, left out, doubled or moved."""
    pieces = list(pieces_of(rng.choice(seeds)))[:200]
    for _ in range(rng.randrange(1, 5)):
        if not pieces:
            break
        place, how = rng.randrange(len(pieces)), rng.randrange(8)
        piece = pieces[place]
        if how == 0:
            del pieces[place]
        elif how == 1:
            pieces[place:place] = [piece] * rng.choice((1, 60))
        elif how == 2:
            pieces[place] = piece._replace(direction=1 - piece.direction, gap=rng.choice((0, 7)))
        elif how == 3:
            pieces.insert(rng.randrange(len(pieces)), rng.choice(list(pieces_of(rng.choice(seeds))) or [piece]))
        else:
            pieces[place] = piece._replace(data=altered_line(rng, piece.data)[:20_000])
    return script(pieces[:400])


def _feed_draft(data: bytes) -> None:
    found = Transcripts()
    found.step(events(data))
    for transcript in found.finish():
        str(transcript)
        try:
            draft(transcript, signatures())
        except DraftError:
            continue


def _feed_login(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    identify(text, signatures().wallets)
    signatures().agents.lookup(text)


def _logins() -> list[bytes]:
    found = [line for lines in dialogues("json-lines") for _, data in lines for line in data.split(b'"')]
    return sorted({line for line in found if 8 < len(line) < 200})


def _feed_blanking(data: bytes) -> None:
    for from_start in (True, False):
        if len(blanked(data, signatures(), from_start=from_start)) != len(data):
            raise BrokenPropertyError("blanking changed the length")


def _reader_seeds(name: str) -> list[bytes]:
    return [said(lines) for lines in dialogues(name)] or [said([(0, b"GET / HTTP/1.1\r\n\r\n"), (1, b"{}\n")])]


def _lines() -> list[bytes]:
    return [b"".join(data for _, data in lines) for lines in dialogues("json-lines")]


def targets() -> Iterator[Target]:
    for name, declared in READERS.items():
        yield Target(f"reader-{name}", partial(_feed_reader, declared), partial(_reader_seeds, name), 120)
    yield Target("conversation", _feed_conversation, _conversations, 300)
    yield Target("dialects", _feed_dialects, _conversations, 220, _alter_messages)
    yield Target("streams", _feed_dialects, _conversations, 80)
    yield Target("draft", _feed_draft, lambda: [said(lines) for lines in dialogues("json-lines")], 12, _alter_messages)
    yield Target("login", _feed_login, _logins, 150)
    yield Target("blanking", _feed_blanking, _lines, 60)
