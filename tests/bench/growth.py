"""`make bench-growth`: what a replay takes as flows and packets become more, into docs/speed.md and a drawing.

Flows from ten thousand to four million of two packets each, then one to ten million packets of a hundred thousand
flows. What grows faster than its input shows as a line that bends upward. GROWTH_ROUNDS (3): the least of so many.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.bench_page import PAGE, write
from tests.bench.measure import Cost, Tool
from tests.bench.peers import FLOOR, floors, minewatch

FOLDER = Path(os.environ.get("BENCH_DIR", "build/bench")) / "growth"
ROUNDS = int(os.environ.get("GROWTH_ROUNDS", "3"))
FLOWS = (10_000, 100_000, 1_000_000, 2_000_000, 4_000_000)
PACKETS = (1_000_000, 2_000_000, 5_000_000, 10_000_000)
FLOWS_OF_PACKETS = 100_000
BLOCK = 100_000
#: All flows are there at once: none is idle for so long that it expires.
SPAN_US = 20_000_000
START_S = 1_772_409_600
RECORD = np.dtype(
    [
        ("seconds", "<u4"),
        ("micros", "<u4"),
        ("captured", "<u4"),
        ("length", "<u4"),
        ("ethernet", "S14"),
        ("ip", ">u2", 10),
        ("ports", ">u2", 2),
        ("sequence", ">u4", 2),
        ("flags", ">u2"),
        ("window", ">u2", 3),
        ("payload", "S10"),
    ]
)
FRAME_BYTES = RECORD.itemsize - 16
ETHERNET = bytes.fromhex("0200000000010200000000020800")


@dataclass(frozen=True)
class Point:
    """One capture, and what it took."""

    flows: int
    packets: int
    costs: dict[str, Cost]


def capture(flows: int, packets: int) -> Path:
    """A capture of so many flows of TCP, their packets in turn, the two sides alternating."""
    path = FOLDER / f"growth-{flows}-{packets}.pcap"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for first in range(0, packets, BLOCK):
            numbers = np.arange(first, min(first + BLOCK, packets), dtype=np.int64)
            out.write(records(numbers, flows, packets).tobytes())
    return path


def records(numbers: np.ndarray, flows: int, packets: int) -> np.ndarray:
    """The records of packets with these numbers."""
    out = np.zeros(len(numbers), RECORD)
    flow, turn = numbers % flows, numbers // flows
    micros = numbers * SPAN_US // packets
    out["seconds"], out["micros"] = START_S + micros // 1_000_000, micros % 1_000_000
    out["captured"] = out["length"] = FRAME_BYTES
    out["ethernet"] = ETHERNET
    miner, back = 0x0A000000 + flow // 50_000, (turn % 2).astype(bool)
    port = (10_000 + flow % 50_000).astype(np.uint16)
    server = 0xC0000200 + flow % 251
    source, target = np.where(back, server, miner), np.where(back, miner, server)
    ip = out["ip"]
    ip[:, :5] = 0x4500, FRAME_BYTES - 14, 0, 0x4000, 0x4006
    ip[:, 6], ip[:, 7], ip[:, 8], ip[:, 9] = source >> 16, source & 0xFFFF, target >> 16, target & 0xFFFF
    total = ip.astype(np.uint32).sum(axis=1)
    total = (total & 0xFFFF) + (total >> 16)
    ip[:, 5] = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    out["ports"][:, 0], out["ports"][:, 1] = np.where(back, 443, port), np.where(back, port, 443)
    sent = 10 * (turn // 2)
    out["sequence"][:, 0] = 1_000 + sent
    out["sequence"][:, 1] = 1_000 + sent + np.where(back, 10, 0)
    out["flags"], out["window"] = 0x5018, (501, 0, 0)
    out["payload"] = b"0123456789"
    return out


def points(sizes: Iterator[tuple[int, int]], tools: list[Tool]) -> list[Point]:
    """The least of some rounds for each size; a capture is deleted when it has been read."""
    found = []
    for flows, packets in sizes:
        path = capture(flows, packets)
        runs = {tool.name: [tool.run(path) for _ in range(ROUNDS)] for tool in tools}
        path.unlink()
        least = {name: min(filter(None, costs), key=lambda cost: cost.cpu) for name, costs in runs.items()}
        found.append(Point(flows, packets, least))
        print(f"{flows:,} flows, {packets:,} packets: {cells(found[-1])}", flush=True)
    return found


def cells(point: Point) -> str:
    """CPU and memory of one capture as cells of a table."""
    its = point.costs["minewatch"]
    if its.packets != point.packets:
        raise SystemExit(f"bench: {its.packets} packets read of {point.packets}")
    floor = f"{point.costs[FLOOR].cpu:.2f}" if FLOOR in point.costs else ""
    per = f"{its.cpu / point.packets * 1e9:.0f}"
    return f"{its.cpu:.2f} | {per} | {floor} | {its.rss_bytes / 1e6:.0f} | {its.rss_bytes / point.flows:.0f}"


def main() -> None:
    """Measure, draw, and write the page."""
    tools = [minewatch(1), *(tool for tool in floors(FOLDER.parent) if tool.name == FLOOR)]
    by_flows = points(((flows, 2 * flows) for flows in FLOWS), tools)
    by_packets = points(((FLOWS_OF_PACKETS, packets) for packets in PACKETS), tools)
    head = "| flows | packets | CPU s | ns a packet | floor gate, CPU s | RSS MB | RSS B a flow |"
    rows = [f"| {at.flows:,} | {at.packets:,} | {cells(at)} |" for at in (*by_flows, *by_packets)]
    drawing = PAGE.parent / "images" / "growth.svg"
    drawing.write_text(drawn(by_flows, by_packets), "utf-8")
    text = "\n".join([head, "|" + "---:|" * 7, *rows])
    write("growth", f"{text}\n\n![CPU and memory over flows and packets](images/growth.svg)")


def drawn(by_flows: list[Point], by_packets: list[Point]) -> str:
    """Three panels: CPU over flows, memory over flows, CPU over packets. Both axes are linear from 0."""
    cpu = [(at.flows / 1e6, at.costs["minewatch"].cpu) for at in by_flows]
    memory = [(at.flows / 1e6, at.costs["minewatch"].rss_bytes / 1e6) for at in by_flows]
    packets = [(at.packets / 1e6, at.costs["minewatch"].cpu) for at in by_packets]
    panels = [
        panel(cpu, 0, "CPU s over million flows"),
        panel(memory, 1, "RSS MB over million flows"),
        panel(packets, 2, "CPU s over million packets"),
    ]
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="250" font-family="sans-serif" font-size="12">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *panels, "</svg>", ""])


def panel(series: list[tuple[float, float]], place: int, title: str) -> str:
    """One panel with a point for each size, a line through them, and the straight line from 0 to the last."""
    left, top, width, height = 60 + 300 * place, 40, 210, 160
    most_x, most_y = max(x for x, _ in series), max(y for _, y in series)
    at = [(left + x / most_x * width, top + height - y / most_y * height) for x, y in series]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    return "\n".join(
        [
            f'<text x="{left}" y="{top - 14}" font-weight="bold">{title}</text>',
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#bbb"/>',
            f'<line x1="{left}" y1="{top + height}" x2="{at[-1][0]:.1f}" y2="{at[-1][1]:.1f}" stroke="#ddd"/>',
            f'<polyline points="{path}" fill="none" stroke="#2980b9" stroke-width="2"/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#2980b9"/>' for x, y in at),
            f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{most_y:.3g}</text>',
            f'<text x="{left - 6}" y="{top + height}" text-anchor="end">0</text>',
            f'<text x="{left + width}" y="{top + height + 18}" text-anchor="end">{most_x:g}</text>',
        ]
    )


if __name__ == "__main__":
    main()
