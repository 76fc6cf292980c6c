"""The forms that books come in: which columns a form needs, and forms by column letter.

Field names are those of the configuration's `columns`.
"""

from __future__ import annotations

import re

#: Forms without headings that can be trusted: the upload template of the filing system, its fifth sheet, data from the
#: third row.
LETTERED = {
    "filing-upload": {
        "first": "C", "last": "D", "use": "E", "valid_from": "F", "organisation": "G", "nature": "H", "unit_class": "I",
        "industry": "J",
        "certificate_type": "K", "certificate": "L", "province": "M", "city": "N", "county": "O", "address": "P",
        "contact": "Q",
        "gateway": "T", "service": "AI",
    }
}  # fmt: skip
LETTERED_SHEET, LETTERED_ROW = {"filing-upload": 5}, {"filing-upload": 3}
#: Fields that a form must have, or it is not that form.
NEEDED = {
    "auto": (),
    "filing": ("first", "organisation"),
    "leased-line": ("first", "organisation"),
    "filing-upload": (),
    "minewatch": ("first", "organisation"),
    "customers": ("subscriber", "organisation"),
}


def column(letters: str) -> int:
    """`A` is 0, `AB` is 27; ValueError for anything else."""
    if not re.fullmatch(r"[A-Za-z]{1,2}", letters):
        raise ValueError(f"{letters!r} is no column letter")
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1
