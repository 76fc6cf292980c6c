"""Packet filters as the kernel runs them: compiled by libpcap from an expression, or the numbers of `tcpdump -ddd`.

Filters see frames as the kernel does: a VLAN tag that was taken off is not in them, so `vlan` never matches there, and
`port 3333` does.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
from typing import Any

Instruction = tuple[int, int, int, int]

ETHERNET = 1  # DLT_EN10MB
SNAPLEN = 262_144
#: BPF_MAXINSNS of linux/bpf_common.h.
MAX_INSTRUCTIONS = 4_096
#: The library's name where distributions have it (Debian's; libpcap's own is found by asking).
SONAME = "libpcap.so.0.8"
NO_NETMASK = 0xFFFFFFFF  # PCAP_NETMASK_UNKNOWN


class FilterError(Exception):
    """A filter that cannot be used; the text is one sentence."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.POINTER(_Instruction)))


def read_filter(text: str) -> tuple[Instruction, ...]:
    """The instructions of a filter: an expression of pcap-filter(7), or the decimal numbers that `tcpdump -ddd` prints.

    Empty text is no filter. FilterError says what is wrong with another.
    """
    fields = text.split()
    if not fields:
        return ()
    if all(field.isdecimal() for field in fields) and len(fields) > 1:
        return _numbers([int(field) for field in fields])
    return _compile(text)


def _numbers(numbers: list[int]) -> tuple[Instruction, ...]:
    count, rest = numbers[0], numbers[1:]
    if not 0 < count <= MAX_INSTRUCTIONS or len(rest) != 4 * count:
        raise FilterError(
            f"a filter in numbers says its count and then four numbers each: {count} and {len(rest)} do not fit"
        )
    rows = [(rest[at], rest[at + 1], rest[at + 2], rest[at + 3]) for at in range(0, len(rest), 4)]
    for code, jt, jf, k in rows:
        if code > 0xFFFF or jt > 0xFF or jf > 0xFF or k > 0xFFFFFFFF:
            raise FilterError(f"a filter in numbers has one that is too large in {code} {jt} {jf} {k}")
    return tuple(rows)


def _compile(expression: str) -> tuple[Instruction, ...]:
    if "\0" in expression:
        raise FilterError("a filter cannot hold a zero byte")
    library = _libpcap()
    handle = library.pcap_open_dead(ETHERNET, SNAPLEN)
    program = _Program()
    try:
        if library.pcap_compile(handle, ctypes.byref(program), expression.encode(), 1, NO_NETMASK):
            raise FilterError(f"filter {expression!r}: {library.pcap_geterr(handle).decode('utf-8', 'replace')}")
        rows = program.instructions[: program.length]
        found = tuple((int(row.code), int(row.jt), int(row.jf), int(row.k)) for row in rows)
        library.pcap_freecode(ctypes.byref(program))
        return found
    finally:
        library.pcap_close(handle)


def _loaded(name: str | None) -> Any:
    """The library of this name; None if there is none."""
    try:
        return ctypes.CDLL(name) if name else None
    except OSError:
        return None


def _libpcap() -> Any:
    library = None
    with contextlib.suppress(OSError):  # asking for its name starts programs, which a sandbox does not let
        library = _loaded(SONAME) or _loaded(ctypes.util.find_library("pcap"))
    if library is None:
        raise FilterError(
            "a filter in words needs libpcap (Debian: libpcap0.8); give the numbers of `tcpdump -ddd` instead"
        )
    library.pcap_open_dead.restype = ctypes.c_void_p
    library.pcap_open_dead.argtypes = (ctypes.c_int, ctypes.c_int)
    library.pcap_compile.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint)
    library.pcap_geterr.restype = ctypes.c_char_p
    library.pcap_geterr.argtypes = (ctypes.c_void_p,)
    library.pcap_freecode.argtypes = (ctypes.c_void_p,)
    library.pcap_close.argtypes = (ctypes.c_void_p,)
    return library
