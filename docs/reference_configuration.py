"""The generated page of the configuration: every key of the pydantic models, with type, default, bounds and meaning."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from reference_text import COLUMNS, item, sentence

from sensor.model.section import LaterModels

TREE = Path(__file__).resolve().parents[1]
PLURALS = {"text": "texts", "map": "maps", "map, by its `kind`": "maps, by their `kind`"}
#: Characters of a default that is shown.
LONGEST_DEFAULT = 60


def configuration() -> Iterator[str]:
    """Every key of the configuration: type, bounds, default, meaning."""
    from exporters.kinds import kinds
    from sensor.daemon.configuration import Configuration

    meanings = example_comments((TREE / "deploy" / "minewatch.yaml").read_text(encoding="utf-8"))
    fields = Configuration.model_fields
    sections = [name for name, field in fields.items() if models(field.annotation) and name != "exporters"]
    for name in fields:
        if name not in sections and name != "exporters":
            yield _key(Configuration, name, name, meanings.get(name, ""))
    yield ""
    for name in sections:
        section = models(fields[name].annotation)[0]
        yield f"## {name}"
        yield ""
        yield textwrap.fill(sentence(meanings.get(name) or inspect.getdoc(section) or ""), COLUMNS)
        yield ""
        yield from _keys(section, name, meanings)
        yield ""
    yield "## exporters"
    yield ""
    yield textwrap.fill(sentence(meanings["exporters"]), COLUMNS)
    yield ""
    for kind, module in kinds().items():
        yield f"### exporters.{kind}"
        yield ""
        yield textwrap.fill(sentence(meanings.get(f"exporters.{kind}") or inspect.getdoc(module.Config) or ""), COLUMNS)
        yield ""
        yield from _keys(module.Config, f"exporters.{kind}", meanings)
        yield ""


def models(annotation: object) -> list[type[BaseModel]]:
    """The models within an annotation, in their order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if isinstance(annotation, type) and issubclass(annotation, LaterModels):
        return list(annotation.models())
    return [model for part in get_args(annotation) for model in models(part)]


def _keys(model: type[BaseModel], prefix: str, meanings: Mapping[str, str]) -> Iterator[str]:
    """The keys of a section. Keys that share one comment stand below it."""
    comments = field_comments(model)
    names = list(model.model_fields)
    meaning = {name: meanings.get(f"{prefix}.{name}") or comments.get(name, "") for name in names}
    for text, group in groupby(names, meaning.__getitem__):
        members = list(group)
        shared = len(members) > 1 and bool(text)
        if shared:
            yield item(sentence(text))
        for name in members:
            key = f"{prefix}.{name}"
            yield _key(model, name, key, "" if shared else text, "  " if shared else "")
            yield from _entries(models(model.model_fields[name].annotation), _below(meanings, key))


def _entries(entries: list[type[BaseModel]], meanings: Mapping[str, str]) -> Iterator[str]:
    """The keys of what stands below a key: of one model, or of each kind, what all kinds share first."""
    if len(entries) == 1:
        yield from (text for _, text in _entry(entries[0], meanings, "  "))
        return
    kinds = [(entry, _entry(entry, meanings, "    ")) for entry in entries]
    count = Counter(text for _, texts in kinds for _, text in texts)
    shared = [text for text in count if count[text] >= len(entries) - 1 > 0]
    if shared:
        yield item("Every kind takes:", "  ")
        yield from shared
    for entry, texts in kinds:
        kind = entry.model_json_schema()["properties"]["kind"]["const"]
        yield item(f"`kind: {kind}`. {sentence(inspect.getdoc(entry) or '')}", "  ")
        yield from (text for name, text in texts if name != "kind" and text not in shared)


def _entry(model: type[BaseModel], meanings: Mapping[str, str], indent: str) -> list[tuple[str, str]]:
    comments = {**field_comments(model), **meanings}
    return [(name, _key(model, name, name, comments.get(name, ""), indent)) for name in model.model_fields]


def _below(meanings: Mapping[str, str], key: str) -> dict[str, str]:
    return {name[len(key) + 1 :]: text for name, text in meanings.items() if name.startswith(f"{key}.")}


def _key(model: type[BaseModel], name: str, key: str, meaning: str, indent: str = "") -> str:
    schema = model.model_json_schema()
    described = schema["properties"][name]
    if model.model_fields[name].is_required():
        state = "required"
    else:
        default = model.model_fields[name].get_default(call_default_factory=True)
        shown = "" if isinstance(default, BaseModel) else json.dumps(default, ensure_ascii=False)
        state = "" if not shown else f"default `{shown}`" if len(shown) <= LONGEST_DEFAULT else "has a default"
    kind = "; ".join(part for part in (type_text(described, schema.get("$defs", {})), state) if part)
    return item(f"`{key}`: {kind}. {sentence(meaning or described.get('description', ''))}".rstrip(), indent)


def type_text(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return type_text(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            parts = [type_text(part, definitions) for part in schema[word]]
            if set(parts) == {"map"}:
                return "map, by its `kind`"
            return (", or " if any(", " in part for part in parts) else " or ").join(parts)
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        inner = type_text(schema.get("items", {}), definitions)
        return f"list of {PLURALS.get(inner, inner)}"
    names = {
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "string": "text",
        "null": "`null`",
        "object": "map",
    }
    date = schema.get("format") == "date"
    return ("date" if date else names.get(schema.get("type", ""), "any value")) + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    limits = (("exclusiveMinimum", "above"), ("exclusiveMaximum", "below"))
    parts = [f"{phrase} {_figure(schema[word])}" for word, phrase in limits if word in schema]
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        parts.append(f"{_figure(low)} to {_figure(high)}")
    else:
        parts += [f"at least {_figure(low)}"] if low is not None else []
        parts += [f"at most {_figure(high)}"] if high is not None else []
    if schema.get("maxLength") is not None:
        parts.append(f"at most {schema['maxLength']} characters")
    if "pattern" in schema:
        parts.append(f"of the form `{schema['pattern']}`")
    return "".join(f", {part}" for part in parts)


def _figure(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else str(value)


def example_comments(text: str) -> dict[str, str]:
    """The comment above each key of the example configuration, by the key's dotted path."""
    text = text.replace("exporters: {}", "exporters:").replace("collect: null", "collect:").replace("\n#:", "\n")
    meanings: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    comment: list[str] = []
    open_comment = False
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment = [*(comment if open_comment else []), _example(bare.lstrip("# "))]
            open_comment = True
            continue
        open_comment = False
        if not bare:
            comment = []
        elif match := re.match(r"( *)([a-z0-9_]+):", line):
            indent = len(match[1])
            path = [*(place for place in path if place[0] < indent), (indent, match[2])]
            meanings[".".join(name for _, name in path)] = " ".join(comment)
            if bare.endswith(":"):
                comment = []
    return meanings


def _example(line: str) -> str:
    """A comment's line; an entry of a list in it is shown as code."""
    return f"`{line.removeprefix('- ')}`" if line.startswith("- {") else line


def field_comments(model: type[BaseModel]) -> dict[str, str]:
    """The comments at a model's fields, above them or behind them, inherited ones included."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if not issubclass(owner, BaseModel) or owner is BaseModel:
            continue
        lines = textwrap.dedent(inspect.getsource(owner)).splitlines()
        (tree,) = ast.parse("\n".join(lines)).body
        assert isinstance(tree, ast.ClassDef)
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                behind = [_comment(line) for line in lines[node.lineno - 1 : node.end_lineno]]
                above: list[str] = []
                number = node.lineno - 2
                while number >= 0 and lines[number].strip().startswith("#"):
                    above.insert(0, lines[number].strip().lstrip("#: "))
                    number -= 1
                text = " ".join(part for part in (*above, *behind) if part)
                if text:
                    found[node.target.id] = text
    return found


def _comment(line: str) -> str:
    return line.partition("  # ")[2].strip() if "  # " in line else ""
