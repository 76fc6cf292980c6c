"""The head of one HTTP message (RFC 9112): start line, headers, and what they say about the body. Total over hostile
bytes.

Of the headers only those that speak of mining, of the software and of the place are kept; of Basic credentials only
the user name.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from sensor.model.text import printable
from sensor.signatures.secret_text import BLANK

MAX_HEAD_BYTES = 16_384
MAX_VALUE = 512
MAX_TARGET = 1_024

#: Headers of BIP 22/23 long polling, of the getwork extensions, of monerod's miners; and who speaks.
RETAINED = re.compile(
    r"x-mining-[a-z-]{1,32}|x-long-polling|x-stratum|x-reject-reason|x-hashes-done|x-hash-difficulty|x-is-longpoll|x-roll-ntime|host|server|content-type"
)
_REQUEST = re.compile(rb"([A-Z]{3,10}) ([^ \r\n]{1,8192}) HTTP/1\.[01]\r?\Z")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\Z")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):[ \t]*([^\r\n]*?)[ \t]*\r?\Z")

#: Scheme, user and password, authority of an absolute form.
_ORIGIN = re.compile(r"([a-z]+://)(?:[^/?#]*@)?([^/?#]*)")
#: Parts of the names of secrets, and short names of theirs.
_SECRET_NAME = r"(?:[^=&;/?]*(?:pass|pwd|secret|token|key|auth|sig)[^=&;/?]*|pw|p|session)"
_IN_QUERY = re.compile(rf"(?i)((?:^|[?&;]){_SECRET_NAME}=)[^&;]*|([0-9a-z]{{26}}[^:%&;]*(?::|%3a))[^&;]*")
#: What follows a colon in a path is a password, as is the part behind the name of a secret.
_IN_PATH = re.compile(rf"(?i)(/{_SECRET_NAME}[/=])[^/]*|((?::|%3a))[^/]*")


@dataclass(slots=True)
class Head:
    """What is known of a message before its body."""

    method: str | None = None  # of a request
    target: str | None = None
    status: int | None = None  # of a response
    user: str | None = None
    user_agent: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    chunked: bool = False
    encoding: str = ""
    upgrade: bool = False  # to WebSocket

    @property
    def speaks_of_mining(self) -> bool:
        """Whether a header is there that only miners and pools send."""
        return any(
            name.startswith(("x-mining-", "x-long-polling", "x-stratum", "x-hash", "x-is-longpoll"))
            for name in self.headers
        )

    def facts(self) -> dict[str, object]:
        """The virtual member `http` of a message: what is there, and nothing else."""
        facts: dict[str, object] = {
            "method": self.method,
            "target": self.target,
            "status": self.status,
            "user": self.user,
            "user_agent": self.user_agent,
        }
        return {**{name: value for name, value in facts.items() if value is not None}, "headers": self.headers}


def start_line(line: bytes) -> Head | None:
    """A request line or a status line; None if it is neither."""
    request = _REQUEST.match(line)
    if request is not None:
        return Head(method=request[1].decode(), target=_target(request[2]))
    status = _STATUS.match(line)
    return Head(status=int(status[1])) if status is not None else None


def read_head(lines: list[bytes]) -> Head | None:
    """The whole head; None if a line is not what it must be."""
    head = start_line(lines[0])
    if head is None:
        return None
    for line in lines[1:]:
        found = _HEADER.match(line)
        if found is None:
            if line[:1] in (
                b" ",
                b"\t",
            ):  # a folded line belongs to the header before it (obsolete, RFC 9112 section 5.2)
                continue
            return None
        if not _note(head, found[1].decode().lower(), found[2]):
            return None
    return head


def _note(head: Head, name: str, raw: bytes) -> bool:
    text = printable(raw[:MAX_VALUE].decode("latin-1"))
    if name == "content-length":
        if not re.fullmatch(r"\d{1,12}", text):
            return False
        head.length = int(text)
    elif name == "transfer-encoding":
        head.chunked = text.lower().endswith("chunked")
    elif name == "content-encoding":
        head.encoding = text.lower()
    elif name == "upgrade":
        head.upgrade = text.lower() == "websocket"
    elif name == "authorization":
        head.user = _basic_user(text)
    elif name == "user-agent":
        head.user_agent = text
    elif RETAINED.fullmatch(name):
        head.headers[name] = text
    return True


def _target(raw: bytes) -> str:
    """The request target without what may be a secret: user and password, which an absolute form may carry (RFC 3986
    section 3.2.1), what is called a secret in path or query, and what follows a colon behind the authority.
    """
    text = printable(raw[:MAX_TARGET].decode("latin-1"))
    origin = _ORIGIN.match(text)
    authority = origin[1] + origin[2] if origin is not None else ""
    path, mark, query = text[origin.end() if origin is not None else 0 :].partition("?")
    return authority + _IN_PATH.sub(_blank, path) + mark + _IN_QUERY.sub(_blank, query)


def _blank(found: re.Match[str]) -> str:
    return (found[1] or found[2]) + BLANK


def _basic_user(text: str) -> str | None:
    """The user of Basic credentials (RFC 7617); the password is dropped here."""
    scheme, _, rest = text.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        plain = base64.b64decode(rest.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    user = plain.partition(b":")[0].decode("utf-8", "replace")
    return printable(user) or None
