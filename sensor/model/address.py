"""Addresses that people and files write, in the one form that records have: IPv6 as in RFC 5952, and IPv4 within IPv6
(`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) as IPv4.

Whatever takes an address from outside goes through here: options, settings, books, and what a connection names. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from socket import AF_INET, AF_INET6, inet_pton

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: Of the prefix ::ffff:0:0/96, behind which IPv4 addresses are written in IPv6.
MAPPED_BITS = 96
MAPPED = b"\0" * 10 + b"\xff\xff"
#: The interface behind an address of one link only (RFC 4007 section 11.2): packets do not have it.
_ZONE = re.compile(r"%[^%/\s]+$")
_WITH_PORT = re.compile(r"\[(?P<six>[^\[\]]+)\]:(?P<port6>\d{1,5})|(?P<four>[^:\[\]]+):(?P<port4>\d{1,5})")


def number(text: str) -> tuple[int, int]:
    """The version (4 or 6) and the value of an address in any spelling. ValueError ("is no address") if it is none."""
    try:
        if ":" not in text:
            return 4, int.from_bytes(inet_pton(AF_INET, text), "big")
        value = int.from_bytes(inet_pton(AF_INET6, text), "big")
    except (OSError, UnicodeError, ValueError):
        tidy = _tidy(text)
        if tidy == text:
            raise ValueError("is no address") from None
        return number(tidy)
    return (4, value & 0xFFFFFFFF) if value >> 32 == 0xFFFF else (6, value)


def parse_address(text: str) -> Address:
    """An address in any spelling. ValueError in one sentence if it is none."""
    try:
        version, value = number(text)
    except ValueError:
        raise ValueError(f"{text!r} is no address") from None
    return ipaddress.IPv4Address(value) if version == 4 else ipaddress.IPv6Address(value)


def canonical(text: str) -> str:
    """An address in the form that records have. ValueError in one sentence if it is none."""
    return str(parse_address(text))


def canonical_if_address(text: str) -> str:
    """An address in the form that records have; any other text as it is."""
    try:
        return canonical(text)
    except ValueError:
        return text


def of_bytes(data: bytes) -> str:
    """An address of 4 or 16 bytes in the form that records have."""
    if len(data) == 16 and data[:12] != MAPPED:
        return str(ipaddress.IPv6Address(data))
    return "{}.{}.{}.{}".format(*data[-4:])


def parse_network(text: str) -> Network:
    """A network or an address in any spelling. ValueError in one sentence if it is none, or has bits behind its
    length."""
    base, slash, length = text.strip().partition("/")
    try:
        address = parse_address(base)
        if slash and address.version == 4 and ":" in base and length.isdigit() and int(length) >= MAPPED_BITS:
            length = str(int(length) - MAPPED_BITS)
        elif slash and address.version == 4 and ":" in base:
            return ipaddress.ip_network(text.strip())
        return ipaddress.ip_network(f"{address}{slash}{length}")
    except ValueError as error:
        raise ValueError(f"{text!r} is no network: {error}") from None


def parse_endpoint(text: str) -> tuple[str, int | None]:
    """`192.0.2.1`, `192.0.2.1:3333`, `2001:db8::1`, `[2001:db8::1]:3333`: the address in the form that records have,
    and the port. ValueError in one sentence."""
    try:
        return canonical(text), None
    except ValueError:
        found = _WITH_PORT.fullmatch(text.strip())
    if found is not None:
        try:
            address = canonical(found["six"] or found["four"])
        except ValueError:
            pass
        else:
            port = int(found["port6"] or found["port4"])
            if port > 65_535:
                raise ValueError(f"{port} is no port")
            return address, port
    raise ValueError(f"{text} is no address, and no address with a port")


def _tidy(text: str) -> str:
    """Without spaces and brackets around it, and without the interface behind it."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1].strip()
    return _ZONE.sub("", bare) if ":" in bare else bare
