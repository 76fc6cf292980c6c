"""A network interface, live: a plain packet socket (packet(7)), one system call a packet, slow and lossy when busy.

Gives each packet as a capture file would, with the VLAN tag that the kernel has taken off put back. What a frame holds
is not known here.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence

from sensor.model.time import SECOND_NS
from sensor.reference.capture.bytestream import CaptureError

SCHEME = "iface:"
DELETED = "interface deleted"
ETH_P_ALL = 3
# linux/if_packet.h, asm-generic/socket.h, linux/sockios.h, linux/if_arp.h
SOL_PACKET, ADD_MEMBERSHIP, STATISTICS, AUXDATA, IGNORE_OUTGOING = 263, 1, 6, 8, 23
MR_PROMISC = 1
SO_ATTACH_FILTER, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 26, 33, 35
SIOCGIFFLAGS, SIOCGIFHWADDR, IFF_UP = 0x8913, 0x8927, 1
ETHERNET_LINK, LOOPBACK_HARDWARE = 1, 772
LINKS = {1: ETHERNET_LINK, LOOPBACK_HARDWARE: ETHERNET_LINK, 0xFFFE: 101, 519: 101}
VLAN_VALID, TPID_VALID = 1 << 4, 1 << 6
BPF_RETURN = 0x06

_AUXDATA = struct.Struct("=IIIHHHH")
_TIMESPEC = struct.Struct("@ll")
_MAX_FRAME = 1 << 18
_MOST_HELD = (1 << 30) - 1  # the kernel doubles it, in an int
FIGURES = (
    *("packets", "bytes", "received", "dropped", "freezes", "downs", "up", "last_packet_ns", "last_handled_ns"),
    *("queues", "ring_bytes", "pinned"),
)

Instruction = tuple[int, int, int, int]
LivePacket = tuple[int, int, bytes]


class PacketSocket:
    """One interface being listened to; `figures` are counted on, over all times it was attached."""

    def __init__(
        self,
        source: str,
        figures: dict[str, int],
        *,
        promiscuous: bool,
        ring_bytes: int,
        snaplen: int,
        instructions: Sequence[Instruction],
    ) -> None:
        self.source, self.figures = source, figures
        self._name = source.removeprefix(SCHEME)
        if not hasattr(socket, "AF_PACKET"):
            raise CaptureError(source, "interfaces are listened to under Linux only")
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except PermissionError:
            raise CaptureError(source, "permission denied") from None
        try:
            self._index = socket.if_nametoindex(self._name)
            hardware = self._ioctl(SIOCGIFHWADDR)
            if hardware not in LINKS:
                raise CaptureError(source, f"frames of hardware type {hardware} are not read")
            self.link = LINKS[hardware]
            self._hold(min(ring_bytes, _MOST_HELD))
            self.figures["queues"] = 1
            self._set_up(promiscuous, hardware == LOOPBACK_HARDWARE, snaplen, instructions)
        except (OSError, ValueError) as error:
            self._socket.close()
            missing = not isinstance(error, OSError) or error.errno in (errno.ENODEV, errno.ENXIO, None)
            raise CaptureError(source, "no such interface" if missing else str(error)) from None
        except CaptureError:
            self._socket.close()
            raise
        self.look_after()

    def _set_up(self, promiscuous: bool, loopback: bool, snaplen: int, instructions: Sequence[Instruction]) -> None:
        most = snaplen or 0xFFFFFFFF
        program = [(code, jt, jf, min(k, most) if code == BPF_RETURN else k) for code, jt, jf, k in instructions]
        self._attach_filter(program or [(BPF_RETURN, 0, 0, most)])
        self._socket.setsockopt(SOL_PACKET, AUXDATA, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if loopback:  # there each packet is sent and received
            self._socket.setsockopt(SOL_PACKET, IGNORE_OUTGOING, 1)
        if promiscuous:
            self._socket.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, struct.pack("iHH8s", self._index, MR_PROMISC, 0, b""))
        self._socket.setblocking(False)
        self._socket.bind((self._name, ETH_P_ALL))

    def _hold(self, most: int) -> None:
        """Let so many bytes wait while the reader is busy; without the right, as many as net.core.rmem_max allows."""
        if not most:
            return
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, most)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, most)

    def _attach_filter(self, program: Sequence[Instruction]) -> None:
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
        self._socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code))
        )

    def _ioctl(self, call: int) -> int:
        import fcntl  # not there under Windows, where captures are read all the same

        answer = fcntl.ioctl(self._socket, call, struct.pack("16s24x", self._name.encode()))
        value: int = struct.unpack_from("H", answer, 16)[0]
        return value

    def take(self, most: int) -> Iterator[LivePacket]:
        """Packets that are there, at most so many: time, link type, bytes."""
        for _ in range(most):
            try:
                frame, ancillary, _, _ = self._socket.recvmsg(_MAX_FRAME, 256)
            except BlockingIOError:
                return
            except OSError:  # the interface went down
                self.look_after()
                return
            ts_ns = time.time_ns()
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                    seconds, rest = _TIMESPEC.unpack_from(data)
                    ts_ns = seconds * SECOND_NS + rest
                elif (level, kind) == (SOL_PACKET, AUXDATA) and self.link == ETHERNET_LINK:
                    frame = _with_tag(frame, data)
            self.figures["packets"] += 1
            self.figures["bytes"] += len(frame)
            yield ts_ns, self.link, frame
            self.figures["last_packet_ns"], self.figures["last_handled_ns"] = ts_ns, time.time_ns()

    def look_after(self) -> bool:
        """Take over the kernel's counts and see whether the interface is up. False: it is deleted."""
        with contextlib.suppress(OSError):
            received, dropped = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, STATISTICS, 8))
            self.figures["received"] += received
            self.figures["dropped"] += dropped
        up, there = 0, False
        with contextlib.suppress(OSError):
            there = socket.if_nametoindex(self._name) == self._index
            up = self._ioctl(SIOCGIFFLAGS) & IFF_UP if there else 0
        self.figures["downs"] += self.figures["up"] and not up
        self.figures["up"] = up
        return there

    def stop(self) -> None:
        """Let nothing more in."""
        with contextlib.suppress(OSError):
            self._attach_filter([(BPF_RETURN, 0, 0, 0)])

    def close(self) -> None:
        self.figures["up"] = 0
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()


def _with_tag(frame: bytes, data: bytes) -> bytes:
    if len(data) < _AUXDATA.size or len(frame) < 12:
        return frame
    status, _, _, _, _, tci, tpid = _AUXDATA.unpack_from(data)
    if not status & VLAN_VALID:
        return frame
    return frame[:12] + struct.pack(">HH", tpid if status & TPID_VALID else 0x8100, tci) + frame[12:]


def wait_for(interfaces: Sequence[PacketSocket], seconds: float) -> None:
    """Wait until one of them has something."""
    select.select(interfaces, [], [], seconds)
