"""Keys of Ed25519 (RFC 8032): who signs parcels, and whom a sensor believes.

A private key is a PEM file (PKCS #8) that its owner alone may read. A public key is one line of text, and stands in a
file or in the configuration itself. Nothing else is ever signed with such a key: what is signed begins with the form's
own name.
"""

from __future__ import annotations

import base64
import binascii
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.model.text import printable

if TYPE_CHECKING:
    from Crypto.PublicKey.ECC import EccKey

PREFIX = "ed25519:"
KEY_BYTES, SIGNATURE_BYTES, ID_BYTES = 32, 64, 8
#: A file of a key is a few lines.
FILE_BYTES = 65_536


class KeyFileError(Exception):
    """A key cannot be read, or written; one sentence."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whose signatures are believed."""

    raw: bytes

    @property
    def key_id(self) -> bytes:
        """By which a parcel says who signed it. It proves nothing."""
        return sha256(self.raw).digest()[:ID_BYTES]

    @property
    def text(self) -> str:
        """As it stands in files and configurations."""
        return PREFIX + base64.b64encode(self.raw).decode()

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether this key's owner signed exactly this."""
        from Crypto.Signature import eddsa

        try:
            eddsa.new(eddsa.import_public_key(self.raw), "rfc8032").verify(message, signature)
        except ValueError:
            return False
        return True


class PrivateKey:
    """Who signs."""

    def __init__(self, key: EccKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new one."""
        from Crypto.PublicKey import ECC

        return cls(ECC.generate(curve="Ed25519"))

    @classmethod
    def read(cls, path: Path) -> PrivateKey:
        """The key of a file. Raises KeyFileError, also where others than its owner may read it."""
        from Crypto.PublicKey import ECC

        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise KeyFileError(f"{path}: others than its owner may read it: chmod 600 {path}")
                text = file.read(FILE_BYTES).decode("ascii")
            key = ECC.import_key(text)
        except OSError as error:
            raise KeyFileError(f"{path}: {(error.strerror or str(error)).lower()}") from None
        except (ValueError, IndexError, TypeError):
            raise KeyFileError(f"{path}: holds no private key (PEM); minewatch policy keys makes one") from None
        if key.curve != "Ed25519" or not key.has_private():
            raise KeyFileError(f"{path}: holds no private key of Ed25519; minewatch policy keys makes one")
        return cls(key)

    @property
    def public(self) -> PublicKey:
        """What its signatures are verified with."""
        return PublicKey(bytes(self._key.public_key().export_key(format="raw")))

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        from Crypto.Signature import eddsa

        return eddsa.new(self._key, "rfc8032").sign(message)

    def write(self, path: Path) -> Path:
        """Write it for its owner's eyes alone, and the public key beside it; that file. Nothing is overwritten. Raises
        KeyFileError."""
        if not path.name:
            raise KeyFileError(f"{path}: is no name of a file")
        beside = path.with_name(f"{path.name}.pub")
        begun: list[Path] = []
        try:
            if os.path.lexists(beside):  # else a private key without its public one would be left
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), beside)
            for place, text, mode in (
                (path, str(self._key.export_key(format="PEM")), 0o600),
                (beside, self.public.text, 0o644),
            ):
                number = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
                begun.append(place)
                with os.fdopen(number, "w", encoding="ascii") as file:
                    os.fchmod(file.fileno(), mode)
                    file.write(f"{text}\n")
        except OSError as error:
            for place in begun:
                place.unlink(missing_ok=True)
            where = error.filename or (begun or [path])[-1]
            if isinstance(error, FileExistsError):
                raise KeyFileError(f"{where}: is there already, and is not overwritten") from None
            raise KeyFileError(f"{where}: {(error.strerror or str(error)).lower()}") from None
        return beside


def read_public(text: str) -> PublicKey:
    """The public key of a text, as `ed25519:...`, or of the file of this name. Raises KeyFileError."""
    if text.startswith(PREFIX):
        return _parsed(text, text)
    try:
        with Path(text).open("rb") as file:
            lines = file.read(FILE_BYTES).decode("ascii").splitlines()
    except OSError as error:
        raise KeyFileError(f"{text}: {(error.strerror or str(error)).lower()}") from None
    except ValueError:  # not ASCII; or a name with a NUL
        raise KeyFileError(f"{printable(text, '·')}: holds no public key, as {PREFIX}...") from None
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if len(found) != 1:
        raise KeyFileError(f"{text}: must hold one public key, as {PREFIX}...")
    return _parsed(found[0], text)


def read_publics(texts: Sequence[str]) -> dict[bytes, PublicKey]:
    """The public keys of texts, by what parcels call them. Raises KeyFileError."""
    return {key.key_id: key for key in map(read_public, texts)}


def _parsed(text: str, place: str) -> PublicKey:
    from Crypto.Signature import eddsa

    try:
        if not text.startswith(PREFIX):
            raise ValueError(text)
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        if len(raw) != KEY_BYTES:
            raise ValueError(text)
        eddsa.import_public_key(raw)  # a point of the curve
    except (ValueError, binascii.Error):
        raise KeyFileError(f"{place[:200]}: is no public key, as {PREFIX} and {KEY_BYTES} bytes in Base64") from None
    return PublicKey(raw)
