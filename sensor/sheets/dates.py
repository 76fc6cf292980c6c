"""Dates as people write them in books and programs in logs, as nanoseconds since the epoch, and back.

No clock, no book.

The year comes first in every style that is read. `03/04/2021` is refused: nobody can say which of the two numbers is
the month.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sensor.model.time import DAY_NS, LAST_SECOND, SECOND_NS
from sensor.sheets.text import plain, short

#: Before all dates and after all dates; they fit into 64 bits.
ALWAYS, FOREVER = -(1 << 62), 1 << 62
#: In the year 5, near the first that `datetime` has.
_FIRST_SECOND = -62_000_000_000
_TIME = r"(?:[ T]+(?P<h>\d{1,2})[:时](?P<mi>\d{1,2})(?:[:分](?P<s>\d{1,2})(?:\.\d{1,9})?秒?)?分?)?"
_ZONE = r"(?P<zone>Z|[+-]\d{2}:?\d{2})?"
_DATED = re.compile(
    rf"(?P<y>\d{{4}})(?:[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})|年(?P<m2>\d{{1,2}})月(?P<d2>\d{{1,2}})[日号]?){_TIME}\s*{_ZONE}"
)
_COMPACT = re.compile(rf"(?P<y>\d{{4}})(?P<m>\d{{2}})(?P<d>\d{{2}}){_TIME}")
#: A spreadsheet's day number: days since 30 December 1899; these are the years 1954 to 2118.
_SERIAL, _SERIAL_FIRST, _SERIAL_LAST = re.compile(r"\d{5}(?:\.\d+)?"), 20_000, 80_000
_SERIAL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
#: ctime(3) and syslog (RFC 3164 section 4.1.2), the year before or behind the time, or nowhere.
_LOGGED = re.compile(
    r"(?:[A-Z][a-z]{2},?\s+)?([A-Z][a-z]{2})\s+(\d{1,2})\s+(?:(\d{4})\s+)?(\d{2}):(\d{2}):(\d{2})(?:\s+[A-Z]{2,4})?"
    r"(?:\s+(\d{4}))?(?:\s+[A-Z]{2,4})?"
)
#: A month without its day.
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年(\d{1,2})月)")
#: A day with its month in letters, which leaves no doubt about the order.
_LETTERED = re.compile(
    r"(?:(?P<d>\d{1,2})[- ](?P<m>[A-Za-z]{3})[a-z]*\.?[-, ]+(?P<y>\d{4})|"
    r"(?P<m2>[A-Za-z]{3})[a-z]*\.? (?P<d2>\d{1,2})(?:st|nd|rd|th)?,? +(?P<y2>\d{4}))"
)
#: What people write for "no end".
OPEN = frozenset(
    {"", "-", "--", "/", "长期", "永久", "至今", "无", "无限期", "长期有效", "不限", "now", "none", "null", "n/a"}
)


def offset_seconds(text: str) -> int:
    """`+08:00` as seconds east of Greenwich; ValueError if it is something else."""
    found = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text)
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        raise ValueError("must be hours and minutes like +08:00")
    return (int(found[2]) * 3600 + int(found[3]) * 60) * (-1 if found[1] == "-" else 1)


def moment_ns(text: str, utc_offset_s: int) -> tuple[int, bool]:
    """A date, or a date with a time, and whether it had a time. ValueError with the reason if it is none."""
    tidy = plain(text)
    if _SERIAL.fullmatch(tidy) and _SERIAL_FIRST <= float(tidy) <= _SERIAL_LAST:
        moment = _SERIAL_EPOCH + timedelta(days=float(tidy))
        return int(moment.timestamp()) * SECOND_NS - utc_offset_s * SECOND_NS, "." in tidy and not float(
            tidy
        ).is_integer()
    if lettered := _LETTERED.fullmatch(tidy):
        tidy = _with_number(lettered)
    found = _DATED.fullmatch(tidy) or _COMPACT.fullmatch(tidy.removesuffix(".0"))
    if found is None:
        if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}", tidy):
            raise ValueError("the year must come first: day and month cannot be told apart")
        raise ValueError("is no date")
    part = found.groupdict()
    numbers = [
        int(value or 0)
        for value in (
            part["y"],
            part["m"] or part.get("m2"),
            part["d"] or part.get("d2"),
            part["h"],
            part["mi"],
            part["s"],
        )
    ]
    try:
        moment = datetime(*numbers, tzinfo=UTC)  # type: ignore[misc, arg-type]  # six numbers
    except ValueError as error:
        raise ValueError(f"is no date: {error}") from None
    zone = part.get("zone")
    offset = utc_offset_s if not zone else 0 if zone == "Z" else offset_seconds(zone)
    return (int(moment.timestamp()) - offset) * SECOND_NS, part["h"] is not None


def first_ns(text: str, utc_offset_s: int) -> int:
    """The first instant of a date, or of a month; ALWAYS where there is none."""
    if text.strip().lower() in OPEN:
        return ALWAYS
    if month := _MONTH.fullmatch(plain(text)):
        text = f"{month[1]}-{month[2] or month[3]}-1"
    return moment_ns(text, utc_offset_s)[0]


def end_ns(text: str, utc_offset_s: int) -> int:
    """The instant after the last one of a date: a day, or a month, counts to its end. FOREVER where there is none."""
    if text.strip().lower() in OPEN:
        return FOREVER
    if (month := _MONTH.fullmatch(plain(text))) and 1 <= int(month[2] or month[3]) <= 12:
        number = int(month[1]) * 12 + int(month[2] or month[3])  # of the month after it, counted from zero
        return moment_ns(f"{number // 12}-{number % 12 + 1}-1", utc_offset_s)[0]
    at, timed = moment_ns(text, utc_offset_s)
    return at + (SECOND_NS if timed else DAY_NS)


def _with_number(found: re.Match[str]) -> str:
    """`6 May 2023` as 2023-5-6; as it was where there is no such month."""
    name = (found["m"] or found["m2"]).capitalize()
    if name not in _MONTHS:
        return found[0]
    return f"{found['y'] or found['y2']}-{_MONTHS[name]}-{found['d'] or found['d2']}"


def log_moment_ns(text: str, utc_offset_s: int, year: int | None = None) -> int:
    """The time of a line of a log, in nanoseconds since the epoch; `year` is for times that state none.

    `Mon Mar  2 08:00:00 2026`, `Mar  2 2026 08:00:00 CST`, `Mar  2 08:00:00`, or any date of books. ValueError with the
    reason if it is none.
    """
    found = _LOGGED.fullmatch(text.strip())
    if found is None or found[1] not in _MONTHS:
        return moment_ns(text, utc_offset_s)[0]
    stated = found[3] or found[7] or year
    if stated is None:
        raise ValueError("the time has no year")
    try:
        moment = datetime(
            int(stated), _MONTHS[found[1]], int(found[2]), int(found[4]), int(found[5]), int(found[6]), tzinfo=UTC
        )
    except ValueError as error:
        raise ValueError(f"the time {short(text)} is none: {error}") from None
    return (int(moment.timestamp()) - utc_offset_s) * SECOND_NS


def instant_text(ns: int, utc_offset_s: int = 0) -> str:
    """An instant for people, so far east of Greenwich; the day alone if it is its first instant; `always`, `open`."""
    if ns <= ALWAYS:
        return "always"
    if ns >= FOREVER:
        return "open"
    moment = _moment(ns // SECOND_NS + utc_offset_s)
    return f"{moment:%Y-%m-%d}" if ns // SECOND_NS % 86_400 == -utc_offset_s % 86_400 else f"{moment:%Y-%m-%d %H:%M:%S}"


def utc_text(ns: int) -> str:
    """`2026-01-02 03:04:05Z`, which is read back as the same instant."""
    return f"{_moment(ns // SECOND_NS):%Y-%m-%d %H:%M:%S}Z"


def _moment(seconds: int) -> datetime:
    """Books name years before 1970, too, which a packet's time does not."""
    return datetime.fromtimestamp(max(_FIRST_SECOND, min(seconds, LAST_SECOND)), UTC)
