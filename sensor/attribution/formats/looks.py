"""What the cells of a column look like, whatever its heading says: addresses, masks, codes, dates, numbers, text.

It decides nothing; a column that looks like addresses and is not used is a warning to whoever reads the book.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from stdnum.cn import uscc

from sensor.attribution.formats.codes import hide
from sensor.attribution.formats.masks import dotted_mask
from sensor.sheets.dates import moment_ns
from sensor.sheets.text import plain, short

_ADDRESS = re.compile(
    r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])|(?=[0-9a-f:]*:[0-9a-f:]*:)[0-9a-f:]{3,}", re.I
)
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", re.I)
_LENGTH = re.compile(r"/\s*\d{1,3}")
#: The signs of a unified social credit code (GB 32100-2015): no I, O, S, V, Z.
_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}")
_CUT_CODE = re.compile(r"\d(?:\.\d+)?[eE]\+1[78]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
#: Numbers of telephones, which are a person's.
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9])\d{7}(\d{2})(?!\d)")
#: So much of a cell is looked at: a longer one looks like its beginning.
_LOOKED_AT = 256
#: The part of the filled cells that must look alike.
_MAJORITY = 0.5


def cell_looks(text: str) -> str:
    """`addresses`, `masks`, `codes`, `dates`, `numbers` or `text`; empty for an empty cell."""
    tidy = plain(text[:_LOOKED_AT])
    if not tidy or tidy in ("-", "/", "无"):
        return ""
    if dotted_mask(tidy.strip("/ ")) is not None or _LENGTH.fullmatch(tidy):
        return "masks"
    if _ADDRESS.search(tidy) and not _MAC.search(tidy):
        return "addresses"
    bare = re.sub(r"[\s-]", "", tidy).upper()
    if _CUT_CODE.fullmatch(tidy) or (len(bare) == 18 and (uscc.is_valid(bare) or _CODE.fullmatch(bare))):
        return "codes"
    if _NUMBER.fullmatch(tidy) and not (len(tidy) == 8 and tidy[:2] in ("19", "20")):
        return "numbers"
    try:
        moment_ns(tidy, 0)
    except ValueError:
        return "text"
    return "dates"


def column_looks(cells: Iterable[str]) -> str:
    """What at least half of the filled cells of a column look like; empty where all are empty, else `text`."""
    counts = Counter(look for text in cells if (look := cell_looks(text)))
    if not counts:
        return ""
    look, count = counts.most_common(1)[0]
    return look if count >= _MAJORITY * counts.total() else "text"


def sample_of(text: str) -> str:
    """A cell fit to be shown: short, with what may be a person's number masked."""
    return short(_PHONE.sub(r"\1*******\2", hide(plain(text))), 30)
