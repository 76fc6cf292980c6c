"""Times and file names as events write them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath

NS = 1_000_000_000


def timestamp(ns: int) -> str:
    """`2026-01-02T03:04:05.678901+0000`; what a packet clock may say beyond year 9999 is cut to its last instant."""
    seconds, rest = divmod(max(0, ns), NS)
    moment = datetime.fromtimestamp(min(seconds, 253_402_300_799), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1_000:06d}+0000"


def file_name(source: str) -> str:
    """The last part of a source's name, whichever system's separators it has."""
    return PureWindowsPath(PurePosixPath(source).name).name or source
