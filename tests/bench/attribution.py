"""Attributor at full size: a million allocations loaded from a book, a million questions against brute force, and a big
spreadsheet.

Run as `python -m tests.bench.attribution`; `ROWS` and `SHEET_ROWS` in the environment change the sizes. The rows
have time, ports and VRF; a twentieth of the addresses are translators with 63 blocks of ports. Brute force compares
rows by numpy, without any tree, and must give the same rows in the same order.
"""

from __future__ import annotations

import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sensor.attribution import Attributor, load_books
from sensor.attribution.index.ranges import address_text
from sensor.attribution.settings import AttributionSettings
from sensor.attribution.sources.inventory import Config

ROWS = int(os.environ.get("ROWS", "1000000"))
SHEET_ROWS = int(os.environ.get("SHEET_ROWS", "100000"))
NS = 1_000_000_000
EPOCH_2015, DAYS = 1_420_070_400, 4_000
VRFS = ("", "", "", "red", "blue")
HEAD = (
    "first",
    "last",
    "organisation",
    "nature",
    "address",
    "use",
    "valid_from",
    "valid_until",
    "vrf",
    "port_first",
    "port_last",
)


def rows(count: int, rng: random.Random) -> Iterator[tuple[str, ...]]:
    """A book: /24 and /56 blocks, inside them customers' ranges that change hands, and translators."""
    made = 0
    while made < count:
        six = rng.random() < 0.2
        version, unit = (6, 72) if six else (4, 8)
        net = (0x20010DB8 << 96 | rng.getrandbits(24) << 72) if six else rng.getrandbits(24) << 8
        vrf = rng.choice(VRFS)
        yield _row(version, net, net + (1 << unit) - 1, rng, ("", ""), vrf, ("", ""))
        made += 1
        for _ in range(rng.randrange(4, 16)):
            size = rng.choice((0, 0, 1, 2, 3, 4)) * (8 if six else 1)
            first = net + (rng.randrange(1 << (unit - size)) << size)
            change = rng.randrange(30, DAYS)
            if rng.random() < 0.05:
                for block in range(63):
                    ports = str(1024 + block * 1024), str(2047 + block * 1024)
                    yield _row(version, first, first, rng, (_day(change), _day(change + 365)), vrf, ports)
                made += 63
                continue
            last = first + (1 << size) - 1
            yield _row(version, first, last, rng, ("", _day(change)), vrf, ("", ""))
            yield _row(version, first, last, rng, (_day(change + rng.randrange(1, 365)), ""), vrf, ("", ""))
            made += 2


def _row(
    version: int, first: int, last: int, rng: random.Random, when: tuple[str, str], vrf: str, ports: tuple[str, str]
) -> tuple[str, ...]:
    number = rng.randrange(200_000)
    texts = address_text(version, first), address_text(version, last)
    return (*texts, f"示例企业{number:06d}有限公司", "企业", f"示例路{number % 5_000}号", "静态", *when, vrf, *ports)


def _day(number: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(EPOCH_2015 + number * 86_400))


def resident_mb() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Make the book in a process of its own, so that its memory does not count, then measure."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.csv"
        subprocess.run([sys.executable, "-m", "tests.bench.attribution", "make", str(book)], check=True)
        began, ticks = time.perf_counter(), time.process_time()
        loaded = load_books(AttributionSettings(sources=[Config(kind="inventory", path=str(book), preset="minewatch")]))
        seconds, cpu = time.perf_counter() - began, time.process_time() - ticks
        taken = len(loaded.index)
        size = f"{book.stat().st_size / 1e6:.0f} MB CSV"
        print(f"load        {taken:,} rows of {size} in {seconds:.1f} s, {cpu:.1f} s of a processor")
        print(f"memory      {resident_mb():.0f} MB resident at most")
        questions = asked(loaded, taken, random.Random("questions"))
        speed(loaded, questions)
        check(loaded, questions)
        sheet(Path(folder))


def asked(loaded: Attributor, count: int, rng: random.Random) -> list[tuple[int, int, int, int, str]]:
    """Random questions: an address of a random row, any time, a port or none, a VRF."""
    index = loaded.index
    found = []
    for _ in range(count):
        row = rng.randrange(len(index))
        version, first, last = index.span(row)
        at_ns = (EPOCH_2015 + rng.randrange(DAYS * 86_400)) * NS
        port = rng.choice((-1, rng.randrange(65_536), max(-1, index.port_first[row])))
        found.append((version, rng.randint(first, last), port, at_ns, rng.choice(VRFS)))
    return found


def speed(loaded: Attributor, questions: list[tuple[int, int, int, int, str]]) -> None:
    """Look-ups of the index, and whole answers as the line gets them."""
    index = loaded.index
    points = {vrf: index.at(vrf, (), None) for vrf in VRFS}
    some = questions[:300_000]
    began = time.process_time()
    for version, value, port, at_ns, vrf in some:
        index.match(version, value, port, at_ns, points[vrf])
    rate = len(some) / (time.process_time() - began)
    print(f"look-ups    {rate:,.0f} a second of a processor (index.match: the rows that hold, in order of rank)")
    texts = [
        (address_text(version, value), None if port < 0 else port, at_ns, vrf)
        for version, value, port, at_ns, vrf in some
    ]
    began = time.process_time()
    for address, number, at_ns, vrf in texts:
        question = loaded.question(address, number, at_ns, vlan=(), interface=None, vrf=vrf)
        assert question is not None
        loaded.decide(question)
    rate = len(texts) / (time.process_time() - began)
    print(
        f"answers     {rate:,.0f} a second of a processor "
        "(Attributor.question and decide, as the line asks for each connection)"
    )
    began = time.process_time()
    for address, number, at_ns, vrf in texts[:100_000]:
        loaded.answer(address, number, at_ns, vrf=vrf)
    rate = 100_000 / (time.process_time() - began)
    print(
        f"in words    {rate:,.0f} a second of a processor "
        "(Attributor.answer: the same, with every claim and reason as text)"
    )
    print(
        "            "
        + ", ".join(f"{name} {value:,}" for name, value in loaded.stats().items() if name.startswith("lookups"))
    )


def check(loaded: Attributor, questions: list[tuple[int, int, int, int, str]]) -> None:
    """Every question by brute force over all rows."""
    index = loaded.index
    count = len(index)
    parse_ranges = [index.span(row) for row in range(count)]
    version = np.array([span[0] for span in parse_ranges], "i1")
    # Numbers of 128 bits as their rank among all borders: numpy compares 64-bit integers, and order is all that counts.
    borders = sorted({number for _, first, last in parse_ranges for number in (first, last + 1)})
    place = {number: position for position, number in enumerate(borders)}
    first = np.array([place[span[1]] for span in parse_ranges])
    after = np.array([place[span[2] + 1] for span in parse_ranges])
    columns = [np.asarray(column) for column in (index.from_ns, index.until_ns, index.port_first, index.port_last)]
    order = np.argsort(first, kind="stable")
    sorted_first = first[order]
    wrong = 0
    began = time.perf_counter()
    where = np.array(index.point)
    matching = {vrf: np.array(sorted(index.at(vrf, (), None))) for vrf in VRFS}
    groups: dict[str, list[int]] = {}
    for number, question in enumerate(questions):
        groups.setdefault(question[4], []).append(number)
    # Rows whose range begins at or before the address, by numpy alone: no tree, no nesting. Wide rows are few and are
    # always looked at.
    width = after - first
    wide = np.flatnonzero(width > 4096)
    narrow_most = int(width[width <= 4096].max(initial=1))
    for vrf, numbers in groups.items():
        allowed = np.isin(where, matching[vrf])
        for number in numbers:
            asked_version, value, port, at_ns, _ = questions[number]
            position = bisect_right(borders, value) - 1
            low, high = np.searchsorted(sorted_first, (position - narrow_most, position + 1))
            rows = np.concatenate((order[low:high], wide))
            holds = (
                (first[rows] <= position) & (position < after[rows]) & (version[rows] == asked_version) & allowed[rows]
            )
            holds &= (
                (columns[0][rows] <= at_ns)
                & (at_ns < columns[1][rows])
                & (columns[2][rows] <= port)
                & (port <= columns[3][rows])
            )
            expected = sorted(set(rows[holds].tolist()), key=index.rank.__getitem__)
            wrong += expected != index.match(asked_version, value, port, at_ns, index.at(vrf, (), None))
    print(f"brute force {len(questions):,} questions, {wrong} differ ({time.perf_counter() - began:.0f} s)")


def sheet(folder: Path) -> None:
    """A spreadsheet of the filing form."""
    import xlsxwriter

    path = folder / "filing.xlsx"
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    page = book.add_worksheet()
    page.write_row(
        0,
        0,
        [
            "起始IP地址*",
            "终止IP地址*",
            "使用方式",
            "使用日期*",
            "单位名称*",
            "单位性质",
            "单位所在省*",
            "市",
            "县",
            "单位详细地址*",
        ],
    )
    for number in range(SHEET_ROWS):
        first = (198 << 24 | 18 << 16) + 2 * number
        name = f"示例企业{number:06d}有限公司"
        cells = [
            address_text(4, first),
            address_text(4, first + 1),
            "静态",
            "2024-05-06",
            name,
            "企业",
            "江苏省",
            "苏州市",
            "虎丘区",
            f"{number}号",
        ]
        page.write_row(number + 1, 0, cells)
    book.close()
    began = time.perf_counter()
    loaded = load_books(AttributionSettings(sources=[Config(kind="inventory", path=str(path), preset="filing")]))
    print(
        f"spreadsheet {len(loaded.index):,} rows of XLSX ({path.stat().st_size / 1e6:.1f} MB) "
        f"in {time.perf_counter() - began:.1f} s"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        with Path(sys.argv[2]).open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened, lineterminator="\n")
            writer.writerow(HEAD)
            writer.writerows(rows(ROWS, random.Random("book")))
    else:
        main()
