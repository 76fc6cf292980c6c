"""The summary for people: who mines, what, to which pool, since when, how many shares, how sure and why.

It gets records and figures and draws them with rich; it reads no file and judges nothing. Addresses are never cut, long logins lose
their middle, and whatever came from the network is stripped of control characters before it reaches a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exporters.amounts import digits, prefixed, quantity
from sensor.records import Finding, Grade, Node

#: Rows shown unless everything is asked for; the event file always has all.
MOST_ROWS = 40
#: Characters of the reasons shown unless everything is asked for.
MOST_WHY = 150
#: Columns whose width is known (since, shares, how sure) and the gaps between all; hashrates if any is known; the least and most that what
#: and login get; the reasons.
FIXED_WIDTH, RATE_WIDTH, LEAST_ROOM, MOST_ROOM, WHY_WIDTH = 48, 13, 16, 36, 40
#: The beginnings of reasons that list names of messages.
WORD_LISTS = ("the miner said ", "the pool answered ", "the pool sent ")
#: Less power than this is noise; a pool's name longer than this would push the other columns away (the event has it).
LEAST_WATTS, MOST_HOST = 1.0, 28
STYLES = {Grade.VERIFIED: "bold red", Grade.ACCEPTED: "bold red", Grade.SPEAKS: "yellow"}


@dataclass(frozen=True)
class Trouble:
    """An input that could not be read, or not to its end."""

    source: str
    reason: str
    offset: int | None
    packets: int


@dataclass(frozen=True)
class Run:
    """The figures of the closing line."""

    engine: str
    workers: int
    sources: int
    packets: int
    bytes: int
    flows: int
    seconds: float
    capture_loss: float
    interrupted: bool = False


def render(
    console: Console, findings: Sequence[Finding], nodes: Sequence[Node], troubles: Sequence[Trouble], run: Run, everything: bool = False
) -> None:
    """Print the whole summary on a console, fitted to its width."""
    parts: list[RenderableType] = []
    if findings:
        shown = _strongest(findings, everything)
        parts += [_findings(shown, console.width, everything), *_more(len(findings) - len(shown), "finding")]
    else:
        parts.append(Text("No mining found.", style="bold"))
    if nodes:
        some = nodes if everything else nodes[:MOST_ROWS]
        parts += [_nodes(some), *_more(len(nodes) - len(some), "node")]
    if troubles:
        worst = troubles if everything else troubles[:MOST_ROWS]
        parts += [_troubles(worst), *_more(len(troubles) - len(worst), "file")]
    parts.append(_closing(run))
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(part)


def short(text: str, room: int) -> str:
    """Text that fits, by leaving out its middle: both ends of a wallet are what people compare."""
    clean = printable(text)
    if len(clean) <= room:
        return clean
    tail = (room - 1) // 2
    return f"{clean[: room - 1 - tail]}…{clean[len(clean) - tail :]}"


def clipped(text: str, room: int) -> str:
    """Text that fits, by leaving out its end: of a program's name the beginning says most."""
    clean = printable(text)
    return clean if len(clean) <= room else f"{clean[: room - 1]}…"


def printable(text: str) -> str:
    """Text without anything that could steer a terminal."""
    return "".join(char if char.isprintable() else "·" for char in text)


def _strongest(findings: Sequence[Finding], everything: bool) -> list[Finding]:
    ranked = sorted(findings, key=lambda item: (-item.grade, -item.shares.accepted, -item.shares.submitted, item.first_ns, item.finding_id))
    return ranked if everything else ranked[:MOST_ROWS]


def _more(count: int, noun: str) -> Iterator[RenderableType]:
    if count > 0:
        yield Padding(Text(f"… and {count} more {_plural(count, noun)} (-v shows all)", style="dim"), (0, 1))


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)


def _findings(findings: Sequence[Finding], width: int, everything: bool) -> RenderableType:
    """As many columns as the width carries: with the reasons, without them, or stacked in three."""
    ends = max(len(line) for item in findings for line in _ends(item))
    rest = width - ends - FIXED_WIDTH - (RATE_WIDTH if any(item.hashrate_hps for item in findings) else 0)
    if rest < 2 * LEAST_ROOM:
        table, wide = _stacked(findings, ends, width), False
    else:
        wide = rest >= 2 * LEAST_ROOM + WHY_WIDTH
        room = min(MOST_ROOM, (rest - WHY_WIDTH if wide else rest) // 2)
        table = _full(findings, room, [_why(item, everything) for item in findings] if wide else None)
    if wide:
        return table
    reasons = Table.grid(padding=(0, 2, 0, 0))
    for item in findings:
        reasons.add_row(Text(item.miner_ip, no_wrap=True), Text(_why(item, everything)))
    return Group(table, Text("\nWhy", style="bold"), reasons)


def _full(findings: Sequence[Finding], room: int, why: Sequence[str] | None) -> Table:
    table = _table(f"Mining: {len(findings)} {_plural(len(findings), 'finding')}")
    rated = any(item.hashrate_hps for item in findings)
    for name in ("Miner → pool", "What", "Login, worker", "Since (UTC)", "Shares", *(("Hashrate",) if rated else ()), "How sure"):
        table.add_column(name, no_wrap=True)
    if why:
        table.add_column("Why", overflow="fold")
    for number, item in enumerate(findings):
        middle = [_shares(item), _rate(item)] if rated else [_shares(item)]
        parts = (_ends(item), _what(item, room), _who(item, room), _when(item), *middle, _sure(item))
        cells = [_lines(part) for part in parts]
        cells[-1].stylize(STYLES.get(item.grade, ""))
        table.add_row(*cells, *([Text(why[number])] if why else []))
        if item is not findings[-1]:
            table.add_row()
    return table


def _stacked(findings: Sequence[Finding], ends: int, width: int) -> Table:
    """Three columns, for narrow terminals and for long addresses."""
    table = _table(f"Mining: {len(findings)} {_plural(len(findings), 'finding')}")
    room = max(LEAST_ROOM, min(24, width - max(ends, 28) - 18))
    table.add_column("Miner → pool, login", overflow="fold")
    table.add_column("What, since (UTC)", overflow="fold", min_width=LEAST_ROOM)
    table.add_column("Sure, shares", no_wrap=True)
    for item in findings:
        who, when = _ends(item) + _who(item, min(36, max(ends, 28))), _when(item)
        what = _what(item, room) + ([" ".join(when[:2]), when[2]] if room >= 19 else when)
        cells = [_lines(who), _lines(what), _lines([" ".join(_sure(item)), *_shares(item), " ".join(_rate(item)[:2]), *_rate(item)[2:]])]
        cells[-1].stylize(STYLES.get(item.grade, ""), 0, len(" ".join(_sure(item))))
        table.add_row(*cells)
        if item is not findings[-1]:
            table.add_row()
    return table


def _why(item: Finding, everything: bool) -> str:
    """The reasons, the most telling (the judge gives it last) first. Which messages were read stands there only if everything is asked for:
    most people do not know the protocols' words."""
    reasons = list(reversed(item.reasons))
    if everything:
        return printable("; ".join(reasons) or item.signature)
    telling = [reason for reason in reasons if not reason.startswith(WORD_LISTS)]
    if item.grade >= Grade.SPEAKS and len(telling) < len(reasons):
        telling.append(f"both sides speak {item.signature.partition(' (')[0]}")
    return clipped("; ".join(telling or reasons) or item.signature, MOST_WHY)


def _ends(item: Finding) -> list[str]:
    """Miner and pool; of a session through a proxy the pool that was asked for, on a line of its own."""
    asked = [f"→ {printable(item.pool_host)}"] if item.pool_host and len(item.pool_host) <= MOST_HOST else []
    return [item.miner_ip, f"→ {address(item.pool_ip, item.pool_port)}", *asked]


def address(ip: str, port: int) -> str:
    """An address and a port as people write them."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _what(item: Finding, room: int) -> list[str]:
    money = " ".join(printable(part) for part in (item.coin, item.algorithm) if part)
    machine = _machine(item)
    return [printable(item.dialect), *([short(money, room)] if money else []), *([clipped(machine, room)] if machine else [])]


def _machine(item: Finding) -> str | None:
    """The device, or the program with its version, that the agent names; else the agent as it was sent."""
    if item.device or item.software is None:
        return item.device or item.agent
    return f"{item.software} {item.software_version}" if item.software_version else item.software


def _who(item: Finding, room: int) -> list[str]:
    """The login, the worker on a line of its own where both do not fit in one."""
    login, workers = item.login or "", item.workers or ((item.worker,) if item.worker else ())
    apart = len(workers) == 1 and (not login.endswith(workers[0]) or len(login) > room)
    if apart and len(login) > len(workers[0]) + 1 and login.endswith(workers[0]):
        login = login[: -len(workers[0]) - 1]
    lines = [short(login, room)] if login else ["(no login seen)"]
    if apart:
        lines.append(short(workers[0], room))
    elif len(workers) > 1:
        lines.append(f"{len(workers)} workers")
    if item.flow_count > 1:
        lines.append(f"{item.flow_count} connections")
    return lines


def _when(item: Finding) -> list[str]:
    first = datetime.fromtimestamp(item.first_ns // 1_000_000_000, UTC)
    return [f"{first:%Y-%m-%d}", f"{first:%H:%M:%S}", f"for {duration(item.active_seconds)}"]


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = round(seconds)
    for unit, size, below, small in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // small} {below}"
    return f"{whole} s"


def _shares(item: Finding) -> list[str]:
    shares = item.shares
    if not shares.submitted:
        return ["none seen"]
    lines = [f"{shares.submitted} sent", f"{shares.accepted} accepted"]
    lines += [f"{shares.verified} verified"] if shares.verified else []
    lines += [f"{shares.rejected} rejected"] if shares.rejected else []
    lines += [f"{shares.unanswered} open"] if shares.unanswered else []
    return lines


def _rate(item: Finding) -> list[str]:
    """`95 TH/s`, `(80–110)`, and the likely power below."""
    if item.hashrate_hps is None:
        return []
    rate, unit = item.hashrate_hps, "Sol/s" if item.work_unit == "solutions" else "H/s"
    if not rate.best:
        return [f"< {quantity(rate.high, unit)}"]
    scale, prefix = prefixed(rate.best)
    lines = [f"{digits(rate.best / scale)} {prefix}{unit}", f"({digits(rate.low / scale)}–{digits(rate.high / scale)})"]
    watts = item.power_watts.best if item.power_watts is not None else 0.0
    return [*lines, quantity(watts, "W")] if watts >= LEAST_WATTS else lines


def _sure(item: Finding) -> list[str]:
    return [item.grade.label, f"{100 * item.confidence:.3g}%"]


def _lines(lines: Sequence[str]) -> Text:
    return Text("\n".join(lines))


def _nodes(nodes: Sequence[Node]) -> Table:
    table = _table("Cryptocurrency nodes (not mining)")
    table.add_column("From → to", no_wrap=True, overflow="fold")
    table.add_column("Protocol", overflow="fold")
    table.add_column("Agent", overflow="fold")
    table.add_column("Sure", no_wrap=True, justify="right")
    for node in nodes:
        key = node.key
        ends = [address(key.src_ip, key.src_port), f"→ {address(key.dest_ip, key.dest_port)}"]
        kind = " ".join(printable(part) for part in (node.protocol, node.network) if part)
        table.add_row(_lines(ends), Text(kind), Text(short(node.agent or "", 32)), Text(f"{node.confidence:.0%}"))
    return table


def _troubles(troubles: Sequence[Trouble]) -> Table:
    table = _table("Not read, or not to the end")
    table.add_column("File", overflow="fold")
    table.add_column("What is wrong", overflow="fold")
    table.add_column("At byte", no_wrap=True, justify="right")
    table.add_column("Packets used", no_wrap=True, justify="right")
    for item in troubles:
        offset = "" if item.offset is None else f"{item.offset:,}"
        table.add_row(Text(printable(item.source)), Text(printable(item.reason)), Text(offset), Text(f"{item.packets:,}"))
    return table


def _closing(run: Run) -> Text:
    rate = run.packets / run.seconds / 1e6 if run.seconds else 0.0
    parts = (
        f"{run.packets:,} {_plural(run.packets, 'packet')}",
        size(run.bytes),
        f"{run.flows:,} {_plural(run.flows, 'flow')}",
        f"{run.sources:,} {_plural(run.sources, 'file')}",
        f"{run.seconds:.2f} s ({rate:.3g} Mpps)",
        f"{run.engine} engine" + (f", {run.workers} workers" if run.workers > 1 else ""),
        f"capture loss {run.capture_loss:.2%}",
        *(("interrupted: not everything was read",) if run.interrupted else ()),
    )
    return Text(" · ".join(parts), style="dim")


def size(count: int) -> str:
    """Bytes for people."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
