"""What a copy of a desk has in it: a list of its files with their hashes, which has a hash of its own. So a copy that
was cut, damaged, or put together of two is found before anything is done with it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sensor.ledger.store.errors import LedgerError
from sensor.model.audit_head import AuditHead, anchors_in

NAME, FORM = "manifest.json", 1
#: Folder of the attachments in a copy.
ATTACHMENTS = "attachments"
#: Of the list itself; a million attachments take 150 MB.
MOST_BYTES, BLOCK_BYTES = 1 << 28, 1 << 20
HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
NOTHING_DONE = "nothing was changed"


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """One file, by its path below the copy's folder."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CopyManifest:
    """The list."""

    made_ns: int
    version: str
    audit: str | None  # the head of its audit, as an anchor has it
    files: tuple[CopiedFile, ...]

    @property
    def stores(self) -> tuple[str, ...]:
        """What it is of."""
        return tuple(name for name in ("ledger", "people", "audit") if self.has(f"{name}.db"))

    @property
    def attachments(self) -> tuple[CopiedFile, ...]:
        """The files of cases."""
        return tuple(file for file in self.files if file.name.startswith(f"{ATTACHMENTS}/"))

    @property
    def audit_head(self) -> AuditHead | None:
        """The head of its audit."""
        return next((anchor.head for anchor in anchors_in(self.audit or "")), None)

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)

    def has(self, name: str) -> bool:
        """Whether a file is in it."""
        return any(file.name == name for file in self.files)

    def write(self, folder: Path) -> None:
        """Write it into the copy's folder. Raises OSError."""
        body = {"form": FORM, **asdict(self)}
        whole = {**body, "sha256": _digest(body)}
        path = folder / NAME
        path.touch(0o600)
        path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> CopyManifest:
    """The list of a copy. Raises LedgerError for one that is none, or damaged."""
    path = folder / NAME
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LedgerError(f"{path}: longer than any list of a copy; {NOTHING_DONE}")
        whole = json.loads(path.read_text(encoding="utf-8"))
        given = whole.pop("sha256")
        if given != _digest(whole):
            raise LedgerError(f"{path}: is damaged: it does not give its hash; {NOTHING_DONE}", "damaged")
        if whole.pop("form") != FORM:
            raise LedgerError(f"{path}: of another release, whose copies this one does not read; {NOTHING_DONE}")
        files = tuple(
            CopiedFile(str(its["name"]), int(its["size_bytes"]), str(its["sha256"])) for its in whole["files"]
        )
        found = CopyManifest(int(whole["made_ns"]), str(whole["version"]), whole["audit"], files)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LedgerError(f"{path}: {reason}: this is no copy of a desk; {NOTHING_DONE}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise LedgerError(f"{path}: is damaged: it cannot be read; {NOTHING_DONE}", "damaged") from None
    if not found.has("ledger.db") or not all(map(_is_name, (file.name for file in files))):
        raise LedgerError(f"{path}: names what no copy has; {NOTHING_DONE}", "damaged")
    return found


def check_files(folder: Path, manifest: CopyManifest) -> None:
    """Whether a copy has each of its files, whole, and no others. Raises LedgerError."""
    for file in manifest.files:
        path = folder / file.name
        try:
            size_bytes, sha256 = path.stat().st_size, hash_of(path)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise LedgerError(f"{path}: {reason}: the copy is not whole; {NOTHING_DONE}", "damaged") from None
        if size_bytes != file.size_bytes:
            text = f"{path}: has {size_bytes} bytes of {file.size_bytes}: the copy was cut or changed; {NOTHING_DONE}"
            raise LedgerError(text, "damaged")
        if sha256 != file.sha256 or (file in manifest.attachments and PurePosixPath(file.name).name != sha256):
            raise LedgerError(f"{path}: is damaged, or of another copy: its hash is another; {NOTHING_DONE}", "damaged")
    named = {NAME, *(file.name for file in manifest.files)}
    others = sorted(set(_names_below(folder)) - named)
    if others:
        raise LedgerError(f"{folder / others[0]}: is not of this copy; {NOTHING_DONE}", "damaged")


def listed_file(folder: Path, name: str) -> CopiedFile:
    """A file of a copy that is being made. Raises OSError."""
    path = folder / name
    return CopiedFile(name, path.stat().st_size, hash_of(path))


def hash_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _names_below(folder: Path) -> Iterable[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _is_name(name: str) -> bool:
    """Whether a copy may have such a file: nothing leads out of its folder."""
    if name in ("ledger.db", "people.db", "audit.db"):
        return True
    above, slash, last = name.partition("/")
    return above == ATTACHMENTS and bool(slash) and HASH.fullmatch(last) is not None


def _digest(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
