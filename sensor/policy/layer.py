"""Parcels as a layer over the configuration file: signatures, tables and books are added to the sensor's own, and of
the rest only what a parcel may say replaces it. The command line (`--set`) lies over both.

So the check of a parcel is that of the configuration, and every mistake has the parcel's file and line. Knows the
places of files that were unpacked; unpacks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor.attribution.settings import kinds as book_kinds
from sensor.attribution.settings import module as book_module
from sensor.model.policy import ParcelKind
from sensor.policy.refusal import ParcelError
from sensor.settings.document import ConfigDocument, ConfigError, ConfigKey, read
from sensor.signatures.loader import TABLES
from sensor.signatures.located import Problems
from sensor.signatures.located import read as read_yaml

#: The file of a parcel of books that lists them, and that of a parcel of policy.
BOOKS_FILE, POLICY_FILE = "books.yaml", "policy.yaml"
#: What a parcel of policy may say, by section. No path, no broker, no secret, nothing of the host.
SECTIONS: Mapping[str, frozenset[str] | None] = {
    "findings": None,  # all of it
    "verify": None,
    "estimate": None,
    "behaviour": frozenset(("grammar_chance", "beat_chance")),
}
#: A list that is added to the sensor's own: whoever wrote that knows what stands at this line.
ADDED = ("findings", "allow")
YAML_ENDINGS, LIST_ENDINGS = (".yaml", ".yml"), (".csv", ".txt")
#: What a file of signatures is, at the beginning of a line.
_KIND = re.compile(rb"^kind:[ \t]*[\"']?([A-Za-z0-9_-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class UnpackedParcel:
    """A parcel whose files lie in a folder."""

    kind: ParcelKind
    version: int
    folder: Path
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        """Before the name of a file, in sentences."""
        return f"policy: {self.kind} {self.version}"

    def shown(self, sentence: str) -> str:
        """A sentence about its files as the centre knows them."""
        return sentence.replace(f"{self.folder}/", f"{self.label}: ")


def check_content(kind: ParcelKind, files: Mapping[str, bytes]) -> None:
    """Whether a parcel has files of its kind alone: what is accepted as a table must not bring rules. Raises
    ParcelError."""
    if not files:
        return
    if kind == "policy" and set(files) != {POLICY_FILE}:
        raise ParcelError("content", f"a parcel of policy has one file, {POLICY_FILE}")
    if kind == "books" and BOOKS_FILE not in files:
        raise ParcelError("content", f"a parcel of books has a file {BOOKS_FILE} that lists them under sources")
    if kind in ("signatures", "tables"):
        for name, content in files.items():
            _check_file(kind, name, content)


def _check_file(kind: ParcelKind, name: str, content: bytes) -> None:
    if kind == "tables" and name.lower().endswith(LIST_ENDINGS):
        return
    if not name.lower().endswith(YAML_ENDINGS):
        allowed = (*YAML_ENDINGS, *(LIST_ENDINGS if kind == "tables" else ()))
        raise ParcelError("content", f"{name}: a parcel of {kind} has files {', '.join(allowed)}")
    found = [text.decode() for text in _KIND.findall(content)]
    if len(found) != 1:
        raise ParcelError("content", f"{name}: must say what it is in one line that begins with kind:")
    if _parsed_kind(name, content) not in (found[0], None):
        raise ParcelError("content", f"{name}: says in two ways what it is")
    if (found[0] in TABLES) != (kind == "tables"):
        other = "tables" if kind == "signatures" else "signatures"
        raise ParcelError("content", f"{name}: a file of {found[0]} belongs into a parcel of {other}, not of {kind}")


def _parsed_kind(name: str, content: bytes) -> object:
    """What a file is to whoever loads it: a key of YAML can be written in more ways than at the beginning of a line.
    None where it cannot be loaded, which the check of the load says."""
    try:
        entry = read_yaml(content.decode(), name, Problems(name))
    except UnicodeDecodeError:
        return None
    its = None if entry is None else entry.keys.get("kind")
    return None if its is None else its.scalar


class ParcelLayer:
    """The parcels in force, at most one of a kind."""

    def __init__(self, parcels: Sequence[UnpackedParcel] = ()) -> None:
        self.parcels = {parcel.kind: parcel for parcel in parcels if parcel.names}

    def __call__(self, document: ConfigDocument) -> None:
        """Lay them over a document."""
        for kind, parcel in self.parcels.items():
            if kind == "policy":
                _lay_policy(document, parcel)
            elif kind == "books":
                _lay_books(document, parcel)
            else:
                lists = [name for name in parcel.names if name.lower().endswith(LIST_ENDINGS)]
                files = [name for name in parcel.names if name not in lists]
                _extend(document, ("signatures", "files"), [str(parcel.folder / name) for name in files], parcel.label)
                _extend(document, ("names", "lists"), [str(parcel.folder / name) for name in lists], parcel.label)

    def shown(self, sentence: str) -> str:
        """A sentence about files of parcels as the centre knows them."""
        for parcel in self.parcels.values():
            sentence = parcel.shown(sentence)
        return sentence


def _lay_books(document: ConfigDocument, parcel: UnpackedParcel) -> None:
    """Add its sources, whose files are those of the parcel and no others."""
    given = _read(document, parcel, BOOKS_FILE)
    if given is None:
        return
    sources = given.values.get("sources")
    if set(given.values) != {"sources"} or not isinstance(sources, list):
        document.problems.append(f"{parcel.label}: {BOOKS_FILE}: must have a list of sources, and nothing else")
        return
    whole: list[Any] = []
    for number, source in enumerate(sources):
        place = _placed(given, parcel, ("sources", number))
        if not isinstance(source, dict) or source.get("kind") not in book_kinds():
            document.problems.append(f"{place}: sources.{number}: needs a kind of book")
            return
        changed = dict(source)
        for key in book_module(str(source["kind"])).Config.FILE_KEYS:
            name = source.get(key)
            if name in (None, ""):
                continue
            if name not in parcel.names:
                document.problems.append(f"{place}: sources.{number}.{key}: {name!r} is no file of the parcel")
                return
            changed[key] = str(parcel.folder / str(name))
        whole.append(changed)
    places = _shifted(given, parcel, ("sources",))
    _extend(document, ("attribution", "sources"), whole, f"{parcel.label}: {BOOKS_FILE}", places)


def _lay_policy(document: ConfigDocument, parcel: UnpackedParcel) -> None:
    given = _read(document, parcel, POLICY_FILE)
    if given is None:
        return
    for section, values in given.values.items():
        place = _placed(given, parcel, (section,))
        if section not in SECTIONS:
            document.problems.append(f"{place}: {section}: a parcel of policy must not say this")
            continue
        allowed = SECTIONS[section]
        if not isinstance(values, dict):
            document.problems.append(f"{place}: {section}: must be keys and values")
            continue
        for name in values:
            if allowed is not None and name not in allowed:
                where = _placed(given, parcel, (section, name))
                document.problems.append(f"{where}: {section}.{name}: a parcel of policy must not say this")
        target = _section(document, (section,))
        if target is None:
            continue
        for name, value in values.items():
            key: ConfigKey = (section, name)
            if key == ADDED and isinstance(value, list) and isinstance(target.get(name, []), list):
                _extend(document, ADDED, value, "", places=_shifted(given, parcel, key))
                continue
            target[name] = value
            document.places |= {at: _placed(given, parcel, at) for at in given.places if at[:2] == key}
        document.places.setdefault((section,), place)


def _read(document: ConfigDocument, parcel: UnpackedParcel, name: str) -> ConfigDocument | None:
    """A file of a parcel; what is wrong with it is added to the document's problems."""
    try:
        given = read(parcel.folder / name)
    except ConfigError as error:
        document.problems += map(parcel.shown, error.problems)
        return None
    document.problems += map(parcel.shown, given.problems)
    return None if given.problems else given


def _placed(given: ConfigDocument, parcel: UnpackedParcel, key: ConfigKey) -> str:
    return parcel.shown(given.place(key))


def _shifted(given: ConfigDocument, parcel: UnpackedParcel, key: ConfigKey) -> dict[ConfigKey, str]:
    """Where the items of a list stand, by their place in it and what follows."""
    depth = len(key)
    return {at[depth:]: _placed(given, parcel, at) for at in given.places if at[:depth] == key and len(at) > depth}


def _extend(
    document: ConfigDocument,
    key: ConfigKey,
    items: Sequence[Any],
    label: str,
    places: Mapping[ConfigKey, str] | None = None,
) -> None:
    """Add items to a list of the document; where that is no list, its own check says so."""
    target = _section(document, key[:-1])
    if target is None or not items:
        return
    listed = target.get(str(key[-1])) or []
    if not isinstance(listed, list):
        return
    target[str(key[-1])] = [*listed, *items]
    for number, item in enumerate(items, len(listed)):
        name = Path(item).name if isinstance(item, str) else ""
        document.places[(*key, number)] = f"{label}: {name}" if name else label
    for at, place in (places or {}).items():
        document.places[(*key, len(listed) + int(at[0]), *at[1:])] = place


def _section(document: ConfigDocument, key: ConfigKey) -> dict[str, Any] | None:
    """A section of the document, made where there is none; None where something else stands there."""
    section: Any = document.values
    for name in key:
        if not isinstance(section, dict):
            return None
        inner = section.get(name)
        if inner is None:
            inner = section[name] = {}
        section = inner
    return section if isinstance(section, dict) else None
