"""The form of a parcel: what a centre gives to its sensors in one message, signed. Pure.

    minewatch parcel 1\\n | key id, 8 bytes | length of the header, 4 bytes, big-endian | header | signature, 64 bytes
    | payload

The signature is over all that stands before it. The header is JSON: kind, version, when it was made, group, selection
of sensors, names and sizes of the files, and digest and length of the payload; so nothing of a parcel can be moved into
another. The payload is the files one behind the other, compressed (zlib, RFC 1950). What is not signed is not looked
into: of a foreign message nothing is parsed but places of fixed length.

The form is exact. A field that is not known is refused as well as one that is missing: whatever is added later may
restrict whom it is for, and changes the number in the first line and at the end of the topic's name.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, cast

from sensor.model.policy import KINDS, ParcelKind
from sensor.policy.keys import ID_BYTES, SIGNATURE_BYTES, PrivateKey, PublicKey
from sensor.policy.refusal import ParcelError

VERSION = 1
#: What every parcel begins with, of any form.
NAME = b"minewatch parcel "
BEGINNING = NAME + b"%d\n" % VERSION
LENGTH_BYTES = 4
HEADER_AT = len(BEGINNING) + ID_BYTES + LENGTH_BYTES
#: Bounds of every parcel: of its header, files, selection; and what it may unpack to where nothing else is configured.
HEADER_BYTES, MOST_FILES, MOST_SENSORS = 65_536, 256, 256
UNPACKED_BYTES = 64 << 20
MOST_VERSION = (1 << 63) - 1
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
GROUP = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
SELECTION = re.compile(r"[A-Za-z0-9._*?\[\]!-]{1,100}")
FIELDS = ("kind", "version", "made_ns", "group", "sensors", "files", "payload_bytes", "payload_sha256")
#: The group of parcels that are for no group.
EVERYBODY = "all"


@dataclass(frozen=True, slots=True)
class ParcelHeader:
    """What is signed."""

    kind: ParcelKind
    version: int
    made_ns: int  # the centre's clock
    group: str  # parcels of one kind and group replace each other in the topic
    sensors: tuple[str, ...]  # names, with * and ?; none: all
    files: tuple[tuple[str, int], ...]  # names and sizes; none: the sensor's own installation counts again
    payload_bytes: int
    payload_sha256: str

    @property
    def key(self) -> str:
        """The key of its message."""
        return key_of(self.kind, self.group)

    @property
    def unpacked_bytes(self) -> int:
        """The size of its files together."""
        return sum(size for _, size in self.files)

    def selects(self, sensor_id: str) -> bool:
        """Whether it is for a sensor."""
        return not self.sensors or any(fnmatchcase(sensor_id, form) for form in self.sensors)


@dataclass(frozen=True, slots=True)
class SealedParcel:
    """A parcel whose signature is right; its payload is as it came, and is what was signed."""

    header: ParcelHeader
    sha256: str  # of what was signed
    body: bytes  # the whole message
    payload_at: int


def key_of(kind: str, group: str) -> str:
    """The key of the message of a kind and group."""
    return f"{kind}/{group}"


def seal(
    kind: ParcelKind,
    version: int,
    made_ns: int,
    files: Mapping[str, bytes],
    key: PrivateKey,
    *,
    group: str = EVERYBODY,
    sensors: tuple[str, ...] = (),
) -> bytes:
    """A signed parcel. Raises ParcelError for what `open_sealed` would refuse."""
    payload = zlib.compress(b"".join(files.values()), 9) if files else b""
    values = {
        "kind": kind,
        "version": version,
        "made_ns": made_ns,
        "group": group,
        "sensors": list(sensors),
        "files": [[name, len(content)] for name, content in files.items()],
        "payload_bytes": len(payload),
        "payload_sha256": sha256(payload).hexdigest(),
    }
    _header(values)
    return sealed(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode(), payload, key)


def sealed(header: bytes, payload: bytes, key: PrivateKey) -> bytes:
    """A header and its payload, signed, whatever stands in them. Raises ParcelError for a header that is too long."""
    if len(header) > HEADER_BYTES:
        raise ParcelError("size", f"the header has {len(header):,} bytes; {HEADER_BYTES:,} are the most")
    signed = BEGINNING + key.public.key_id + len(header).to_bytes(LENGTH_BYTES, "big") + header
    return signed + key.sign(signed) + payload


def open_sealed(body: bytes, keys: Mapping[bytes, PublicKey], most_bytes: int) -> SealedParcel:
    """The parcel of a message, signed by one of these keys. Raises ParcelError and nothing else."""
    if len(body) > most_bytes:
        raise ParcelError("size", f"{len(body):,} bytes; parcel_bytes allows {most_bytes:,}")
    if not body.startswith(BEGINNING):
        number, end, _ = body[len(NAME) : len(NAME) + 10].partition(b"\n")
        if body.startswith(NAME) and end and number.isdigit() and int(number) > VERSION:
            raise ParcelError("newer", f"a parcel of the form {int(number)}; this release reads form {VERSION}")
        raise ParcelError("unreadable", "not a parcel")
    key_id = body[len(BEGINNING) : len(BEGINNING) + ID_BYTES]
    length = int.from_bytes(body[len(BEGINNING) + ID_BYTES : HEADER_AT], "big")
    header_end = HEADER_AT + length
    if length > HEADER_BYTES or len(body) < header_end + SIGNATURE_BYTES:
        raise ParcelError("unreadable", "not a whole parcel")
    key = keys.get(key_id)
    if key is None:
        raise ParcelError("key", f"signed with the key {key_id.hex()}, which is not among policy.keys")
    signed, payload_at = body[:header_end], header_end + SIGNATURE_BYTES
    if not key.verifies(signed, body[header_end:payload_at]):
        raise ParcelError("signature", f"the signature is not of the key {key_id.hex()} over this parcel")
    header = _header(_values(signed[HEADER_AT:]))
    payload = memoryview(body)[payload_at:]
    if len(payload) != header.payload_bytes or sha256(payload).hexdigest() != header.payload_sha256:
        raise ParcelError("signature", "the files are not those that were signed")
    return SealedParcel(header, sha256(signed).hexdigest(), body, payload_at)


def unpack(parcel: SealedParcel, most_bytes: int = UNPACKED_BYTES) -> dict[str, bytes]:
    """The files of a parcel, by name. No more is unpacked than the header says. Raises ParcelError."""
    header = parcel.header
    size = header.unpacked_bytes
    if size > most_bytes:
        raise ParcelError("size", f"unpacks to {size:,} bytes; unpacked_bytes allows {most_bytes:,}")
    if not header.files:
        return {}
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(parcel.body[parcel.payload_at :], size + 1)
    except zlib.error:
        raise ParcelError("content", "the payload is not compressed as it must be") from None
    if len(content) != size or not unpacker.eof or unpacker.unused_data:
        raise ParcelError("size", f"unpacks to another size than the {size:,} bytes that it states")
    found, place = {}, 0
    for name, length in header.files:
        found[name] = content[place : place + length]
        place += length
    return found


def _values(text: bytes) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise ParcelError("header", "the header is not JSON") from None
    if not isinstance(values, dict):
        raise ParcelError("header", "the header is no object")
    return values


def _header(values: Mapping[str, Any]) -> ParcelHeader:
    """The header of its values. Raises ParcelError."""
    for name in values:
        if name not in FIELDS:
            raise ParcelError("header", f"the header has a field that is not known here: {str(name)[:40]!r}")
    kind, digest = values.get("kind"), values.get("payload_sha256")
    if kind not in KINDS:
        raise ParcelError("kind", f"the kind {str(kind)[:40]!r} is not known here")
    if not isinstance(digest, str) or re.fullmatch(r"[0-9a-f]{64}", digest) is None:
        raise ParcelError("header", "payload_sha256: must be 64 hexadecimal digits")
    return ParcelHeader(
        kind=cast("ParcelKind", kind),
        version=_integer(values, "version", 1),
        made_ns=_integer(values, "made_ns", 0),
        group=_text("group", values.get("group"), GROUP),
        sensors=_sensors(values),
        files=_files(values),
        payload_bytes=_integer(values, "payload_bytes", 0),
        payload_sha256=digest,
    )


def _integer(values: Mapping[str, Any], name: str, least: int) -> int:
    number = values.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= MOST_VERSION:
        raise ParcelError("header", f"{name}: must be a whole number from {least} on, of 64 bits")
    return number


def _text(name: str, text: object, form: re.Pattern[str]) -> str:
    if not isinstance(text, str) or form.fullmatch(text) is None:
        raise ParcelError("header", f"{name}: {str(text)[:60]!r} is not of the form {form.pattern}")
    return text


def _sensors(values: Mapping[str, Any]) -> tuple[str, ...]:
    sensors = values.get("sensors")
    if not isinstance(sensors, list) or len(sensors) > MOST_SENSORS:
        raise ParcelError("header", f"sensors: must be a list of at most {MOST_SENSORS} names")
    return tuple(_text("sensors", form, SELECTION) for form in sensors)


def _files(values: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    given = values.get("files")
    if not isinstance(given, list) or len(given) > MOST_FILES:
        raise ParcelError("header", f"files: must be a list of at most {MOST_FILES} names and sizes")
    files: dict[str, tuple[str, int]] = {}
    for pair in given:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ParcelError("header", "files: must be names and sizes")
        name = _text("files", pair[0], FILE_NAME)
        size = _integer({"files": pair[1]}, "files", 0)
        if name.lower() in files:
            raise ParcelError("header", f"files: {name} stands there twice")
        files[name.lower()] = (name, size)
    return tuple(files.values())
