"""How many addresses a row says that it has, beside the addresses themselves."""

from __future__ import annotations

import re

from sensor.attribution.formats.address_cell import refuse_impossible
from sensor.attribution.index.ranges import BITS, AddressRange
from sensor.sheets.text import plain, short


def expect_count(ranges: list[AddressRange], text: str, begins: bool) -> tuple[list[AddressRange], str]:
    """The ranges, and a note, beside a cell that counts the addresses; `begins`: the address is the first of them.

    A count leaves out the network's own addresses or not, as its writer pleased. ValueError where one address stands
    beside a count of several and may be any of them.
    """
    found = re.fullmatch(r"(\d{1,10})(?:\.0+)?\s*(?:个|ips?)?", plain(text), re.IGNORECASE)
    if found is None or int(found[1]) == 0:
        return ranges, "" if not text.strip() else f"the count {short(text)} is no number and was left out"
    count, total = int(found[1]), sum(last - first + 1 for _, first, last in ranges)
    if total - 3 <= count <= total:
        return ranges, ""
    if total == 1 and begins:
        version, first, _ = ranges[0]
        if first + count > 1 << BITS[version]:
            raise ValueError(f"{count} addresses do not fit behind the first")
        span = AddressRange(version, first, first + count - 1)
        refuse_impossible(span)
        return [span], ""
    if total == 1:
        raise ValueError(f"one address beside a count of {count}: which others are meant is not stated")
    return ranges, f"{total} addresses stand here, {count} are counted"
