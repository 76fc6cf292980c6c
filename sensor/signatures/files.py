"""Where signature files lie, and their text: those that are shipped, and the user's own. Knows nothing of what is in
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import signatures

FOLDERS = ("framings", "dialects", "nodes", "agents", "devices", "pools", "names", "wallets", "weights", "sites")
#: Before the folder and the name of a file that is shipped.
SHIPPED = "signatures/"

#: A file by its name, for people, and its text.
SignatureFile = tuple[str, str]


def shipped(folders: Sequence[str] = FOLDERS) -> Iterator[SignatureFile]:
    """The files that are shipped, in the order of their folders and names."""
    root = Path(next(iter(signatures.__path__)))
    for folder in folders:
        place = root / folder
        if place.is_dir():
            for item in sorted(place.iterdir(), key=lambda path: path.name):
                if item.name.endswith(".yaml"):
                    yield f"{SHIPPED}{folder}/{item.name}", item.read_text("utf-8")


def own(extra: Sequence[Path], problems: list[str]) -> Iterator[SignatureFile]:
    """The user's own files, those of folders too; what cannot be read is added to the problems."""
    for path in extra:
        files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        if not files:
            problems.append(f"{path}: the folder holds no *.yaml file")
        for file in files:
            try:
                yield str(file), file.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = (
                    (error.strerror or str(error)).lower()
                    if isinstance(error, OSError)
                    else f"not UTF-8 at byte {error.start}"
                )
                problems.append(f"{file}: cannot be read: {reason}")
