"""Sends a capture's frames into an interface as fast as one thread can, or at a rate: many packets a system call
(sendmmsg(2)) and past the queueing discipline, where tcpreplay makes a call for each packet.

`python -m tests.bench.sender INTERFACE CAPTURE SECONDS [PACKETS A SECOND]`; prints what was sent as JSON. For the test
hosts of the benches alone: it needs CAP_NET_RAW in the namespace it runs in.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import sys
import time
from pathlib import Path

SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20  # linux/socket.h, linux/if_packet.h
SO_SNDBUFFORCE = 32  # asm-generic/socket.h
#: On their way at once, so that the sender does not sleep for each few; less than the thousand packets that the other
#: end's backlog holds (net.core.netdev_max_backlog), past which they would be lost and nobody would count them.
SEND_BUFFER_BYTES = 450_000
BURST = 128
#: Frames taken of a capture; it is sent over and over.
MOST_FRAMES = 400_000


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Message(ctypes.Structure):
    """struct mmsghdr: a struct msghdr, and how much of it was sent."""

    _fields_ = (
        *(("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32)),
        *(("vectors", ctypes.POINTER(Vector)), ("vector_count", ctypes.c_size_t)),
        *(("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t), ("flags", ctypes.c_int)),
        ("sent", ctypes.c_uint32),
    )


def messages(data: bytearray) -> tuple[ctypes.Array[Message], list[int], object]:
    """Of a pcap's bytes a message for each frame, their lengths, and what must live as long as they do."""
    starts, lengths, at = [], [], 24
    while at + 16 <= len(data) and len(starts) < MOST_FRAMES:
        (captured,) = struct.unpack_from("<I", data, at + 8)
        starts.append(at + 16)
        lengths.append(captured)
        at += 16 + captured
    base = ctypes.addressof(ctypes.c_char.from_buffer(data))
    vectors, found = (Vector * len(starts))(), (Message * len(starts))()
    for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        vectors[number].base, vectors[number].length = base + start, length
        found[number].vectors, found[number].vector_count = ctypes.pointer(vectors[number]), 1
    return found, lengths, (data, vectors)


def send(interface: str, capture: Path, seconds: float, rate: float) -> dict[str, float]:
    """Send for so long; packets, bits and what was reached."""
    found, lengths, alive = messages(bytearray(capture.read_bytes()))
    library = ctypes.CDLL(None, use_errno=True)
    sent = sent_bytes = at = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        out.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES)
        out.bind((interface, 0))
        began = time.monotonic()
        while (now := time.monotonic()) - began < seconds:
            if rate and sent > (now - began) * rate:
                time.sleep(BURST / 2 / rate)
                continue
            most = min(BURST, len(lengths) - at)
            count = library.sendmmsg(out.fileno(), ctypes.byref(found[at]), most, 0)
            if count < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            sent += count
            sent_bytes += sum(lengths[at : at + count])
            at = (at + count) % len(lengths)
        took = time.monotonic() - began
    del alive
    return {"packets": sent, "pps": sent / took, "mbps": sent_bytes * 8 / took / 1e6}


if __name__ == "__main__":
    name, path, duration, *wanted = sys.argv[1:]
    print(json.dumps(send(name, Path(path), float(duration), float(wanted[0]) if wanted else 0.0)))
