"""An archive is named as what it is, with what unpacks it, by both engines; it is never just "not a capture"."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from sensor.cli.main import main
from sensor.intake.archives import FIRST_BYTES, is_tar, refusal


def tar(form: int = tarfile.USTAR_FORMAT) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as archive:
        member = tarfile.TarInfo("capture.pcap")
        member.size = 100_000
        archive.addfile(member, io.BytesIO(os.urandom(100_000)))
    return data.getvalue()


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("capture.pcap", b"x")
    return data.getvalue()


def old_tar() -> bytes:
    """Of before there was a magic: only the checksum tells."""
    block = bytearray(tar()[:512])
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block) + bytes(1024)


KINDS = {
    "ustar": (tar(), "a tar archive", "tar -xf"),
    "gnu": (tar(tarfile.GNU_FORMAT), "a tar archive", "tar -xf"),
    "pax": (tar(tarfile.PAX_FORMAT), "a tar archive", "tar -xf"),
    "old": (old_tar(), "a tar archive", "tar -xf"),
    "tgz": (gzip.compress(tar()), "a compressed tar archive", "tar -xf"),
    "tar.zst": (zstandard.compress(tar()), "a compressed tar archive", "tar -xf"),
    "tar.xz": (lzma.compress(tar()), "a compressed tar archive", "tar -xf"),
    "tar.bz2": (bz2.compress(tar()), "a compressed tar archive", "tar -xf"),
    "tar.lz4": (lz4.frame.compress(tar()), "a compressed tar archive", "tar -xf"),
    "old tar.lz4": (lz4.frame.compress(old_tar()), "a compressed tar archive", "tar -xf"),
    "zip": (zipped(), "a zip archive", "unzip"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(60), "a 7z archive", "7z x"),
}


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_named_whatever_the_name_of_the_file(
    kind: str, engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, what, how = KINDS[kind]
    path = tmp_path / "capture.pcap"
    path.write_bytes(data)
    assert main(["replay", "-q", "--engine", engine, str(path)]) == 1
    assert capsys.readouterr().err == f"minewatch: {path}: this is {what}: unpack it first ({how})\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text " * 200,
        bytes(1024),
        tar()[:300],
        b"\x1f\x8b" + b"\xff" * 60,
        b"\x28\xb5\x2f\xfd" + b"\xff" * 60,
        gzip.compress(b"text " * 200),
        gzip.compress(bytes(50 << 20)),
        b"\xfd7zXZ\0" + b"\xff" * 60,
        b"BZh9" + b"\xff" * 60,
        b"\x04\x22\x4d\x18" + b"\xff" * 60,
        lzma.compress(b"text " * 200),
        bz2.compress(bytes(50 << 20)),
        lz4.frame.compress(bytes(50 << 20)),
        os.urandom(FIRST_BYTES),
    ],
)
def test_what_is_none_is_not_called_one(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert refusal(str(path)) is None
    assert not is_tar(data)


def test_what_cannot_be_looked_at_is_none(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)) is None
    assert refusal(str(tmp_path / "none")) is None
    assert refusal("-") is None
    assert refusal("a\0b") is None
