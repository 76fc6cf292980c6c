"""A configuration file as values with the line of each key, and every mistake in it as one sentence.

A sentence names file, line and key. Knows YAML and places; knows no section.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sensor.model.section import LaterModels

ConfigKey = tuple[str | int, ...]


class ConfigError(Exception):
    """All mistakes found, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass
class ConfigDocument:
    """A file's values with the place each came from."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[ConfigKey, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def place(self, key: ConfigKey) -> str:
        """Where a key stands; of a key that is not there, where its nearest parent stands."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, "configuration")


def read(path: Path) -> ConfigDocument:
    """Parse one YAML file, keeping the line of every key."""
    document = ConfigDocument(places={(): str(path)})
    try:
        text = path.read_bytes().decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
        keys = [] if node is None else list(_keys(node, ()))
    except OSError as error:
        raise ConfigError([f"{path}: {(error.strerror or str(error)).lower()}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 at byte {error.start}"]) from None
    except RecursionError:
        raise ConfigError(
            [f"{path}: not valid YAML: nested too deeply, or an alias (*) inside what it stands for"]
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: not valid YAML: {error.problem or error.context}"]) from None
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: not valid YAML: {' '.join(str(error).split())}"]) from None
    except ValueError as error:  # a date that is none, as 2026-13-01
        raise ConfigError([f"{path}: not valid YAML: {error}"]) from None
    if values is not None and not isinstance(values, dict):
        raise ConfigError([f"{path}:1: must be keys and values, not a {type(values).__name__}"])
    for key, line, repeated in keys:
        if repeated:
            document.problems.append(f"{path}:{line}: {_dotted(key)}: the key stands here twice")
        document.places[key] = f"{path}:{line}"
    document.values = values or {}
    return document


def _keys(node: yaml.Node, parent: ConfigKey) -> Iterator[tuple[ConfigKey, int, bool]]:
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


def override(document: ConfigDocument, text: str) -> None:
    """Put one `key=value` into the values; the value is YAML."""
    name, equals, value = text.partition("=")
    path = tuple(name.strip().split("."))
    if not equals or not all(path):
        document.problems.append(f"--set {text}: must be key=value")
        return
    try:
        parsed = (
            value if value == "-" else yaml.safe_load(value)
        )  # a lone dash means standard output, not an empty list
    except (yaml.YAMLError, RecursionError, ValueError):  # the last of a date that is none
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


def report(document: ConfigDocument, model: type[BaseModel], error: ValidationError) -> None:
    """Add each mistake that a model found in a document's values to the document's problems."""
    for item in error.errors():
        key = _untagged(document.values, item["loc"])
        place = f"{document.place(key)}: {_dotted(key)}"
        if item["type"] == "extra_forbidden":
            near = _nearest(model, key)
            document.problems.append(f"{place}: unknown key" + (f"; did you mean {near}?" if near else ""))
        else:
            document.problems.append(f"{place}: {_message(item)}")


def _message(item: ErrorDetails) -> str:
    """What pydantic says of a mistake, where it would name its own classes and mechanisms in our words."""
    if item["type"] in ("model_type", "dict_type"):
        return "must be keys and values"
    if item["type"] == "union_tag_invalid":
        return f"kind {item['ctx']['tag']!r} is none of {item['ctx']['expected_tags']}"
    if item["type"] == "union_tag_not_found":
        return "needs a kind"
    message = item["msg"].removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}"


def _untagged(values: object, key: ConfigKey) -> ConfigKey:
    """A key as it stands in the file: pydantic names the `kind`, too, where it chooses the type of a list's item."""
    for at, part in enumerate(key):
        if at and isinstance(key[at - 1], int) and isinstance(values, dict) and values.get("kind") == part:
            return (*key[:at], *key[at + 1 :])
        values = _inner(values, part)
    return key


def _inner(values: object, part: str | int) -> object:
    if isinstance(values, dict):
        return values.get(part)
    return values[part] if isinstance(values, list) and isinstance(part, int) and part < len(values) else None


def _nearest(model: type[BaseModel], key: ConfigKey) -> str | None:
    """The valid key most like an unknown one: of the same section first, then of all."""
    parent = tuple(0 if isinstance(part, int) else part for part in key[:-1])
    valid = list(_valid(model, ()))
    siblings = {str(other[-1]): (*key[:-1], other[-1]) for other in valid if other[:-1] == parent}
    anywhere = {str(other[-1]): other for other in valid}
    for names in (siblings, anywhere):
        match = difflib.get_close_matches(str(key[-1]), names, n=1)
        if match:
            return _dotted(names[match[0]])
    return None


def _valid(model: type[BaseModel], parent: ConfigKey) -> Iterator[ConfigKey]:
    """Every key of a model and of the models in it; an item of a list stands at 0."""
    for name, info in model.model_fields.items():
        yield (*parent, name)
        alone = isinstance(info.annotation, type)
        for inner in _models(info.annotation):
            yield from _valid(inner, (*parent, name) if alone else (*parent, name, 0))


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that an annotation names, also within lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif isinstance(annotation, type) and issubclass(annotation, LaterModels):
        yield from annotation.models()
    for argument in get_args(annotation):
        yield from _models(argument)


def _dotted(key: ConfigKey) -> str:
    return ".".join(str(part) for part in key)
