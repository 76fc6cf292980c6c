"""The columns of a table of metered load: whose meter, when, and either the energy used or what the register shows.

Knows headings as power companies and people write them, and one row's cells; no interval and no mining.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sensor.sheets.sheet import SheetRow
from sensor.sheets.text import comparable, short

#: Whose the meter is: the first of these that a table has.
METERS = (
    "enterprise", "site", "meter", "uscc", "name",
    "ip", "ip_address", "address", "IP地址",
    "企业", "企业名称", "单位名称", "用户名称", "户名", "场所", "用电地址", "统一社会信用代码",
)  # fmt: skip
#: What tells the meters of one enterprise apart, where another column says whose they are.
NUMBERS = (
    "site", "meter", "meter_id", "meter_no", "meter_number", "premises", "account",
    "场所", "用电地址", "表号", "电表编号", "电能表编号", "表计编号", "资产编号", "计量点", "计量点编号",
    "户号", "用户编号",
)  # fmt: skip
TIMES = (
    "time",
    "start",
    "timestamp",
    "date",
    "时间",
    "开始时间",
    "日期",
    "数据时间",
    "用电时间",
    "抄表时间",
    "抄表日期",
)
#: Energy used, unless the values show a register.
ENERGIES = (
    "kwh", "energy_kwh", "energy", "used_kwh", "consumption", "usage", "total_kwh", "total_energy",
    "reading", "reading_kwh", "电量", "用电量", "有功电量", "抄见电量",
)  # fmt: skip
#: A register only rises: its readings are totals since the meter was set up.
REGISTERS = (
    "register", "register_kwh", "meter_reading", "meter_reading_kwh", "index", "index_kwh",
    "cumulative", "cumulative_kwh", "cumulative_energy",
    "示数", "读数", "表码", "表底", "止码", "止度", "抄表示数", "电表示数", "电表读数", "表计读数", "本次示数",
    "本期示数", "有功示数", "有功总示数", "总示数", "正向有功总", "正向有功", "正向有功总示数", "正向有功总电能",
    "正向有功电能示值",
    "累计电量", "累计用电量", "累计电能",
)  # fmt: skip
#: What a register's steps are multiplied by: the ratio of the transformers before the meter.
MULTIPLIERS = ("multiplier", "ratio", "ct_ratio", "倍率", "综合倍率", "计量倍率")
#: What a longer heading of a register has in it.
_REGISTER = re.compile(r"register|cumulative|示数|示值|表码|表底|止码|累计(?:用)?电[量能]|总电能")
_KWH = re.compile(r"[(](?:kwh|kw·h|kw\.h|千瓦时|度)[)]$")
#: No meter counts more; it keeps sums finite.
_MOST_KWH = 1e12


@dataclass(frozen=True, slots=True)
class MeterColumns:
    """Which column holds what, counted from 0; `register` says that values are totals, by their heading."""

    meter: int
    at: int
    value: int
    register: bool = False
    number: int | None = None
    multiplier: int | None = None


@dataclass(frozen=True, slots=True)
class MeterCells:
    """What one row says: energy used in kWh, or a register's total, with its multiplier."""

    meter: str
    number: str
    at: str
    value: float
    multiplier: float


def columns_of(row: SheetRow) -> MeterColumns:
    """The columns by their headings. Raises ValueError in a sentence where one that is needed is missing."""
    titles = [_title(cell) for cell in row.cells]
    meter, at = _place(titles, METERS), _place(titles, TIMES)
    energy, register = _place(titles, ENERGIES), _place(titles, REGISTERS)
    if energy is None and register is None:
        register = next((place for place, title in enumerate(titles) if _REGISTER.search(title)), None)
    value = register if energy is None else energy
    needed = (("enterprise or site", meter), ("time", at), ("kwh", value))
    missing = [what for what, place in needed if place is None]
    if meter is None or at is None or value is None:
        raise ValueError(f"the heading names no column for {' and '.join(missing)}")
    return MeterColumns(
        meter, at, value, energy is None, _place(titles, NUMBERS, but=meter), _place(titles, MULTIPLIERS)
    )


def cells_of(row: SheetRow, columns: MeterColumns) -> MeterCells:
    """One row. Raises ValueError that says what is wrong with it."""
    if row.broken:
        raise ValueError(row.broken)
    needed = max(columns.meter, columns.at, columns.value)
    if len(row.cells) <= needed:
        raise ValueError(f"has {len(row.cells)} cells, at least {needed + 1} are needed")
    meter = row.cells[columns.meter].strip()
    if not meter:
        raise ValueError("names no enterprise or site")
    value = _number(row.cells[columns.value], "energy")
    multiplier = 1.0
    if columns.multiplier is not None and (text := _cell(row, columns.multiplier)):
        multiplier = _number(text, "multiplier")
    return MeterCells(meter, _cell(row, columns.number), row.cells[columns.at].strip(), value, multiplier)


def _title(cell: str) -> str:
    """A heading as it is compared, without its unit of kilowatt-hours; spaces and underscores do not count."""
    title = comparable(cell.lstrip("\ufeff")).replace("_", "")
    return _KWH.sub("", title) or title


def _place(titles: Sequence[str], names: Sequence[str], but: int | None = None) -> int | None:
    """The first column with one of the names, in the order of the names."""
    for name in map(_title, names):
        for place, title in enumerate(titles):
            if title == name and place != but:
                return place
    return None


def _cell(row: SheetRow, place: int | None) -> str:
    return row.cells[place].strip() if place is not None and place < len(row.cells) else ""


def _number(text: str, what: str) -> float:
    try:
        value = float(text.strip().replace(",", ""))
    except ValueError:
        raise ValueError(f"the {what} {short(text.strip())} is no number") from None
    if not math.isfinite(value) or not 0.0 <= value < _MOST_KWH:
        raise ValueError(f"the {what} {short(text.strip())} cannot be: it must be 0 or more")
    return value
