"""The summary for people: who mines, what, to which pool, since when, how many shares, how sure and why.

It gets records and figures and draws them with rich; it reads no file and judges nothing. Addresses are never cut,
long logins lose their middle, and whatever came from the network is stripped of control characters before it reaches
a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exporters.forms import cells
from exporters.forms.amounts import counted, plural
from exporters.forms.closing import NO_MINING, closing_text
from exporters.forms.closing import Run as Run
from exporters.forms.fitting import short, visible
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.text import endpoint_text
from sensor.model.work import Miner, miners

#: Rows shown unless everything is asked for; the event file always has all.
MOST_ROWS = 40
#: Columns whose width is known (since, shares, how sure) and the gaps between all; hashrates if shares were seen; the
#: least and most that what and login get; the reasons.
FIXED_WIDTH, RATE_WIDTH, LEAST_ROOM, MOST_ROOM, WHY_WIDTH = 48, 13, 16, 36, 40
STYLES = {Grade.VERIFIED: "bold red", Grade.ACCEPTED: "bold red", Grade.SPEAKS: "yellow"}


@dataclass(frozen=True)
class Trouble:
    """An input that could not be read, or not to its end."""

    source: str
    reason: str
    offset: int | None
    packets: int


def render(
    console: Console,
    findings: Sequence[Finding],
    nodes: Sequence[Node],
    troubles: Sequence[Trouble],
    run: Run,
    everything: bool = False,
) -> None:
    """Print the whole summary on a console, fitted to its width."""
    parts: list[RenderableType] = []
    if findings:
        shown = _strongest(findings, everything)
        parts += [_findings(shown, console.width, everything), *_more(len(findings) - len(shown), "finding")]
    else:
        parts.append(Text(NO_MINING, style="bold"))
    several = [miner for miner in miners(findings) if len(miner.rated) > 1]
    if several:
        parts += [_together(several if everything else several[:MOST_ROWS])]
    if any(item.attribution for item in findings):
        parts.append(_whose(_strongest(findings, everything)))
    if nodes:
        some = nodes if everything else nodes[:MOST_ROWS]
        parts += [_nodes(some), *_more(len(nodes) - len(some), "node")]
    if troubles:
        worst = troubles if everything else troubles[:MOST_ROWS]
        parts += [_troubles(worst), *_more(len(troubles) - len(worst), "file")]
    parts.append(Text(closing_text(run), style="dim"))
    for number, part in enumerate(parts):
        if number:
            console.print()
        console.print(part)


def _strongest(findings: Sequence[Finding], everything: bool) -> list[Finding]:
    ranked = cells.strongest(findings)
    return ranked if everything else ranked[:MOST_ROWS]


def _more(count: int, noun: str) -> Iterator[RenderableType]:
    if count > 0:
        yield Padding(Text(f"… and {count} more {plural(count, noun)} (-v shows all)", style="dim"), (0, 1))


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )


def _title(findings: Sequence[Finding]) -> str:
    """How many speak, and apart from them how many do not: those are not called mining."""
    silent = sum(item.dialect is None for item in findings)
    others = [item.activity for item in findings if not item.mines]
    spoken = len(findings) - silent - len(others)
    mining = [f"Mining: {counted(spoken, 'finding')}"] if spoken else []
    not_mining = ", ".join(f"{others.count(name)} {name}" for name in sorted({name for name in others if name}))
    parts = [*mining, *([f"Not mining: {not_mining}"] if others else [])]
    return ". ".join([*parts, *([f"Nothing spoken: {counted(silent, 'finding')}"] if silent else [])])


def _findings(findings: Sequence[Finding], width: int, everything: bool) -> RenderableType:
    """As many columns as the width carries: with the reasons, without them, or stacked in three."""
    ends = max(len(line) for item in findings for line in cells.ends(item))
    rest = width - ends - FIXED_WIDTH - (RATE_WIDTH if any(map(cells.rate, findings)) else 0)
    if rest < 2 * LEAST_ROOM:
        table, wide = _stacked(findings, ends, width), False
    else:
        wide = rest >= 2 * LEAST_ROOM + WHY_WIDTH
        room = min(MOST_ROOM, (rest - WHY_WIDTH if wide else rest) // 2)
        table = _full(findings, ends, room, [cells.why(item, everything) for item in findings] if wide else None)
    if wide:
        return table
    reasons = Table.grid(padding=(0, 2, 0, 0))
    for item in findings:
        reasons.add_row(Text(item.miner_ip, no_wrap=True), Text(cells.why(item, everything)))
    return Group(table, Text("\nWhy", style="bold"), reasons)


def _full(findings: Sequence[Finding], ends: int, room: int, why: Sequence[str] | None) -> Table:
    table = _table(_title(findings))
    rated = any(map(cells.rate, findings))
    for name in (
        "Miner → pool",
        "What",
        "Login, worker",
        "Since (UTC)",
        "Shares",
        *(("Hashrate",) if rated else ()),
        "How sure",
    ):
        table.add_column(name, no_wrap=True)
    if why:
        table.add_column("Why", overflow="fold")
    for number, item in enumerate(findings):
        middle = [cells.shares(item), cells.rate(item)] if rated else [cells.shares(item)]
        parts = (
            cells.ends(item) + cells.holder(item, ends),
            cells.what(item, room),
            cells.who(item, room),
            cells.when(item),
            *middle,
            cells.sure(item),
        )
        row = [cells.lines(part) for part in parts]
        row[-1].stylize(STYLES.get(item.grade, ""))
        table.add_row(*row, *([Text(why[number])] if why else []))
        if item is not findings[-1]:
            table.add_row()
    return table


def _stacked(findings: Sequence[Finding], ends: int, width: int) -> Table:
    """Three columns, for narrow terminals and for long addresses."""
    table = _table(_title(findings))
    room = max(LEAST_ROOM, min(24, width - max(ends, 28) - 18))
    table.add_column("Miner → pool, login", overflow="fold")
    table.add_column("What, since (UTC)", overflow="fold", min_width=LEAST_ROOM)
    table.add_column("Sure, shares", no_wrap=True)
    for item in findings:
        left = max(ends, 28)
        who, when = cells.ends(item) + cells.holder(item, left) + cells.who(item, min(36, left)), cells.when(item)
        what = cells.what(item, room) + ([" ".join(when[:2]), when[2]] if room >= 19 else when)
        row = [
            cells.lines(who),
            cells.lines(what),
            cells.lines(
                [" ".join(cells.sure(item)), *cells.shares(item), " ".join(cells.rate(item)[:2]), *cells.rate(item)[2:]]
            ),
        ]
        row[-1].stylize(STYLES.get(item.grade, ""), 0, len(" ".join(cells.sure(item))))
        table.add_row(*row)
        if item is not findings[-1]:
            table.add_row()
    return table


def _together(several: Sequence[Miner]) -> RenderableType:
    """Miners of several findings: what each does in all, at every pool and login, while it mines."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for miner in several:
        grid.add_row(Text(miner.address, no_wrap=True), Text(cells.together(miner)))
    return Group(Text("Together", style="bold"), grid)


def _whose(findings: Sequence[Finding]) -> RenderableType:
    """Whose the addresses were, each answer once, with what it rests on."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for ip, text in dict.fromkeys(
        (item.miner_ip, cells.whose(item.attribution)) for item in findings if item.attribution
    ):
        grid.add_row(Text(ip, no_wrap=True), Text(text))
    return Group(Text("Whose", style="bold"), grid)


def _nodes(nodes: Sequence[Node]) -> Table:
    table = _table("Cryptocurrency nodes (not mining)")
    table.add_column("From → to", no_wrap=True, overflow="fold")
    table.add_column("Protocol", overflow="fold")
    table.add_column("Agent", overflow="fold")
    table.add_column("Sure", no_wrap=True, justify="right")
    for node in nodes:
        key = node.key
        ends = [endpoint_text(key.src_ip, key.src_port), f"→ {endpoint_text(key.dest_ip, key.dest_port)}"]
        kind = " ".join(visible(part) for part in (node.protocol, node.network) if part)
        table.add_row(cells.lines(ends), Text(kind), Text(short(node.agent or "", 32)), Text(f"{node.confidence:.0%}"))
    return table


def _troubles(troubles: Sequence[Trouble]) -> Table:
    table = _table("Not read, or not to the end")
    table.add_column("File", overflow="fold")
    table.add_column("What is wrong", overflow="fold")
    table.add_column("At byte", no_wrap=True, justify="right")
    table.add_column("Packets used", no_wrap=True, justify="right")
    for item in troubles:
        offset = "" if item.offset is None else f"{item.offset:,}"
        table.add_row(
            Text(visible(item.source)),
            Text(visible(item.reason)),
            Text(offset),
            Text(f"{item.packets:,}"),
        )
    return table
