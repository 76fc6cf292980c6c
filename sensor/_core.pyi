"""The border: what a core offers. The compiled core (`sensor._core`, Rust) and the reference core (`sensor.reference`)
are both this.

    core = Core(tables, limits)
    core.attach("monday.pcap", full="wait")
    while events := core.poll(1024, 100) ...

A core reads sources on its own thread (compiled) or inside `poll` (reference), decodes, keeps the flow table, and hands
over events only for flows that passed a gate, and of encrypted sessions. docs/border.md is the full text.

Of an encrypted session (`sensor.model.encrypted`) these come, in this order, in any of their number:

    EncryptedOpen       its ends; right when its first bytes are known to be TLS, or when it was joined
    ClientHello         SNI, ALPN, JA3, JA4, versions; of every session whose hello was seen whole
    ServerHello         version and cipher suite
    ServerCertificate   up to TLS 1.2
    Records             lengths and times; the first batch after a minute, of sessions with at most 120 records in it;
                        later batches of 16, or what came in a minute
    EncryptedClose      its flow left, or it is followed no more ("fat", "evicted")

So of a short session whose name nobody asks for there is nothing; of one that is listed, or has no name, there are an
open, two hellos and a close; of what is long and thin there are its records.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from sensor.model.events import Event
from sensor.model.gate_opening import GateOpening

ENGINE: Literal["compiled", "reference"]
COMPILER: str  # what built the core, for people; the compiled core only

LIMITS: Mapping[str, int]  # names and defaults of `Limits`; the compiled core only

class CaptureError(Exception):
    """A source cannot be opened or read: `source`, `reason`, `offset` (bytes)."""

    source: str
    reason: str
    offset: int

class Tables:
    """What the prefilter looks for.

    literals: byte strings of 4 to 16 bytes looked for anywhere in TCP payload.
    openings: (proto, at, pattern, budget_bytes): the first payload of a direction, from byte `at` on, has every byte
    within its (low, high) pair of `pattern` (1 to 16 pairs; for TCP `at + len(pattern) <= 16`). Or a whole
    `sensor.model.gate_opening.GateOpening`: with most_bytes, answers and unless behind these.
    flights: (first, answer): one side's first flight has exactly so many bytes, and the other's answer so many; a Shape
    event reports it.
    names: suffixes of whole labels, in lower case; what is said of other names is kept back (docs/border.md, "Ordinary
    names"). None: every name is asked for.
    """

    def __init__(
        self,
        literals: list[bytes],
        openings: Sequence[GateOpening | tuple[int, int, Sequence[tuple[int, int]], int]],
        flights: list[tuple[int, int]] = ...,
        names: list[bytes] | None = ...,
    ) -> None: ...

class Limits:
    """Bounds of everything the network feeds. All keyword-only; `LIMITS` has the defaults.

    Raises TypeError for a name that is no limit, OverflowError or ValueError for a value that is out of bounds.
    """

    def __init__(
        self,
        *,
        workers: int = ...,
        flows: int = ...,
        candidates: int = ...,
        session_bytes: int = ...,
        reorder_bytes: int = ...,
        reorder_segments: int = ...,
        held_bytes: int = ...,
        thin_flows: int = ...,
        thin_bytes: int = ...,
        fragments: int = ...,
        fragment_bytes: int = ...,
        queue_events: int = ...,
        queue_bytes: int = ...,
        tcp_timeout_s: int = ...,
        tcp_new_timeout_s: int = ...,
        closed_timeout_s: int = ...,
        udp_timeout_s: int = ...,
        candidate_timeout_s: int = ...,
    ) -> None: ...

class Core:
    def __init__(self, tables: Tables, limits: Limits) -> None: ...
    def attach(
        self,
        source: str,
        *,
        full: Literal["drop", "wait"] = "wait",
        promiscuous: bool = True,
        ring_bytes: int = 67_108_864,
        snaplen: int = 0,
        filter: Sequence[tuple[int, int, int, int]] = (),
        cpus: Sequence[int] = (),
    ) -> None:
        """Open a capture file (or '-' for standard input) now and queue it for reading; or listen to an interface,
        "iface:NAME".

        With `full="drop"` a full queue drops Chunk, Hit and Shape, and of encrypted sessions all but open and close,
        counted; with "wait" it makes the reading wait. The rest is for interfaces: bytes of the kernel's rings (one
        for each queue), bytes kept of a packet (0: all), a filter of classic BPF instructions (code, jt, jf, k), the
        processors that the queues' threads are bound to in turn. Captures and interfaces do not share a core.

        Raises CaptureError if the source cannot be opened, is empty, or is not a capture.
        """
    def poll(self, max_events: int, timeout_ms: int) -> list[Event]:
        """Up to max_events events, waiting at most timeout_ms for the first. The GIL is released while waiting.

        Raises RuntimeError if a capture thread died.
        """
    def finish(self) -> None:
        """No source follows: once all attached ones are read, every flow is closed ("end") and `finished` becomes true.

        Interfaces end here: nothing more is taken in, what is in their rings is still read.
        """
    @property
    def finished(self) -> bool:
        """finish() was called, everything is read and closed, and poll() has handed out the last event."""
    def replace(self, tables: Tables) -> None:
        """Swap the tables between packets; flows already open stay open."""
    def exclude(self, networks: list[tuple[bytes, int]], ports: list[int]) -> None:
        """Leave out segments with an end in one of the networks (address, prefix length) or at one of the ports; they
        count as `excluded`.

        Replaces what was excluded before; an empty list excludes nothing. Raises ValueError for what is no network.
        """
    def dismiss(self, flow: int) -> None:
        """No more is wanted of a flow's bytes: its gate is shut for good, from one of the next packets on, and what
        comes after that is not looked at. Its Close comes as ever.

        A number that no candidate has changes nothing.
        """
    def interfaces(self) -> dict[str, dict[str, int]]:
        """Figures of each interface ever attached, by name; the keys are in docs/border.md, "Counters"."""
    def stats(self) -> dict[str, int]:
        """Counters since the start, by the names in docs/border.md."""
    def close(self) -> None:
        """Stop reading and drop everything. Idempotent."""

def bench(source: str, step: str, tables: Tables, limits: Limits) -> tuple[int, int, float]:
    """Run one step of the core alone over a capture held in memory: (packets, bytes, seconds).

    Steps: walk, decode, flow, scan, all.
    """

def confine(
    read: Sequence[str],
    write: Sequence[str],
    connect_ports: Sequence[int],
    packet_sockets: bool,
    capabilities: Sequence[str],
) -> tuple[int, bool, bool, bool, bool]:
    """Restrict this process for good, before it has threads; the compiled core only.

    Files below `read` may be read, those below `write` also written, made and removed; TCP may be connected to these
    ports; packet sockets may be opened or not; of the capabilities it has, these are kept. No program is started, no
    child, nothing listened on.
    Returns the ABI of Landlock in force (0: none), whether it restricts ports, whether it holds for threads that were
    there before, whether the filter of system calls is in force, and whether the other capabilities are gone. Raises
    RuntimeError where the kernel refuses.
    """
