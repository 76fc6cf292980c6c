"""The head of the audit's chain as one line of text: how many rows there are, and the hash of the last one.

The same line stands in syslog, on a bulletin and in a file of anchors, so that any of them can be held against the
chain later. Knows no store and no key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from sensor.model.time import SECOND_NS, rfc3339_text

#: Begins every line; the number is that of its form. Markdown has a backslash before an equals sign.
MARK = "minewatch-audit/1"
LINE = re.compile(
    MARK + r" chain\\?=(?P<chain>[0-9a-f]{16}) rows\\?=(?P<rows>[1-9][0-9]{0,14})"
    r" (?P<algorithm>sha256|sm3)\\?=(?P<digest>[0-9a-f]{64})"
    r" at\\?=(?P<at>[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z)"
    r"(?P<signed> key=(?P<key>[0-9a-f]{16}) ed25519=(?P<signature>[0-9a-f]{128}))?",
    re.ASCII,
)


class AuditHead(NamedTuple):
    """How the chain stood at a moment."""

    chain: str  # drawn when the chain began: tells chains apart
    rows: int
    algorithm: str  # by which the last row was hashed
    digest: str
    at_ns: int  # when it was read; whole seconds

    @property
    def text(self) -> str:
        """The line, unsigned."""
        return (
            f"{MARK} chain={self.chain} rows={self.rows} {self.algorithm}={self.digest} at={rfc3339_text(self.at_ns)}"
        )


class AuditAnchor(NamedTuple):
    """A head that stands somewhere else, signed or not."""

    head: AuditHead
    key: str = ""  # fingerprint of the key that signed it
    signature: str = ""

    @property
    def signed_text(self) -> str:
        """What a signature is of: the line before it."""
        return f"{self.head.text} key={self.key}"

    @property
    def text(self) -> str:
        """The line."""
        return f"{self.signed_text} ed25519={self.signature}" if self.signature else self.head.text


def anchors_in(text: str) -> Iterator[AuditAnchor]:
    """Every anchor in a text, whatever stands around it; what is none is left out."""
    for found in LINE.finditer(text):
        try:
            at = datetime.strptime(found["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:  # no such day
            continue
        at_ns = int(at.timestamp()) * SECOND_NS
        head = AuditHead(found["chain"], int(found["rows"]), found["algorithm"], found["digest"], at_ns)
        yield AuditAnchor(head, found["key"] or "", found["signature"] or "")
