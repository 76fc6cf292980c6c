"""Anchors: the head of the chain where whoever writes the store cannot write. Signed by Ed25519 (RFC 8032), if there is
a key; read from any file that has such lines in it.

The private key stands in a file that only its owner may read. Who has it can sign another chain, so a key on the same
machine helps against other users of it; against its own administrator only lines that stand elsewhere do.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from sensor.audit.store import AuditError
from sensor.model.audit_head import AuditAnchor, AuditHead, anchors_in

CURVE = "Ed25519"
#: Of a file of anchors or of syslog; a year of hourly lines is 2 MB.
MOST_FILE_BYTES = 1 << 30
#: Behind the name of a private key's file: that of the public one.
PUBLIC = ".pub"


class AnchorFault(NamedTuple):
    """Why an anchor is not believed."""

    place: str  # file and line
    sentence: str


class SigningKey:
    """A private key, or a public one, which only checks."""

    def __init__(self, key: ECC.EccKey) -> None:
        self._key = key
        raw: bytes = key.public_key().export_key(format="raw")
        self.fingerprint = hashlib.sha256(raw).hexdigest()[:16]

    @classmethod
    def read(cls, path: Path) -> SigningKey:
        """Read a file. Raises AuditError."""
        try:
            text = path.read_text(encoding="ascii")
            key = ECC.import_key(text)
        except OSError as error:
            raise AuditError(f"{path}: {(error.strerror or str(error)).lower()}") from None
        except (ValueError, IndexError, TypeError, UnicodeDecodeError):
            raise AuditError(f"{path}: no key: minewatch audit key makes one") from None
        if key.curve.lower() != CURVE.lower():
            raise AuditError(f"{path}: a key of {key.curve}, not of {CURVE}: minewatch audit key makes one")
        if key.has_private():
            with contextlib.suppress(OSError):
                if path.stat().st_mode & 0o077:
                    raise AuditError(f"{path}: others may read this private key: chmod 600 {path}")
        return cls(key)

    def sign(self, head: AuditHead) -> AuditAnchor:
        """A head, signed. Raises AuditError with a public key alone."""
        if not self._key.has_private():
            raise AuditError("audit: the key that is to sign is a public one")
        anchor = AuditAnchor(head, self.fingerprint)
        signature: bytes = eddsa.new(self._key, "rfc8032").sign(anchor.signed_text.encode())
        return anchor._replace(signature=signature.hex())

    def mistake(self, anchor: AuditAnchor) -> str | None:
        """Why a signature does not hold; None where it does."""
        if not anchor.signature:
            return "it is not signed"
        if anchor.key != self.fingerprint:
            return f"it is signed by key {anchor.key}, not by {self.fingerprint}"
        try:
            verifier = eddsa.new(self._key.public_key(), "rfc8032")
            verifier.verify(anchor.signed_text.encode(), bytes.fromhex(anchor.signature))
        except ValueError:
            return "its signature is not of these words"
        return None


def make_key(path: Path) -> SigningKey:
    """Make a key: the private one in this file, the public one beside it. Never over a file that is there. Raises
    AuditError."""
    key = ECC.generate(curve=CURVE)
    public = path.with_name(path.name + PUBLIC)
    for place, held, mode in ((path, key, 0o600), (public, key.public_key(), 0o644)):
        try:
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(held.export_key(format="PEM") + "\n")
        except OSError as error:
            raise AuditError(f"{place}: {(error.strerror or str(error)).lower()}") from None
    return SigningKey(key)


def append_anchor(path: Path, anchor: AuditAnchor) -> None:
    """Add a line to a file of anchors, and have it on the disk. Raises AuditError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        with os.fdopen(handle, "wb") as file:
            file.write(f"{anchor.text}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AuditError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def read_anchors(paths: Iterable[Path], key: SigningKey | None) -> tuple[list[AuditAnchor], list[AnchorFault]]:
    """All anchors in files, and why some are not believed: with a key, only those that it signed are. Raises AuditError
    for a file that cannot be read, or has none."""
    anchors: list[AuditAnchor] = []
    faults: list[AnchorFault] = []
    for path in paths:
        found = 0
        try:
            if path.stat().st_size > MOST_FILE_BYTES:
                raise AuditError(f"{path}: longer than {MOST_FILE_BYTES >> 20} MiB")
            with path.open(encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file, 1):
                    for anchor in anchors_in(line):
                        found += 1
                        if key is not None and (reason := key.mistake(anchor)) is not None:
                            faults.append(AnchorFault(f"{path}:{number}", f"the anchor is not believed: {reason}"))
                        else:
                            anchors.append(anchor)
        except OSError as error:
            raise AuditError(f"{path}: {(error.strerror or str(error)).lower()}") from None
        if not found:
            raise AuditError(f"{path}: no anchor of an audit is in it")
    return anchors, faults
