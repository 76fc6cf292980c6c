"""The addresses of a row, as people write them in one cell or in several: ranges, masks, lists, labels.

A cell is read from its first sign to its last. What is no part of an address, a mask, a separator or a label makes the
row doubtful: ValueError with the reason, and nothing is guessed. A mask is never an address. It knows no holder.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sensor.attribution.formats.masks import dotted_mask, is_mask, mask_length
from sensor.attribution.index.ranges import BITS, AddressRange, address_text, between, prefix
from sensor.sheets.text import plain, short

#: Shortest prefixes that one customer may have: less is a mistake that would name it for half the Internet.
LEAST_PREFIX = {4: 8, 6: 16}
#: Networks in which no customer's address lies (RFC 6890, RFC 4291): this network, loopback, multicast, reserved.
_NOT_HOSTS = tuple(map(prefix, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "ff00::/8")))
#: Addresses that are named beside a customer's and are not the customer's.
_BESIDE = r"网关(?:地址|ip)*|默认网关|gateway|gw|dns\d?|域名服务器|广播(?:地址)?|broadcast"
_MASKS = r"子网掩码|反掩码|通配符掩码|掩码|subnet\s*mask|netmask|wildcard|mask"
_LABELS = (
    r"(?:公网|静态|固定|外网|主用|备用|起始|终止|ipv[46]?)*"
    r"(?:ipv[46]|ip地址段|ip地址|ip段|ip|地址段|地址|网段|起始|主用|备用|主|备)"
)
_TOKEN = re.compile(
    rf"(?P<beside>(?:{_BESIDE})\s*(?:[:=]|为|是)?)"
    rf"|(?P<masked>(?:{_MASKS})\s*(?:[:=]|为|是)?)"
    r"|(?P<count>共?\s*\d+\s*(?:个|ips?\b)(?:ip)?(?:地址)?)"
    rf"|(?P<label>{_LABELS}\s*(?:[:=]|为|是)?)"
    r"|(?P<six>(?<![0-9a-z:])(?=[0-9a-f:]*:[0-9a-f:]*:)[0-9a-f:]+(?:(?<=:)\d+\.\d+\.\d+\.\d+|\.\d+\.\d+\.\d+)?(?:%\w+)?)"
    r"|(?P<four>(?<![0-9a-z])(?<!\d\.)\d+\.\d+\.\d+\.\d+(?!\.?\d|(?!to)[a-z]))"
    r"|(?P<part>(?<![0-9a-z])(?<!\d\.)\d+(?:\.\d+){0,2}(?:位|bits?)?(?![0-9a-z.]))"
    r"|(?P<slash>\s*/\s*)"
    r"|(?P<dash>\s*(?:-+>?|→|至|到|\bto\b|\.{2,})\s*)"
    r"|(?P<apart>[\s,;|+&]+|和|及|与|以及|\band\b)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[([0-9a-f:.]*:[0-9a-f:.%\w]*)\]", re.IGNORECASE)
_REMARK = re.compile(r"[(\[【「<《{]([^()\[\]【】「」<>《》{}]*)(?:[)\]】」>》}]|$)|(?:备注|注[:：]|#).*$", re.DOTALL)
_MASK_IN_REMARK = re.compile(rf"\s*(?:{_MASKS})?\s*[:=为]?\s*/?\s*(\d+\.\d+\.\d+\.\d+)\s*")
_HAS_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f]*:[0-9a-f]", re.IGNORECASE)
_BESIDE_ONLY = re.compile(rf"\s*(?:{_BESIDE})", re.IGNORECASE)


class AddressCells(NamedTuple):
    """What the cells of a row say: the ranges, and what was left out or narrowed."""

    ranges: list[AddressRange]
    notes: tuple[str, ...]


class _Piece(NamedTuple):
    """A range, whether it is one address that stands alone, and its prefix length where that is written."""

    span: AddressRange
    bare: bool
    length: int | None = None


def read_addresses(text: str, last: str = "", mask: str = "") -> AddressCells:
    """The ranges that these cells mean: `last` is the end of the range, `mask` a mask or a length of its own column.

    ValueError with the reason where they contradict each other, or are doubtful.
    """
    remarks: list[str] = []
    pieces, notes = _read_cell(text, remarks)
    if not pieces:
        raise ValueError("no address")
    if last.strip() and last.strip() != text.strip():
        pieces, more = _ended(pieces, last, remarks)
        notes += more
    if mask.strip():
        pieces, more = _masked(pieces, mask_length(mask), mask)
        notes += more
    if remarks:
        notes.append(f"the remark {short(' '.join(remarks))} beside the address was left out")
    spans = list(dict.fromkeys(piece.span for piece in pieces))
    for span in spans:
        refuse_impossible(span)
    return AddressCells(spans, tuple(notes))


def _read_cell(text: str, remarks: list[str]) -> tuple[list[_Piece], list[str]]:
    tidy = _BRACKETED.sub(r" \1 ", plain(text).strip("'\" ").replace("\\", "/"))
    notes: list[str] = []
    tidy = _without_remarks(tidy, remarks)
    pieces: list[_Piece] = []
    tokens = _Tokens(tidy)
    beside, masked = False, 0
    while (kind := tokens.kind) is not None:
        if kind in ("apart", "label", "count"):
            tokens.take()
        elif kind == "beside":
            tokens.take()
            beside = True
        elif kind == "masked" or (kind == "four" and pieces and is_mask(tokens.value)):
            ours, more = _own_mask(tokens, pieces[masked:], kind)
            pieces[masked:] = ours
            masked = len(pieces)
            notes += more
        elif kind in ("four", "six"):
            piece = _range(tokens)
            if beside:
                notes.append(
                    f"{short(address_text(piece.span.version, piece.span.first))} is named beside it and was left out"
                )
                beside = False
            else:
                pieces.append(piece)
        else:
            raise ValueError("is no address")
    if masked and any(piece.bare for piece in pieces[masked:]):
        raise ValueError("an address stands behind a mask: whose it is, is not stated")
    return pieces, notes


def _without_remarks(text: str, remarks: list[str]) -> str:
    """The text without what stands in brackets or behind a sign for remarks; a mask in brackets stays."""

    def replaced(found: re.Match[str]) -> str:
        inner = found[1] or ""
        mask = _MASK_IN_REMARK.fullmatch(inner) if inner else None
        if mask is not None and dotted_mask(mask[1]) is not None:
            return f" {mask[1]} "
        whole = found[0].strip()
        if inner and _HAS_ADDRESS.search(inner) and not _BESIDE_ONLY.match(inner):
            raise ValueError(f"an address stands in the remark {short(whole)}: which of them is meant is not stated")
        remarks.append(whole)
        return " "

    if not _REMARK.search(text):
        return text
    bare = _REMARK.sub(replaced, text).strip()
    if not bare:
        raise ValueError("is no address")
    return bare


class _Tokens:
    """The tokens of a cell, from the first to the last."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self.kind: str | None = None
        self.value = ""
        self._look()

    def take(self) -> str:
        """The value of the token; the next is looked at."""
        value = self.value
        self._look()
        return value

    def _look(self) -> None:
        if self._at >= len(self._text):
            self.kind, self.value = None, ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None or found.end() == self._at:
            raise ValueError("is no address")
        self.kind, self.value, self._at = str(found.lastgroup), found[0], found.end()


def _range(tokens: _Tokens) -> _Piece:
    """An address, a prefix, or a range to another address or to the last parts of it."""
    text = tokens.take()
    if is_mask(text):
        raise ValueError(f"{text} is a mask, no address")
    if tokens.kind == "slash":
        tokens.take()
        if tokens.kind == "part":
            length = mask_length(tokens.take())
            return _Piece(prefix(f"{text}/{length}"), False, length)
        if tokens.kind == "four" and dotted_mask(tokens.value) is not None:
            length = mask_length(tokens.take())
            return _Piece(prefix(f"{text}/{length}"), False, length)
        if tokens.kind in ("four", "six"):
            return _Piece(between(text, ""), True)  # the slash stands between two addresses
        raise ValueError("is no address")
    if tokens.kind != "dash":
        return _Piece(between(text, ""), True)
    tokens.take()
    if tokens.kind not in ("four", "six", "part"):
        raise ValueError("the range has no end")
    kind, end = tokens.kind, tokens.take()
    span = between(text, _whole_end(text, end) if kind == "part" else end)
    if tokens.kind == "slash":
        tokens.take()
        length = mask_length(tokens.take())
        _within(span, length)
    return _Piece(span, False)


def _whole_end(first: str, end: str) -> str:
    """`14` behind 192.0.2.1 is 192.0.2.14, `3.14` is 192.0.3.14."""
    parts, tail = first.split("."), end.split(".")
    if len(parts) != 4 or not end.replace(".", "").isdigit():
        raise ValueError("the end of the range is no address")
    return ".".join([*parts[: 4 - len(tail)], *tail])


def _own_mask(tokens: _Tokens, pieces: list[_Piece], kind: str) -> tuple[list[_Piece], list[str]]:
    """A mask within the cell belongs to the addresses before it."""
    if kind == "masked":
        tokens.take()
        while tokens.kind in ("apart", "slash"):
            tokens.take()
    if tokens.kind not in ("four", "part") or not pieces:
        raise ValueError("a mask without its address")
    text = tokens.take()
    return _masked(pieces, mask_length(text), text)


def _masked(pieces: list[_Piece], length: int, mask: str) -> tuple[list[_Piece], list[str]]:
    """The networks of addresses that have this mask.

    A network's first address means the network. Another one is a host's, and its mask is that of the network it lies
    in: only this address is certainly the row's.
    """
    bare = [piece for piece in pieces if piece.bare]
    for piece in pieces:
        if not piece.bare:
            _within(piece.span, length)
        if piece.length not in (None, length):
            raise ValueError("the prefix length and the mask contradict each other")
        if not 0 <= length <= BITS[piece.span.version]:
            raise ValueError(f"the mask {short(mask)} is none")
    networks = [piece for piece in bare if not piece.span.first & _host_bits(piece.span.version, length)]
    inside_one = len({piece.span.first >> (BITS[piece.span.version] - length) for piece in bare}) < len(bare)
    if bare and len(networks) == len(bare) and not inside_one:
        return [_network(piece, length) if piece.bare else piece for piece in pieces], []
    if networks and len(bare) > 1 and not inside_one:
        raise ValueError(f"the mask {short(mask)} fits only some of the addresses")
    if not bare or length == BITS[bare[0].span.version]:
        return pieces, []
    first = bare[0].span
    many = "these addresses are" if len(bare) > 1 else "this address alone is"
    return pieces, [
        f"{address_text(first.version, first.first)} is a host of its network (mask {short(mask)}): {many} taken"
    ]


def _network(piece: _Piece, length: int) -> _Piece:
    version, first, _ = piece.span
    return _Piece(AddressRange(version, first, first | _host_bits(version, length)), False)


def _host_bits(version: int, length: int) -> int:
    return (1 << (BITS[version] - length)) - 1


def _within(span: AddressRange, length: int) -> None:
    """The range must lie in one network of this length."""
    bits = BITS[span.version]
    if not 0 <= length <= bits or span.first >> (bits - length) != span.last >> (bits - length):
        raise ValueError("the range and its mask contradict each other")


def _ended(pieces: list[_Piece], last: str, remarks: list[str]) -> tuple[list[_Piece], list[str]]:
    """The ranges from the addresses of one cell to those of another."""
    tidy = plain(last).strip("'\" ")
    if len(pieces) == 1 and re.fullmatch(r"\d{1,3}(\.\d{1,3}){0,2}", tidy) and pieces[0].bare:
        first = address_text(pieces[0].span.version, pieces[0].span.first)
        return [_Piece(between(first, _whole_end(first, tidy)), False)], []
    ends, notes = _read_cell(last, remarks)
    if len(ends) != len(pieces):
        raise ValueError("the first and the last addresses are not equally many")
    return [_joined(piece, end) for piece, end in zip(pieces, ends, strict=True)], notes


def _joined(first: _Piece, end: _Piece) -> _Piece:
    if not end.bare:
        raise ValueError("the end of the range is no single address")
    if not first.bare:
        if first.span.last != end.span.last or first.span.version != end.span.version:
            raise ValueError("the range and its last address contradict each other")
        return first
    low, high = first.span, end.span
    if low.version != high.version:
        raise ValueError("begins with one version of IP and ends with the other")
    if low.first > high.first:
        raise ValueError("the range is reversed")
    return _Piece(AddressRange(low.version, low.first, high.first), False)


def refuse_impossible(span: AddressRange) -> None:
    """ValueError for a range that no customer can have."""
    version, first, last = span
    if last - first >= 1 << (BITS[version] - LEAST_PREFIX[version]):
        raise ValueError("is more than one holder can have")
    for reserved in _NOT_HOSTS:
        if reserved.version == version and first <= reserved.last and last >= reserved.first:
            what = (
                "is a mask, no address" if version == 4 and is_mask(address_text(4, first)) else "is no host's address"
            )
            raise ValueError(what)
