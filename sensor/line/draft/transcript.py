"""The conversations in JSON lines of a capture, flow by flow, as far as a signature is drafted from them. Sans-IO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sensor.dialects.conversation import Conversation
from sensor.dialects.stream.message import DEFAULT_FRAMING, Message
from sensor.dialects.unknown.verbs import verb_in
from sensor.line.flow_facts import TCP, flow_key
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.text import endpoint_text

#: Conversations of one capture that are held, messages of one of them, and of all.
MAX_TRANSCRIPTS, MAX_HELD, MAX_ALL = 4_096, 400, 100_000
#: Verbs named in a list of flows.
MAX_VERBS = 6


@dataclass(slots=True)
class Transcript:
    """The messages of one flow in their order; direction 0 is the originator's."""

    originator: str  # address:port
    responder: str
    community_id: str
    messages: list[Message] = field(default_factory=list)
    left_out: int = 0  # messages past the bound

    @property
    def flow(self) -> str:
        """What the flow is called: both ends, the originator first."""
        return f"{self.originator}-{self.responder}"

    @property
    def is_dialogue(self) -> bool:
        """Whether both sides spoke."""
        return {message.direction for message in self.messages} == {0, 1}

    @property
    def verbs(self) -> tuple[str, ...]:
        """The methods that were met, in order of their first use."""
        found = [verb.text for message in self.messages if (verb := verb_in(message.value)) is not None]
        return tuple(dict.fromkeys(found))

    def is_called(self, name: str) -> bool:
        """Whether it is meant: by both ends in either order, or by its Community ID."""
        return name in (self.flow, f"{self.responder}-{self.originator}", self.community_id)

    def __str__(self) -> str:
        verbs = self.verbs
        more = f" and {len(verbs) - MAX_VERBS} more" if len(verbs) > MAX_VERBS else ""
        named = ", ".join(verbs[:MAX_VERBS]) or "no methods"
        return f"{self.flow}  {len(self.messages) + self.left_out} messages: {named}{more}"


class Transcripts:
    """The conversations of the events of one capture."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[Transcript, Conversation]] = {}
        self._found: list[Transcript] = []
        self._held = 0  # messages

    def step(self, events: Iterable[Event]) -> None:
        """Take events in their order."""
        for event in events:
            if isinstance(event, Open) and event.proto == TCP and len(self._found) < MAX_TRANSCRIPTS:
                self._begin(event)
            elif isinstance(event, Chunk) and event.flow in self._open:
                transcript, conversation = self._open[event.flow]
                reads = conversation.feed(event.direction, event.ts_ns, event.offset, event.gap, event.data)
                self._take(transcript, reads)
            elif isinstance(event, Close) and event.flow in self._open:
                transcript, conversation = self._open.pop(event.flow)
                self._take(transcript, conversation.finish())

    def finish(self) -> Sequence[Transcript]:
        """Those in which both sides spoke JSON lines, in the order in which they began."""
        for transcript, conversation in self._open.values():
            self._take(transcript, conversation.finish())
        self._open.clear()
        return [transcript for transcript in self._found if transcript.is_dialogue]

    def _begin(self, event: Open) -> None:
        key = flow_key(event, 0, event.first_ns)
        ends = endpoint_text(key.src_ip, key.src_port), endpoint_text(key.dest_ip, key.dest_port)
        transcript = Transcript(*ends, key.community_id)
        self._found.append(transcript)
        self._open[event.flow] = transcript, Conversation(event.midstream)

    def _take(self, transcript: Transcript, reads: Iterable[object]) -> None:
        for read in reads:
            if not isinstance(read, Message) or read.framing != DEFAULT_FRAMING:
                continue
            if len(transcript.messages) < MAX_HELD and self._held < MAX_ALL:
                transcript.messages.append(read)
                self._held += 1
            else:
                transcript.left_out += 1
