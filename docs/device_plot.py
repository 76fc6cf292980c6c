"""Draws joules a hash by year and class, one panel an algorithm, and writes the page of every row and its source.

Run by `make device-plot`; reads the shipped tables, writes docs/images/joules.svg and docs/devices.html.
"""

from __future__ import annotations

import math
from collections import defaultdict
from html import escape
from pathlib import Path

from sensor.signatures import load
from sensor.signatures.devices import DeviceRow

DOCS = Path(__file__).parent
COLOURS = {
    "asic": "#c0392b",
    "asic-hobby": "#e67e22",
    "gpu": "#27ae60",
    "cpu": "#2980b9",
    "server": "#8e44ad",
    "phone": "#16a085",
    "microcontroller": "#7f8c8d",
}
WIDTH, HEIGHT, ACROSS = 260, 170, 4
YEARS = (2012, 2027)


def panel(algorithm: str, rows: list[DeviceRow], left: int, top: int) -> list[str]:
    """One algorithm: a point for each device, log10 of joules a hash upward, years to the right."""
    logs = [math.log10(row.power_watts / row.hashrate_hps) for row in rows]
    low, high = math.floor(min(logs)), math.ceil(max(logs) + 0.01)
    out = [
        f'<rect x="{left + 40}" y="{top + 20}" width="{WIDTH - 60}" height="{HEIGHT - 50}" fill="none" stroke="#bbb"/>',
        f'<text x="{left + 40}" y="{top + 14}" font-weight="bold">{algorithm}</text>',
        f'<text x="{left + 40}" y="{top + HEIGHT - 16}">{YEARS[0]}</text>',
        f'<text x="{left + WIDTH - 45}" y="{top + HEIGHT - 16}">{YEARS[1]}</text>',
        f'<text x="{left + 2}" y="{top + 28}">1e{high}</text>',
        f'<text x="{left + 2}" y="{top + HEIGHT - 30}">1e{low}</text>',
    ]
    for row, value in zip(rows, logs, strict=True):
        if row.year is not None:
            x = left + 40 + (row.year - YEARS[0]) / (YEARS[1] - YEARS[0]) * (WIDTH - 60)
            y = top + 20 + (high - value) / (high - low) * (HEIGHT - 50)
            colour = COLOURS.get(row.device_class or "", "#000")
            out.append(f'<circle cx="{x:.0f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{row.model}</title></circle>')
    return out


def line_of(cells: tuple[str, ...]) -> str:
    """One line of a table."""
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def main() -> None:
    """Write the drawing and the page."""
    table = load().devices
    groups: defaultdict[str, list[DeviceRow]] = defaultdict(list)
    for row in table.devices:
        groups[row.algorithm].append(row)
    lines: list[str] = []
    for place, name in enumerate(sorted(groups)):
        lines += panel(name, groups[name], place % ACROSS * WIDTH, 30 + place // ACROSS * HEIGHT)
    for place, (name, colour) in enumerate(COLOURS.items()):
        lines.append(f'<text x="{10 + place * 110}" y="18" fill="{colour}">&#9679; {name}</text>')
    height = 30 + math.ceil(len(groups) / ACROSS) * HEIGHT
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * ACROSS}" height="{height}"'
    style = ' font-family="sans-serif" font-size="10">\n<rect width="100%" height="100%" fill="#fff"/>'
    (DOCS / "images" / "joules.svg").write_text("\n".join([head + style, *lines, "</svg>", ""]), "utf-8")
    page = ['<!doctype html><meta charset="utf-8"><title>Devices</title><h1>Devices</h1>']
    page += [
        "<p>Made by make device-plot from signatures/devices/.</p>",
        '<img src="images/joules.svg" alt="joules a hash">',
    ]
    titles = ("Model", "Class", "Algorithm", "J/hash", "W", "Year", "Confidence", "Source")
    page += ["<table border=1>", line_of(titles)]
    for row in sorted(table.devices, key=lambda row: (row.algorithm, row.model)):
        joules, watts = f"{row.power_watts / row.hashrate_hps:.3g}", f"{row.power_watts:g}"
        year = str(row.year or "unknown")
        page.append(
            line_of((row.model, str(row.device_class), row.algorithm, joules, watts, year, row.confidence, row.source))
        )
    page += ["</table>", "<h2>Ranges</h2>", "<table border=1>"]
    page.append(line_of(("Algorithms", "Classes", "Low J/hash", "Typical", "High", "Confidence", "Source")))
    for entry in table.ranges:
        part = entry.efficiency
        figures = (f"{part.low_joules:.3g}", f"{part.joules:.3g}", f"{part.high_joules:.3g}")
        names = (", ".join(entry.algorithms), ", ".join(entry.classes))
        page.append(line_of((*names, *figures, part.confidence, part.source)))
    (DOCS / "devices.html").write_text("\n".join([*page, "</table>", ""]), "utf-8")


if __name__ == "__main__":
    main()
