"""Lists of pools' hosts that an operator loads: one host a line, or a table with a heading. Every mistake has file and
line.

What a list states of `serves` counts before the shipped catalogue. A host of which it states nothing is only added
where the catalogue does not know it: somebody's long list must not take away what the catalogue says.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sensor.model.domain import host_text, registrable
from sensor.signatures.pools import SERVES, PoolEntry, PoolTable, Serves, may_serve_stratum

COLUMNS = ("host", "operator", "serves", "ports")
#: A list of every host that was ever called a miner's has some 300,000 lines (public lists of 2019).
MAX_ROWS, MAX_LIST_BYTES = 500_000, 64 << 20
#: Mistakes that are named of one list; the rest is counted.
MAX_NAMED = 20
HIGHEST_PORT = 65_535
#: Addresses before the host in files of the form of hosts(5).
NOWHERE = frozenset(("0.0.0.0", "127.0.0.1", "::", "::1"))


@dataclass
class HostList:
    """What one list says."""

    rows: dict[str, PoolEntry] = field(default_factory=dict)
    stated: set[str] = field(default_factory=set)  # hosts of which it says what they serve
    problems: list[str] = field(default_factory=list)  # sentences with file and line
    repeated: int = 0  # lines that say again what another said

    def fail(self, place: str, sentence: str) -> None:
        """A mistake."""
        self.problems.append(f"{place}: {sentence}")


def parse_list(text: str, file: str) -> HostList:
    """A whole list; every line is a host, a remark (`#`), empty, or a mistake."""
    found = HostList()
    heading: list[str] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.partition("#")[0].strip().lstrip("\ufeff")
        if not bare:
            continue
        if len(found.rows) >= MAX_ROWS:
            found.fail(f"{file}:{number}", f"the list has more than {MAX_ROWS:,} hosts")
            break
        try:
            cells = [cell.strip() for cell in next(csv.reader([bare], strict=True))]
        except csv.Error as error:
            found.fail(f"{file}:{number}", f"not a row of a table: {error}")
            continue
        if heading is None:
            heading = [cell.lower() for cell in cells] if cells[0].lower() == "host" else []
            if heading:
                _check_heading(heading, f"{file}:{number}", found)
                continue
        if heading and len(cells) > len(heading):
            found.fail(f"{file}:{number}", f"{len(cells)} cells under {len(heading)} columns")
            continue
        values = dict(zip(heading, cells, strict=False)) if heading else {"host": bare}
        _read_line(values, found, file, f"{file}:{number}")
    if not found.rows and not found.problems:
        found.fail(f"{file}:1", "the list has no host")
    return found


def _check_heading(heading: list[str], place: str, found: HostList) -> None:
    for name in heading:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(COLUMNS)}"
            found.fail(place, f"unknown column {name[:40]!r}{hint}")
        elif heading.count(name) > 1:
            found.fail(place, f"the column {name} stands twice")


def _read_line(values: dict[str, str], found: HostList, file: str, place: str) -> None:
    host = _host(values["host"], place, found)
    serves = _serves(values.get("serves", ""), host, place, found)
    ports = _ports(values.get("ports", ""), place, found)
    if not host or serves is None or ports is None:
        return
    name = Path(file).name
    operator = values.get("operator", "") or name
    row = PoolEntry(host, operator, operator, (), ports, (), False, file, "medium", serves, name)
    before = found.rows.setdefault(host, row)
    if before is not row:
        found.repeated += 1
        if before != row:
            found.fail(place, f"{host} stands twice, and not the same")
    if values.get("serves"):
        found.stated.add(host)


def _host(cell: str, place: str, found: HostList) -> str:
    parts = cell.split()
    text = parts[1] if len(parts) == 2 and parts[0] in NOWHERE else cell  # hosts(5) has an address first
    host = host_text(text.removeprefix("*.").encode("utf-8", "replace")) if text.isascii() else ""
    if not text.isascii():
        found.fail(place, f"{text[:60]!r}: a host is written in its ASCII form (xn--...)")
    elif not host:
        found.fail(place, f"{text[:60]!r} is no host name of at least two labels")
    elif not registrable(host):
        found.fail(place, f"{host} is a suffix under which others register")
        return ""
    return host


def _serves(cell: str, host: str, place: str, found: HostList) -> Serves | None:
    chosen = next((serves for serves in SERVES if serves == (cell.lower() or "both")), None)
    if chosen is None:
        found.fail(place, f"serves is {cell[:40]!r}: must be one of {', '.join(SERVES)}")
    elif chosen == "stratum" and host and not may_serve_stratum(host):
        found.fail(place, f"{host} may have a web site: serves must be web or both, not stratum")
        return None
    return chosen


def _ports(cell: str, place: str, found: HostList) -> tuple[int, ...] | None:
    ports = []
    for text in cell.replace(";", " ").split():
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= HIGHEST_PORT):
            found.fail(place, f"ports has {text[:20]!r}: must be ports from 1 to {HIGHEST_PORT}, a space between")
            return None
        ports.append(int(text))
    return tuple(ports)


def read_list(path: Path) -> HostList:
    """A list from a file; what cannot be read is a mistake of it."""
    found = HostList()
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            found.fail(str(path), f"the list is larger than {MAX_LIST_BYTES >> 20} MiB")
            return found
        return parse_list(path.read_text("utf-8"), str(path))
    except OSError as error:
        found.fail(str(path), f"cannot be read: {(error.strerror or str(error)).lower()}")
    except UnicodeDecodeError as error:
        found.fail(str(path), f"cannot be read: not UTF-8 at byte {error.start}")
    return found


def named_problems(found: HostList, file: str) -> Iterator[str]:
    """The mistakes of a list, as many as are worth reading."""
    yield from found.problems[:MAX_NAMED]
    if len(found.problems) > MAX_NAMED:
        yield f"{file}: {len(found.problems) - MAX_NAMED:,} more mistakes"


def with_lists(pools: PoolTable, lists: Sequence[Path], problems: list[str]) -> PoolTable:
    """The catalogue with the operator's lists; an earlier list counts before a later one."""
    rows = dict(pools.rows)
    stated: set[str] = set()
    for path in lists:
        found = read_list(path)
        problems += named_problems(found, str(path))
        for host, row in found.rows.items():
            if host in found.stated and host not in stated:
                rows[host] = row
                stated.add(host)
            elif host not in rows and pools.lookup(host) is None:
                rows[host] = row
    return PoolTable(rows, pools.examples)
