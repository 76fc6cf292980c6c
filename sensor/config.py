"""The configuration: one YAML file, overrides of single keys, and every mistake in it told at once with file, line and key.

It knows the shape and the bounds of each value and nothing about what is done with them. Relative paths in a file are meant from the
folder of that file.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError

from sensor.attribution import settings as sources
from sensor.sections import Bulletin, Capture, Findings, Keeping, Section

Key = tuple[str | int, ...]
Count = Annotated[int, Field(ge=1, le=1 << 32)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


class Limits(Section):
    """Bounds of everything the network feeds; the names are those of the core."""

    flows: Annotated[int, Field(ge=16, le=1 << 28)] = 1_048_576
    candidates: Count = 16_384
    session_bytes: Annotated[int, Field(ge=256, le=1 << 30)] = 65_536
    reorder_bytes: Annotated[int, Field(ge=1_024, le=1 << 30)] = 131_072
    reorder_segments: Count = 128
    fragments: Count = 4_096
    fragment_bytes: Annotated[int, Field(ge=65_536, le=1 << 32)] = 16_777_216
    queue_events: Annotated[int, Field(ge=64, le=1 << 24)] = 16_384
    tcp_timeout_s: Seconds = 600
    tcp_new_timeout_s: Seconds = 60
    closed_timeout_s: Seconds = 10
    udp_timeout_s: Seconds = 60
    candidate_timeout_s: Seconds = 1_800


class Signatures(Section):
    """Signature files in addition to the shipped ones."""

    files: list[str] = Field(default_factory=list)


class Verify(Section):
    """Shares recomputed of each session: the first ones, then one in `every`, at most `most` (0: none), of them few by scrypt."""

    first: Annotated[int, Field(ge=1, le=1_000)] = 3
    every: Count = 64
    most: Annotated[int, Field(ge=0, le=100_000)] = 32
    scrypt_most: Annotated[int, Field(ge=0, le=100_000)] = 8


class Estimate(Section):
    """What hashrate and power are reckoned with: the level of the intervals, and watts drawn by the site for each watt of the machines."""

    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95
    pue: Annotated[float, Field(ge=1.0, le=5.0)] = 1.10


class Evidence(Section):
    """Files with the first packets of findings, in `folder` (none: not written); what is over a bound is not kept."""

    folder: Annotated[str, Field(min_length=1)] | None = None
    flow_bytes: Annotated[int, Field(ge=256, le=1 << 24)] = 16_384
    payload_bytes: Annotated[int, Field(ge=0, le=65_535)] = 65_535
    finding_bytes: Annotated[int, Field(ge=4_096, le=1 << 32)] = 1_048_576
    total_bytes: Annotated[int, Field(ge=65_536, le=1 << 44)] = 1_073_741_824
    memory_bytes: Annotated[int, Field(ge=65_536, le=1 << 36)] = 67_108_864
    keep_days: Annotated[float, Field(gt=0, le=36_500)] = 90.0


class Output(Section):
    """Where findings go: `eve` is a file of JSON lines, or `-`; `stats` ends it with the counters, `redact` hides what is inside."""

    eve: Annotated[str, Field(min_length=1)] | None = None
    stats: bool = False
    redact: bool = False


class Config(Section):
    """Everything that can be configured."""

    engine: Literal["auto", "compiled", "reference"] = "auto"
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    limits: Limits = Limits()
    signatures: Signatures = Signatures()
    verify: Verify = Verify()
    estimate: Estimate = Estimate()
    output: Output = Output()
    capture: Capture = Capture()
    findings: Findings = Findings()
    ledger: Keeping = Keeping()
    bulletin: Bulletin = Bulletin()
    evidence: Evidence = Evidence()
    exporters: dict[str, list[Any]] = Field(default_factory=dict)  # by kind: the settings of each instance, of the kind's own type
    attribution: sources.Settings = sources.Settings()

    def dump(self) -> str:
        """The configuration in force as YAML."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False)


class ConfigError(Exception):
    """All mistakes found, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass
class Document:
    """A file's values with the place each came from."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Key, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def place(self, key: Key) -> str:
        """Where a key stands; of a key that is not there, where its nearest parent stands."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, "configuration")


Exporters = Callable[[Document, Path | None], dict[str, list[Any]]]


def load(path: Path | None = None, overrides: Sequence[str] = (), exporters: Exporters | None = None) -> Config:
    """Read a file (or only the defaults), put `key=value` overrides over it, and check all of it.

    `exporters` checks the section of that name, which this file knows nothing of; it is called only if there is one.
    """
    document = read(path) if path else Document()
    for text in overrides:
        _override(document, text)
    try:
        given = exporters(document, path and path.parent) if exporters and "exporters" in document.values else {}
        config = Config.model_validate(document.values).model_copy(update={"exporters": given})
    except ValidationError as error:
        document.problems += [_sentence(document, item["loc"], item["type"], item["msg"]) for item in error.errors()]
    if document.problems:
        raise ConfigError(document.problems)
    return _rooted(config, document, path.parent) if path else config


def read(path: Path) -> Document:
    """Parse one YAML file, keeping the line of every key."""
    document = Document(places={(): str(path)})
    try:
        text = path.read_bytes().decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError([f"{path}: {(error.strerror or str(error)).lower()}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 at byte {error.start}"]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: not valid YAML: {error.problem or error.context}"]) from None
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: not valid YAML: {' '.join(str(error).split())}"]) from None
    if values is not None and not isinstance(values, dict):
        raise ConfigError([f"{path}:1: must be keys and values, not a {type(values).__name__}"])
    if node is not None:
        for key, line, repeated in _keys(node, ()):
            if repeated:
                document.problems.append(f"{path}:{line}: {_dotted(key)}: the key stands here twice")
            document.places[key] = f"{path}:{line}"
    document.values = values or {}
    return document


def _keys(node: yaml.Node, parent: Key) -> Iterator[tuple[Key, int, bool]]:
    """Every key and list item under a node: its path, its line, and whether its path was there before."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            text = str(name.value)
            yield (*parent, text), name.start_mark.line + 1, text in seen
            seen.add(text)
            yield from _keys(value, (*parent, text))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*parent, index), value.start_mark.line + 1, False
            yield from _keys(value, (*parent, index))


def _override(document: Document, text: str) -> None:
    """Put one `key=value` into the values; the value is YAML."""
    name, equals, value = text.partition("=")
    path = tuple(name.strip().split("."))
    if not equals or not all(path):
        document.problems.append(f"--set {text}: must be key=value")
        return
    try:
        parsed = value if value == "-" else yaml.safe_load(value)  # a lone dash means standard output, not an empty list
    except yaml.YAMLError:
        document.problems.append(f"--set {text}: the value is not valid YAML")
        return
    section = document.values
    for part in path[:-1]:
        inner = section.setdefault(part, {})
        if not isinstance(inner, dict):
            inner = section[part] = {}
        section = inner
    section[path[-1]] = parsed
    for depth in range(1, len(path) + 1):
        document.places[path[:depth]] = f"--set {text}"


def _sentence(document: Document, key: Key, kind: str, message: str) -> str:
    key = _untagged(key)
    place = document.place(key)
    if kind == "extra_forbidden":
        near = _nearest(key)
        return f"{place}: {_dotted(key)}: unknown key" + (f"; did you mean {near}?" if near else "")
    return f"{place}: {_dotted(key)}: {message[0].lower()}{message[1:]}"


def _untagged(key: Key) -> Key:
    """A key as it stands in the file: of a list of typed maps, pydantic names the type of the map as well."""
    return tuple(part for at, part in enumerate(key) if not (at and isinstance(key[at - 1], int) and part in sources.kinds()))


def _nearest(key: Key) -> str | None:
    """The valid key most like an unknown one: of the same section first, then of all."""
    parent = tuple(0 if isinstance(part, int) else part for part in key[:-1])
    valid = list(_valid(Config, ()))
    siblings = {str(other[-1]): (*key[:-1], other[-1]) for other in valid if other[:-1] == parent}
    anywhere = {str(other[-1]): other for other in valid}
    for known in (siblings, anywhere):
        match = difflib.get_close_matches(str(key[-1]), known, n=1)
        if match:
            return _dotted(known[match[0]])
    return None


def _valid(section: type[BaseModel], parent: Key) -> Iterator[Key]:
    for name, info in section.model_fields.items():
        yield (*parent, name)
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _valid(info.annotation, (*parent, name))
    if section is sources.Settings:
        for kind in sources.kinds():
            yield from _valid(sources.module(kind).Config, (*parent, "sources", 0))


def _dotted(key: Key) -> str:
    return ".".join(str(part) for part in key)


def _rooted(config: Config, document: Document, folder: Path) -> Config:
    """Relative paths of a file start at its folder; those of an override stay as they were typed."""

    def rooted(name: str, key: Key) -> str:
        return name if name in ("-", "") or document.place(key).startswith("--set") else str(folder / name)

    files = [rooted(name, ("signatures", "files", index)) for index, name in enumerate(config.signatures.files)]
    eve = config.output.eve
    output = config.output.model_copy(update={"eve": None if eve is None else rooted(eve, ("output", "eve"))})
    folder_of = config.evidence.folder
    evidence = config.evidence.model_copy(update={"folder": folder_of and rooted(folder_of, ("evidence", "folder"))})
    capture = config.capture
    places = {name: rooted(value, ("capture", name)) for name in ("folder", "memory") if (value := getattr(capture, name)) is not None}
    ledger = config.ledger.model_copy(update={"url": _rooted_url(config.ledger.url, rooted)})
    books = config.attribution.rooted(rooted, document.place)
    changes = {
        "signatures": Signatures(files=files),
        "output": output,
        "evidence": evidence,
        "attribution": books,
        "capture": capture.model_copy(update=places),
        "ledger": ledger,
    }
    return config.model_copy(update=changes)


def _rooted_url(url: str, rooted: Callable[[str, Key], str]) -> str:
    """A relative file of SQLite (`sqlite:///name`) starts at the folder, too."""
    scheme, slashes, name = url.partition(":///")
    if scheme != "sqlite" or not slashes or not name or name.startswith(("/", ":")):
        return url
    return f"sqlite:///{Path(rooted(name, ('ledger', 'url'))).absolute()}"
