"""Which column of a sheet holds what: by its headings, in one row or in two, by what the configuration maps, and by
what the cells look like where headings leave it open.

Nothing is taken by its looks alone except between two readings of one heading; everything else is a suggestion. It
reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sensor.attribution.books.columns import SheetColumn, SheetLayout, letters
from sensor.attribution.formats import presets
from sensor.attribution.formats.headings import BESIDE, field_of, field_within, suggestion
from sensor.attribution.formats.looks import cell_looks, column_looks, sample_of
from sensor.sheets.sheet import SheetError, SheetRow
from sensor.sheets.text import heading_of, short

#: Rows among which the headings are looked for: titles and notes may stand above them.
HEADINGS_WITHIN = 15
#: Rows whose cells tell what a column looks like.
SAMPLE_ROWS = 200
#: In the configuration, a field that this book does not have, whatever its headings say.
ABSENT = "-"
#: What a column looks like if it may hold each of these fields.
_FIELD_LOOKS = {"addresses": "first", "masks": "mask", "codes": "certificate"}
#: Fields whose columns are not read beside `first`.
_SPARE = ("network", "broadcast")


def find_layout(head: Sequence[SheetRow], mapped: Mapping[str, str]) -> SheetLayout:
    """The layout of a sheet that begins with these rows. SheetError where no headings are found, or a mapped one is
    not there.
    """
    candidates = [(position, depth) for depth in (1, 2) for position in range(min(HEADINGS_WITHIN, len(head)))]
    found = [layout for position, depth in candidates if (layout := _at(head, position, depth, mapped)) is not None]
    best = max(found, key=lambda layout: len(layout.plan), default=None)  # of equals, the first
    if best is None or not best.plan:
        if mapped and all(name.startswith("=") or name == ABSENT for name in mapped.values()):
            return _described(SheetLayout(_by_letter(mapped)), head)
        raise SheetError(f"no headings are found in the first {HEADINGS_WITHIN} rows{_found(head)}")
    missing = [name for name in mapped.values() if not _is_there(name, best.headings)]
    if missing:
        raise SheetError(
            f"columns: there is no heading {short(missing[0])}; row {best.last_line} has "
            + ", ".join(short(text, 20) for text in best.headings if text.strip())
        )
    return _described(_by_looks(best, head), head)


def lettered(mapped: Mapping[str, str], plan: Mapping[str, int], head: Sequence[SheetRow]) -> SheetLayout:
    """The layout of a form that is read by its letters."""
    return _described(SheetLayout({**plan, **_by_letter(mapped)}), head)


def _at(head: Sequence[SheetRow], position: int, depth: int, mapped: Mapping[str, str]) -> SheetLayout | None:
    """The layout if the headings stand in this row, or in it and the next; None if they cannot."""
    cells = head[position].cells
    if any(cell_looks(text) in _FIELD_LOOKS for text in cells):
        return None  # a row of data
    if depth == 1:
        found = [field_of(text) for text in cells]
        return _chosen(found, cells, head[position].number, mapped)
    if position + 1 >= len(head) or not _is_heading(head[position + 1].cells, cells):
        return None
    groups, lower = _groups(cells, head[position + 1].cells)
    found = [field_within(group, text) for group, text in zip(groups, lower, strict=True)]
    names = [
        text if not group or heading_of(group) == heading_of(text) else f"{group} {text}".strip()
        for group, text in zip(groups, lower, strict=True)
    ]
    return _chosen(found, names, head[position + 1].number, mapped)


def _is_heading(cells: Sequence[str], above: Sequence[str]) -> bool:
    """Whether a row can be the second of two heading rows: text only, and some of it below an empty or a wide cell."""
    filled = [text for text in cells if text.strip()]
    if not filled or any(cell_looks(text) not in ("text", "") for text in filled):
        return False
    groups, lower = _groups(above, cells)
    pairs = [(group, text) for group, text in zip(groups, lower, strict=True) if text.strip()]
    return all(
        heading_of(group) == heading_of(text) or heading_of(text) in BESIDE or field_within(group, text) is not None
        for group, text in pairs
    ) and any(heading_of(group) != heading_of(text) for group, text in pairs)


def _groups(upper: Sequence[str], lower: Sequence[str]) -> tuple[list[str], list[str]]:
    """Both rows in one width; a group's heading stands above each of its columns, as a merged cell shows it."""
    width = max(len(upper), len(lower))
    above, below = [*upper, *[""] * (width - len(upper))], [*lower, *[""] * (width - len(lower))]
    for position in range(1, width):
        if not above[position].strip() and below[position].strip():
            above[position] = above[position - 1]
    return above, below


def _chosen(
    found: Sequence[tuple[str, int] | None], names: Sequence[str], line: int, mapped: Mapping[str, str]
) -> SheetLayout:
    """Of several columns for one field the one with the more specific heading; the others contradict it."""
    ranked: dict[str, list[tuple[int, int]]] = {}
    for position, meaning in enumerate(found):
        if meaning is not None:
            ranked.setdefault(meaning[0], []).append((meaning[1], position))
    plan = {name: min(places)[1] for name, places in ranked.items()}
    plan |= _by_letter(mapped)
    wanted = [heading_of(text) for text in names]
    for name, heading in mapped.items():
        if heading == ABSENT:
            plan.pop(name, None)
        elif not heading.startswith("=") and heading_of(heading) in wanted:
            plan[name] = wanted.index(heading_of(heading))
    used = {position for name, position in plan.items() if name in mapped}
    plan = {name: position for name, position in plan.items() if name in mapped or position not in used}
    rivals: dict[str, tuple[int, ...]] = {
        name: tuple(position for _, position in sorted(ranked[name]) if position != plan.get(name))
        for name in ("organisation", "certificate")
        if name in plan and name not in mapped and len(ranked.get(name, ())) > 1
    }
    begins = "first" in plan and bool(_first_of_range(names, plan["first"]))
    return SheetLayout(plan, rivals, begins, tuple(names), line)


def _first_of_range(names: Sequence[str], position: int) -> bool:
    heading = heading_of(names[position]) if position < len(names) else ""
    return any(part in heading for part in ("起", "开始", "start", "from", "首"))


def _by_letter(mapped: Mapping[str, str]) -> dict[str, int]:
    try:
        return {name: presets.column(text[1:]) for name, text in mapped.items() if text.startswith("=")}
    except ValueError as error:
        raise SheetError(str(error)) from None


def _is_there(name: str, headings: Sequence[str]) -> bool:
    return name == ABSENT or name.startswith("=") or heading_of(name) in [heading_of(text) for text in headings]


def _sample(head: Sequence[SheetRow], line: int, position: int) -> list[str]:
    return [row.cells[position] for row in head if row.number > line and position < len(row.cells)][:SAMPLE_ROWS]


def _by_looks(layout: SheetLayout, head: Sequence[SheetRow]) -> SheetLayout:
    """Settle the headings that mean two things: an address is of the post or of the network."""
    plan = dict(layout.plan)
    for name in ("address", "mask"):
        cells = _sample(head, layout.last_line, plan[name]) if name in plan else []
        if "first" not in plan and column_looks(cells) == "addresses":
            plan["first"] = plan.pop(name)
    if "first" not in plan and "network" in plan:
        plan["first"] = plan.pop("network")
        if "broadcast" in plan and "last" not in plan:
            plan["last"] = plan.pop("broadcast")
    if "first" not in plan and "ipv6" in plan:
        plan["first"] = plan.pop("ipv6")
    return replace(layout, plan=plan)


def _described(layout: SheetLayout, head: Sequence[SheetRow]) -> SheetLayout:
    """The same with a description of every column."""
    width = max([len(layout.headings), *(len(row.cells) for row in head)], default=0)
    fields = {position: name for name, position in layout.plan.items()}
    rivals = {position: name for name, places in layout.rivals.items() for position in places}
    columns = []
    for position in range(width):
        cells = _sample(head, layout.last_line, position)
        heading = layout.headings[position].strip() if position < len(layout.headings) else ""
        looks = column_looks(cells)
        if not heading and not looks:
            continue
        sample = sample_of(next((text for text in cells if text.strip()), ""))
        name = fields.get(position)
        hint = None if name else _hint(heading, looks)
        warning = _warning(name, looks, rivals.get(position))
        columns.append(SheetColumn(letters(position), heading, name, looks, sample, hint, warning))
    return replace(layout, columns=tuple(columns))


def _hint(heading: str, looks: str) -> str | None:
    hint = suggestion(heading)
    by_looks = _FIELD_LOOKS.get(looks)
    if by_looks is not None and hint in (None, "address", "certificate_type"):
        meaning = field_of(heading)
        return by_looks if meaning is None or meaning[0] not in ("gateway", *_SPARE) else None
    if hint == "first" and looks not in ("addresses", ""):
        return None
    return hint


def _warning(name: str | None, looks: str, rival_of: str | None) -> str | None:
    if name is None:
        if rival_of is not None:
            return f"means {rival_of}, too; rows in which the two differ are refused (columns: names which counts)"
        if looks in _FIELD_LOOKS:
            return f"looks like {looks} and is not used"
        return None
    expected = {"first": "addresses", "last": "addresses", "ipv6": "addresses"}.get(name)
    if expected is not None and looks not in (expected, "") and not (name == "last" and looks == "numbers"):
        return f"is taken for {name} and does not look like {expected}"
    if looks == "addresses" and name not in ("first", "last", "ipv6", "gateway", "subscriber", "remark", *_SPARE):
        return f"is taken for {name} and looks like addresses"
    return None


def layout_by_looks(head: Sequence[SheetRow]) -> SheetLayout:
    """A layout without headings, each field proposed by its column's looks alone; nothing is taken."""
    first = next((row for row in head if any(cell_looks(text) == "addresses" for text in row.cells)), None)
    return _described(SheetLayout({}, last_line=first.number - 1 if first else 0), head)


def missing_fields(layout: SheetLayout, names: Sequence[str]) -> str:
    """What to say of a book that lacks these fields: what its columns are, and which of them may be meant."""
    unused = [column for column in layout.columns if column.field is None]
    hints = [
        f'{column.suggestion}: "{short(column.heading, 20) or "=" + column.letter}"'
        for column in unused
        if column.suggestion in names
    ]
    rest = ", ".join(f"{column.letter} {short(column.heading, 20) or column.sample}" for column in unused[:12])
    mapping = f"; perhaps columns: {{{', '.join(hints)}}}" if hints else ""
    return f"; columns that are not used: {rest}{mapping}" if rest else ""


def _found(head: Sequence[SheetRow]) -> str:
    """What was found instead of headings, for whoever has to map the columns."""
    rows = [row for row in head[:HEADINGS_WITHIN] if any(text.strip() for text in row.cells)]
    if not rows:
        return ": they are empty"
    widest = max(rows[:HEADINGS_WITHIN], key=lambda row: sum(bool(text.strip()) for text in row.cells))
    shown = [f"{letters(position)} {sample_of(text)}" for position, text in enumerate(widest.cells) if text.strip()][
        :12
    ]
    proposals = [
        f'{_FIELD_LOOKS[looks]}: "={letters(position)}"'
        for position in range(len(widest.cells))
        if (looks := column_looks(_sample(head, 0, position))) in _FIELD_LOOKS
    ]
    mapping = f"; by their looks: columns: {{{', '.join(proposals)}}}" if proposals else "; `columns` can name them"
    return f"; row {widest.number} has {', '.join(shown)}{mapping}"
