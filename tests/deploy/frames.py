"""Sends frames from the switch's end of the mirror port: what a sensor behind it must see."""

import socket
import sys
import time

#: A broadcast of an Ethernet type for experiments (IEEE 802, 0x88b5), padded to the least length.
FRAME = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x88\xb5" + b"minewatch" * 6

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as switch:
    switch.bind(("switch0", 0))
    for _ in range(int(sys.argv[1])):
        switch.send(FRAME)
        time.sleep(0.001)
