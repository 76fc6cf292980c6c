"""The sensor's folder of parcels: the last good one of each kind, as it was signed, and its files. A restart needs no
broker.

    KIND.parcel             the message of the parcel in force; proven anew at each start
    KIND-VERSION-DIGEST/    its files
    versions.json           the highest version of each kind that was ever in force

What is written is whole under its name, or not there: written beside it, synchronised, renamed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from sensor.model.policy import KINDS, ParcelKind
from sensor.policy.layer import UnpackedParcel
from sensor.policy.parcel import MOST_VERSION, SealedParcel
from sensor.policy.refusal import ParcelError

VERSIONS = "versions.json"
#: Behind the name of what is being written.
UNFINISHED = ".new"


class PolicyShelf:
    """One folder. Used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stored(self, kind: ParcelKind, most_bytes: int) -> bytes | None:
        """The message of the parcel that was in force; None if there is none. Raises ParcelError."""
        try:
            with self._parcel(kind).open("rb") as file:
                return file.read(most_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _storage(error) from None

    def versions(self) -> dict[ParcelKind, int]:
        """The highest version of each kind that was in force. Raises ParcelError where that cannot be read: who would
        take any version then could be rolled back."""
        path = self.folder / VERSIONS
        try:
            values = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _storage(error) from None
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or not all(_is_version(values.get(kind, 0)) for kind in KINDS):
            raise ParcelError("storage", f"{path}: is damaged: delete it to take any version that is signed")
        return {kind: values[kind] for kind in KINDS if kind in values}

    def unpack(self, parcel: SealedParcel, files: Mapping[str, bytes]) -> UnpackedParcel:
        """Write the files of a parcel. Raises ParcelError."""
        header = parcel.header
        folder = self._files(parcel)
        with _storing():
            self._make()
            if _holds(folder, files):  # another process of this sensor may read them
                return UnpackedParcel(header.kind, header.version, folder, tuple(files))
            unfinished = folder.with_name(folder.name + UNFINISHED)
            for old in (folder, unfinished):
                shutil.rmtree(old, ignore_errors=True)
            unfinished.mkdir(mode=0o700)
            for name, content in files.items():
                _write(unfinished / name, content)
            unfinished.rename(folder)
        return UnpackedParcel(header.kind, header.version, folder, tuple(files))

    def put_in_force(self, parcel: SealedParcel, versions: Mapping[ParcelKind, int]) -> None:
        """A parcel that was unpacked is in force: what a restart begins with. Raises ParcelError."""
        kind = parcel.header.kind
        with _storing():
            self._make()
            _replace(self._parcel(kind), parcel.body)
            _replace(self.folder / VERSIONS, json.dumps(dict(versions)).encode())
        self.clear(kind, self._files(parcel))

    def discard(self, parcel: SealedParcel) -> None:
        """A parcel that was unpacked came to nothing."""
        shutil.rmtree(self._files(parcel), ignore_errors=True)

    def clear(self, kind: ParcelKind, wanted: Path | None) -> None:
        """Remove the files of all other parcels of a kind."""
        for path in self.folder.glob(f"{kind}-*"):
            if path != wanted:
                shutil.rmtree(path, ignore_errors=True)

    def _make(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _parcel(self, kind: ParcelKind) -> Path:
        return self.folder / f"{kind}.parcel"

    def _files(self, parcel: SealedParcel) -> Path:
        header = parcel.header
        return self.folder / f"{header.kind}-{header.version}-{parcel.sha256[:16]}"


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether a folder has these files and no others."""
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != set(files):
        return False
    return all((folder / name).read_bytes() == content for name, content in files.items())


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_VERSION


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.unlink(missing_ok=True)
    _write(unfinished, content)
    unfinished.replace(path)
    number = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _storage(error) from None


def _storage(error: OSError) -> ParcelError:
    return ParcelError("storage", f"{error.filename or 'policy'}: {(error.strerror or str(error)).lower()}")
