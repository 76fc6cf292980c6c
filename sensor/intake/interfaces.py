"""The network interfaces there are, and whether each can be listened to. Asks the kernel; opens nothing for good."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
from dataclasses import dataclass

# linux/sockios.h, linux/if.h, linux/if_arp.h
SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR = 0x8913, 0x8921, 0x8927
IFF_UP, IFF_RUNNING = 0x1, 0x40
#: Ethernet, loopback, tunnels without a link header, raw IP.
READ_HARDWARE = frozenset((1, 772, 0xFFFE, 519))


@dataclass(frozen=True)
class NetworkInterface:
    """One interface; `why` is what prevents listening, or is to be expected of it, if anything."""

    name: str
    state: str  # "up", "no carrier", "down", "gone"
    mtu: int
    usable: bool
    why: str | None


def list_interfaces() -> list[NetworkInterface]:
    """All interfaces of this network namespace, by name."""
    denied = _denied()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        return [_describe(control, name, denied) for name in sorted(name for _, name in socket.if_nameindex())]


def _denied() -> str | None:
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        return "permission denied: listening needs CAP_NET_RAW"
    except OSError as error:
        return f"packet sockets cannot be opened: {error.strerror}"
    return None


def _describe(control: socket.socket, name: str, denied: str | None) -> NetworkInterface:
    try:
        flags = _ioctl(control, name, SIOCGIFFLAGS, "H")
        mtu, hardware = _ioctl(control, name, SIOCGIFMTU, "i"), _ioctl(control, name, SIOCGIFHWADDR, "H")
    except OSError:
        return NetworkInterface(name, "gone", 0, False, "it has just been deleted")
    state = "down" if not flags & IFF_UP else "up" if flags & IFF_RUNNING else "no carrier"
    if hardware not in READ_HARDWARE:
        return NetworkInterface(name, state, mtu, False, f"frames of hardware type {hardware} are not read")
    waiting = (
        None
        if state == "up"
        else f"it is {state}: nothing is seen until that changes"
        if state == "down"
        else "it has no carrier"
    )
    return NetworkInterface(name, state, mtu, denied is None, denied or waiting)


def _ioctl(control: socket.socket, name: str, call: int, form: str) -> int:
    value = 0
    with contextlib.suppress(UnicodeEncodeError):
        answer = fcntl.ioctl(control, call, struct.pack("16s24x", name.encode()))
        (value,) = struct.unpack_from(form, answer, 16)
    return value
