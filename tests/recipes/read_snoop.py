"""Reads a snoop file through the reference core: `python read_snoop.py`, in a tree that has the format."""

from __future__ import annotations

import struct
import sys
import tempfile
from pathlib import Path

from sensor.reference.capture.capture_file import CaptureFile

HEADER = b"snoop\0\0\0" + struct.pack(">2I", 2, 4)
RECORD = struct.pack(">6I", 4, 4, 28, 0, 1_700_000_000, 5) + b"abcd"

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "one.snoop")
    path.write_bytes(HEADER + RECORD)
    packets = list(CaptureFile(str(path)).packets())
sys.exit(packets != [(1_700_000_000_000_005_000, 1, b"abcd")])
