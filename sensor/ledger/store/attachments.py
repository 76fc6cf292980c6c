"""Files of cases in a folder beside the ledger, each under its SHA-256: what was uploaded decides no path.

A file is written under a name of its own, flushed, and takes its place at once; what a killed process left is swept
away. The table of attachments says what belongs to which case (`sensor/ledger/write/casework.py`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from pathlib import Path

from sensor.ledger.store.errors import LedgerError, fault_of
from sensor.ledger.store.opening import parsed_url
from sensor.ledger.store.ownership import belong_to_folder

#: The folder's and the files' modes: the service's alone, as the audit's.
FOLDER_MODE, FILE_MODE = 0o700, 0o600
DIGEST = re.compile(r"[0-9a-f]{64}")
INCOMING = ".incoming-"
#: Seconds after which a file that is not whole is taken for left over.
LEFT_OVER_S = 3_600.0


class AttachmentError(LedgerError):
    """A file cannot be stored or read now, or is not what was stored; one sentence."""


def attachments_folder(ledger_url: str, own: str | None = None) -> Path | None:
    """Where the files of a ledger are: the folder that is configured, else `ledger.db.attachments` beside `ledger.db`;
    None of a database without a file of its own, where none is configured."""
    if own is not None:
        return Path(own)
    parsed = parsed_url(ledger_url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(f"{parsed.database}.attachments").absolute()


class AttachmentFolder:
    """The files. Any thread may ask."""

    def __init__(self, folder: Path) -> None:
        self.path = folder

    def store(self, content: bytes) -> str:
        """Store a file; its hash. Equal files are one. Raises AttachmentError."""
        digest = hashlib.sha256(content).hexdigest()
        try:
            self._make()
            with contextlib.suppress(FileNotFoundError, AttachmentError):
                self.read(digest)
                return digest
            handle, name = tempfile.mkstemp(prefix=INCOMING, dir=self.path)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).chmod(FILE_MODE)
                belong_to_folder(Path(name))
                Path(name).replace(self._file(digest))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise AttachmentError(f"attachments {self.path}: {fault_of(error)[1]}", fault_of(error)[0]) from None
        return digest

    def read(self, digest: str) -> bytes:
        """The file of a hash, which is looked at anew. Raises AttachmentError where it is gone, or is another one."""
        try:
            content = self._file(digest).read_bytes()
        except OSError as error:
            raise AttachmentError(f"attachments {self.path}: {digest}: {fault_of(error)[1]}") from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise AttachmentError(f"attachments {self.path}: {digest}: it is not what was attached", "damaged")
        return content

    def sweep(self, now_s: float | None = None) -> int:
        """Delete what a killed process left half written; how many files. What is whole stays: another ledger, or an
        older copy of this one, may know it. Raises AttachmentError."""
        now_s, gone = time.time() if now_s is None else now_s, 0
        try:
            for file in self.path.glob(f"{INCOMING}*"):
                if now_s - file.stat().st_mtime >= LEFT_OVER_S:
                    file.unlink()
                    gone += 1
        except OSError as error:
            raise AttachmentError(f"attachments {self.path}: {fault_of(error)[1]}") from None
        return gone

    def drop(self, digest: str) -> bool:
        """Delete a file that no case has any more; whether there was one. Raises AttachmentError."""
        try:
            self._file(digest).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise AttachmentError(f"attachments {self.path}: {fault_of(error)[1]}") from None
        return True

    def _file(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise AttachmentError(f"attachments {self.path}: there is no such file")
        return self.path / digest

    def _make(self) -> None:
        if not self.path.is_dir():
            self.path.mkdir(FOLDER_MODE, exist_ok=True)
            belong_to_folder(self.path)
