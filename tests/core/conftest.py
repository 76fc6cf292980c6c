"""Both cores behind one fixture: whatever a test says of a core, it says of the reference and of the compiled one."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sensor.model.events import Chunk, Close, End, Event, Hit, Open
from tests.core.captures import RAW_IPV4, Packet, pcap

MODULES = {"reference": "sensor.reference", "compiled": "sensor._core"}
LITERALS = [b'"mining.', b"eth_submit", b"eth_getWork", b'"job_id"', b'"keepalived"']
Openings = list[tuple[int, int, list[tuple[int, int]], int]]
OPENINGS: Openings = [
    (6, 0, [(0x7B, 0x7B)], 16_384),
    (6, 0, [(0xF9, 0xF9), (0xBE, 0xBE), (0xB4, 0xB4), (0xD9, 0xD9)], 4_096),
    (6, 0, [(0, 5), (0, 255), (4, 4)], 2_048),
    (17, 97, [(1, 6), (0xC0, 0xFF)], 4_096),
]
#: A first flight and its answer as Stratum V2 over Noise has them, and one that random traffic has, too.
FLIGHTS = [(64, 234), (1, 2)]


class Result(NamedTuple):
    """All that came out of a core."""

    events: list[Event]
    stats: dict[str, int]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    @property
    def open(self) -> Open:
        (event,) = self.of(Open)
        return event

    @property
    def close(self) -> Close:
        (event,) = self.of(Close)
        return event

    @property
    def end(self) -> End:
        (event,) = self.of(End)
        return event

    @property
    def chunks(self) -> list[Chunk]:
        return self.of(Chunk)

    @property
    def hits(self) -> list[Hit]:
        return self.of(Hit)

    def stream(self, direction: int) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks if chunk.direction == direction)


class Engine:
    """One core's module, and the few lines that run it to the end."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.module: Any = importlib.import_module(MODULES[name])
        self._folder = folder
        self._numbers = itertools.count()

    def core(
        self,
        *,
        literals: list[bytes] | None = None,
        openings: Openings | None = None,
        flights: list[tuple[int, int]] | None = None,
        names: list[bytes] | None = None,
        **limits: int,
    ) -> Any:
        tables = self.module.Tables(
            LITERALS if literals is None else literals,
            OPENINGS if openings is None else openings,
            flights or FLIGHTS,
            names,
        )
        return self.module.Core(tables, self.module.Limits(**{"thin_flows": 200_000, **limits}))

    def file(self, content: bytes) -> str:
        path = self._folder / f"{self.name}-{next(self._numbers)}.pcap"
        path.write_bytes(content)
        return str(path)

    def run(self, *sources: str, exclude: tuple[Any, Any] = ((), ()), **options: Any) -> Result:
        core = self.core(**options)
        core.exclude(*map(list, exclude))
        for source in sources:
            core.attach(source)
        core.finish()
        events: list[Event] = []
        while not core.finished:
            events += core.poll(1_024, 100)
        stats = core.stats()
        core.close()
        assert stats["packets"] == stats["segments"] + stats["excluded"] + sum(
            count for name, count in stats.items() if name.startswith("ignored_")
        )
        assert stats["flows"] == stats["candidates"] == stats["thin_flows"] == 0
        return Result(events, stats)

    def bytes(self, content: bytes, **options: Any) -> Result:
        return self.run(self.file(content), **options)

    def packets(self, packets: Sequence[Packet], link: int = RAW_IPV4, **options: Any) -> Result:
        path = self.file(pcap(packets, link))
        try:
            return self.run(path, **options)
        finally:
            Path(path).unlink()


def compiled_is_there() -> bool:
    try:
        importlib.import_module(MODULES["compiled"])
    except ImportError:
        return False
    return True


needs_compiled = pytest.mark.skipif(not compiled_is_there(), reason="the compiled core (sensor._core) is not built")


@pytest.fixture(params=["reference", pytest.param("compiled", marks=needs_compiled)], scope="session")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(request.param, tmp_path_factory.mktemp("captures"))


@pytest.fixture(scope="session")
def engine_named(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Engine]:
    return lambda name: Engine(name, tmp_path_factory.mktemp("captures"))


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "captures"
    if not folder.is_dir():
        pytest.skip(f"the shared captures are not at {folder}")
    return folder
