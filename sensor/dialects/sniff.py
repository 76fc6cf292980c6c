"""What a stream is, by its first bytes: a wrapping, or a framing. Ports are never asked.

Two cases: the very start of a stream is at hand, where every framing has its own mark; or a stream was joined in the middle, where a mark
is looked for in what was seen. What has no mark is read as JSON lines, which says of every line whether it is one.
"""

from __future__ import annotations

import re

PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"
#: A joined stream is decided at the latest with this much of one direction.
MAX_UNDECIDED_BYTES = 512

WRAPPINGS = ("socks5", "socks4", "http-connect", "proxy-v1", "proxy-v2")

#: Stratum V2 messages that have one length only, with their channel bit: what a joined stream is recognised by, and found by after a hole.
V2_MESSAGE = re.compile(
    rb"\0\x80(?:\x1a\x18|\x1c\x14|\x21\x24|\x15[\x2d\x31]|\x20\x30|\x16\x28)\0\0"
    rb"|\0\x80\x1b[\x19-\x39]\0\0|\0\x80\x1d[\x09-\x80]\0\0|\0\0(?:\x01\x06|\x11[\x2d-\x4d]|\x14[\x2f-\x4f])\0\0"
)
#: The first bytes of a stream, whole; the first that matches.
_STARTS = (
    ("proxy-v2", re.compile(re.escape(PROXY_V2))),
    ("proxy-v1", re.compile(rb"PROXY (?:TCP4|TCP6|UNKNOWN)")),
    ("http-connect", re.compile(rb"CONNECT ")),
    ("http", re.compile(rb"(?:GET|POST|HEAD|PUT|OPTIONS|DELETE) |HTTP/1\.")),
    (
        "socks5",
        re.compile(
            rb"\x05(?:\x01[\0-\x09]|\x02[\0-\x09]{2}|\x03[\0-\x09]{3}|\x04[\0-\x09]{4}|[\x05-\x08][\0-\x09]{5})"
        ),
    ),
    ("socks4", re.compile(rb"\x04\x01[\s\S]{2}[\s\S]{4}")),
    # SetupConnection: extension 0, type 0, length, protocol 0 to 2, versions 2 to 2.
    ("stratum-v2", re.compile(rb"\0\0\0[\s\S]{2}\0[\0-\x02]\x02\0\x02\0")),
    ("stratum-v2", V2_MESSAGE),
)
#: Every mark is told within so many bytes.
_MARK_BYTES = 16
#: What a stream that might still become one of them starts with.
_PROMISING = re.compile(rb"[\r\x04\x05\0]|[GPHCOD]")

HTTP_START = re.compile(rb"(?:GET|POST) [^ \r\n]{1,2048} HTTP/1\.[01]\r?\n|HTTP/1\.[01] [1-5]\d\d[^\r\n]{0,256}\r?\n")
#: A text frame of a server, with an object in it.
_SERVER_FRAME = re.compile(rb"\x81(?:[\x02-\x7d]|\x7e[\s\S]{2})\{")


def sniff_start(head: bytes) -> str | None:
    """The framing or wrapping that starts here; None while it may still be several."""
    for name, mark in _STARTS:
        if mark.match(head):
            return name
    if len(head) >= _MARK_BYTES or (head and not _PROMISING.match(head)) or _is_text_line(head):
        return "json-lines"
    return None


def is_text(head: bytes) -> bool:
    """Whether the first byte is one that a text starts with; a stream that starts with another may lack its start unnoticed."""
    return head[:1].isspace() or 0x20 <= head[0] < 0x7F or head.startswith(b"\xef\xbb\xbf")


def sniff_middle(head: bytes) -> str | None:
    """What a stream is that was joined somewhere; None while no mark was seen and more may come."""
    if V2_MESSAGE.search(head):
        return "stratum-v2"
    if HTTP_START.search(head):
        return "http"
    if _SERVER_FRAME.search(head[:MAX_UNDECIDED_BYTES]):
        return "websocket"
    return "json-lines" if b"\n" in head or len(head) >= MAX_UNDECIDED_BYTES else None


def _is_text_line(head: bytes) -> bool:
    """A blank line before the first object (only a blank one can still become the PROXY signature)."""
    return b"\n" in head and not PROXY_V2.startswith(head)
