"""Text that others wrote, made fit to keep and to show; an address with its port as text; the name of a file. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath


class CutText(str):
    """A text of the network of which only the beginning was kept. Rules may ask whether it is there and how it begins;
    no login, job, hash or other value is ever taken from it."""

    __slots__ = ()


def N_(sentence: str) -> str:  # noqa: N802 (gettext's own name for it)
    """A sentence, or a form of one with fields in braces, for translation where it is shown.

    What is recorded is the English sentence; exporters/forms/documents/recorded_sentences.py finds form and fields in
    it again.
    """
    return sentence


def printable(text: str, instead: str = "") -> str:
    """The text with `instead` for each character that does not print: controls, marks of direction, lone surrogates."""
    return text if text.isprintable() else "".join(char if char.isprintable() else instead for char in text)


def endpoint_text(host: str, port: int) -> str:
    """`192.0.2.1:3333`, `[2001:db8::1]:3333`, `pool.example:3333` (RFC 3986 section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_endpoint(text: str) -> tuple[str, int] | None:
    """Host and port of `endpoint_text`'s form, the host without brackets; None where that form is not met."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65_535 or (":" in host and not bracketed):
        return None
    return host[1:-1] if bracketed else host, int(port)


def valid_utf8(text: str) -> str:
    """The text with `?` for each lone surrogate, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def file_name(path: str) -> str:
    """The last part of a path of either separator; the path itself where it has none."""
    return PureWindowsPath(PurePosixPath(path).name).name or path
