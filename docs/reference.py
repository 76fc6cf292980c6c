"""Writes the generated parts of the pages in docs/: command line, configuration, metrics, fields of an event, scales.

    python docs/reference.py            writes them
    python docs/reference.py --check    names the pages that are stale; exit code 1 if there are any

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; the rest of a page is written by hand.
Command line: the argparse parser. Configuration: the pydantic models; what a key means is taken from the comments of
`deploy/minewatch.yaml`, and for entries of lists from the comments at the model's fields. Metrics: the table of names.
Events: the JSON schema. Columns: the table of them. Scales: the dialects' files.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_configuration import configuration, type_text
from reference_text import COLUMNS, item, sentence

if TYPE_CHECKING:
    from sensor.signatures.model import Dialect
    from sensor.signatures.work import WorkRule

TREE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE))
PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


# The command line.


def command_parser() -> argparse.ArgumentParser:
    """The parser of the command `minewatch`."""
    from sensor.cli.parser import parser

    return parser()


def command_line() -> Iterator[str]:
    """Every command with its arguments and options."""
    parser = command_parser()
    for name, command in subcommands(parser):
        yield from _command(f"minewatch {name}", command, "##")


def subcommands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands directly below a parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                command.description = command.description or helps.get(name)
                yield name, command


def _command(name: str, command: argparse.ArgumentParser, heading: str) -> Iterator[str]:
    actions = [action for action in command._actions if not isinstance(action, argparse._HelpAction)]
    places = [_place(action) for action in actions if not action.option_strings and action.nargs != argparse.PARSER]
    nested = list(subcommands(command))
    options = ["[OPTION ...]"] if any(action.option_strings for action in actions) else []
    yield f"{heading} {name}"
    yield ""
    yield "```text"
    yield " ".join([name, *options, *places, *(["ACTION ..."] if nested else [])])
    yield "```"
    if command.description:
        yield ""
        yield textwrap.fill(sentence(command.description), COLUMNS)
    entries = [_action(action) for action in actions if not isinstance(action, argparse._SubParsersAction)]
    if entries:
        yield ""
        yield from entries
    yield ""
    for inner, parser in nested:
        yield from _command(f"{name} {inner}", parser, heading + "#")


def _metavar(action: argparse.Action) -> str:
    if action.choices is not None and action.metavar is None:
        return "|".join(str(choice) for choice in action.choices)
    return str(action.metavar or action.dest.upper())


def _place(action: argparse.Action) -> str:
    name = _metavar(action)
    return {"*": f"[{name} ...]", "+": f"{name} ...", "?": f"[{name}]"}.get(str(action.nargs), name)


def _action(action: argparse.Action) -> str:
    if not action.option_strings:
        name = f"`{_place(action)}`"
    elif action.nargs == 0:
        name = ", ".join(f"`{option}`" for option in action.option_strings)
    else:
        value = f"[{_metavar(action)}]" if action.nargs == "?" else _metavar(action)
        name = ", ".join(f"`{option} {value}`" for option in action.option_strings)
    required = " Required." if action.option_strings and action.required else ""
    return item(f"{name}: {sentence(action.help or '')}{required}" if action.help else name)


# The configuration.


def metrics() -> Iterator[str]:
    """Every metric with its meaning."""
    from exporters.forms import series

    for name, meaning in series.METRICS.items():
        yield item(f"`{series.PREFIX}{name}`: {meaning}")


def event_fields() -> Iterator[str]:
    """The fields of an event, object by object, from its JSON schema."""
    schema = json.loads((TREE / "exporters" / "forms" / "eve.schema.json").read_text(encoding="utf-8"))
    yield "### The line"
    yield ""
    yield from _members(schema, schema["$defs"])
    for name, definition in schema["$defs"].items():
        if definition.get("properties") and name != "interval":
            yield ""
            yield f"### {name}"
            yield ""
            yield from _members(definition, schema["$defs"])


def parquet_columns() -> Iterator[str]:
    """The columns of the table of events, with their kinds and where an event has what stands there."""
    from exporters.forms import parquet

    kinds = {
        "text": "text",
        "texts": "list of text",
        "whole": "whole number (64 bits)",
        "wholes": "list of whole numbers (64 bits)",
        "number": "number (64 bits)",
        "truth": "true or false",
        "time": "time (UTC, microseconds)",
    }
    for column in parquet.COLUMNS:
        places = " or ".join(f"`{place}`" for place in column.places)
        yield item(f"`{column.name}`: {kinds[column.kind]}; {places}.")
    yield item(f"`{parquet.WHOLE_EVENT}`: text, never null; the whole event as JSON.")


def answers() -> Iterator[str]:
    """The answers of commands with --json, and the objects in them, from their JSON schema."""
    schema = json.loads((TREE / "sensor" / "answers" / "answers.schema.json").read_text(encoding="utf-8"))
    for name, definition in schema["$defs"].items():
        if definition.get("properties"):
            meaning = definition.get("description", "")
            yield from ("", f"## {name}", "", *([sentence(meaning), ""] if meaning else []))
            yield from _members(definition, schema["$defs"])


def _members(definition: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    needed = set(definition.get("required", ()))
    for name, member in definition["properties"].items():
        meaning = sentence(member.get("description", ""))
        kind = _reference(member, definitions)
        optional = "" if name in needed else "; may be absent"
        yield item(f"`{name}`: {kind}{optional}. {meaning}".rstrip())


def _reference(member: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in member:
        name = member["$ref"].rpartition("/")[2]
        if definitions[name].get("properties"):
            return f"`{name}`"
        return _reference(definitions[name], definitions)
    for word in ("anyOf", "oneOf"):
        if word in member and not member.get("properties"):
            return " or ".join(_reference(part, definitions) for part in member[word])
    if isinstance(member.get("type"), list):
        rest = {key: value for key, value in member.items() if key != "type"}
        return " or ".join(_reference({**rest, "type": kind}, definitions) for kind in member["type"])
    if member.get("type") == "array":
        return f"list of {_reference(member.get('items', {}), definitions)}"
    if member.get("type") == "null":
        return "null"
    return type_text(member, definitions).replace("`null`", "null")


# Scales.


def scales() -> Iterator[str]:
    """What a number of each dialect means, and how that is known."""
    from sensor.signatures import load

    for dialect in sorted(load().dialects, key=lambda each: each.name):
        for rule in dialect.work.rules:
            found = rule.origin
            links = [f"[{number}]({link})" for number, link in enumerate(found.sources, 1)]
            count = {0: "Sources: as above.", 1: f"One source: {links and links[0]}."}.get(len(links))
            sources = count or f"Sources: {', '.join(links)}."
            basis = f" Basis: {found.basis}." if found.basis else ""
            text = f"`{dialect.name}`: {scale_text(rule)}.{basis} {sources}"
            yield item(f"{text} Sample: {found.sample or sample(dialect)}.")


def scale_text(rule: WorkRule) -> str:
    """A rule of work in words."""
    used = " and ".join(rule.use)
    if rule.form != "scaled":
        return f"{rule.form} of {used}"
    groups: dict[Fraction, list[str]] = {}
    for algorithm, divisor in rule.divisors.items():
        groups.setdefault(divisor, []).append(algorithm)
    parts = [f"over {number_text(divisor)} for {', '.join(names)}" for divisor, names in groups.items()]
    only = f" for {', '.join(sorted(rule.usual))}" if rule.usual else ""
    return "; ".join([f"{used} x {number_text(rule.factor)}{only}", *parts])


def number_text(number: Fraction) -> str:
    """A factor as a power of two where it is one."""
    power = number.numerator.bit_length() - 1
    top = f"2^{power}" if number.numerator == 1 << power and power > 7 else str(number.numerator)
    return top if number.denominator == 1 else f"{top}/{number.denominator}"


def sample(dialect: Dialect) -> str:
    """The first example in the dialect's file by which its scale is proven."""
    for example in dialect.header.examples:
        if any(expected.get("hashes_per_share") for expected in example.expects):
            return f"its example: {example.name}"
    return "none"


#: What is written, by the name in the page's mark.
PARTS: Mapping[str, Callable[[], Iterator[str]]] = {
    "command-line": command_line,
    "configuration": configuration,
    "metrics": metrics,
    "event-fields": event_fields,
    "parquet-columns": parquet_columns,
    "answers": answers,
    "scales": scales,
}


def renewed(text: str) -> str:
    """A page with its generated parts as they should be."""
    return PART.sub(lambda match: f"{match[1]}\n{_part(match[2])}\n\n{match[3]}", text)


def _part(name: str) -> str:
    lines = "\n".join(PARTS[name]())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def main() -> int:
    """Write the pages, or check them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="write nothing; name the pages that are stale")
    check = options.parse_args().check
    stale = []
    for page in sorted((TREE / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (new := renewed(text)) != text:
            stale.append(page)
            if not check:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        name = page.relative_to(TREE)
        print(f"{name}: stale; run `make docs-reference`" if check else f"{name}: written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
