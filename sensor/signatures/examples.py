"""The proof every signature carries: dialogues with what must be found, and dialogues in which nothing may be. Knows
only their text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sensor.model.time import SECOND_NS
from sensor.signatures.located import YamlEntry
from sensor.signatures.model import DialogueLine, Example

#: What an expectation may name. `miner` is C or S; the counts and figures are those of the finding.
FIGURES = (
    "submitted",
    "accepted",
    "rejected",
    "unanswered",
    "verified",
    "hashes_per_share",
    "work_hashes",
    "claimed_hashrate_hps",
    "jobs",
)
TEXTS = (
    "dialect",
    "login",
    "worker",
    "agent",
    "coin",
    "algorithm",
    "grade",
    "miner",
    "protocol",
    "network",
    "transport",
    "framing",
    "pool_host",
)
SIDES = {"C": 0, "S": 1}


def compile_examples(entry: YamlEntry, file: str, binary: bool) -> tuple[Example, ...]:
    """`examples` and `counterexamples`; both must be there and not empty."""
    found: list[Example] = []
    for key in ("examples", "counterexamples"):
        items = list(entry.keys[key].each()) if key in entry.keys else []
        if not items or (len(items) == 1 and items[0].shape == "scalar"):
            entry.fail(f"{key} are missing: a signature must carry its proof")
            continue
        names: set[str] = set()
        for item in items:
            if item.is_map():
                example = _example(item, file, counter=key == "counterexamples", binary=binary)
                if example.name in names:
                    item.fail(f"{example.name!r} is the name of another one")
                names.add(example.name)
                found.append(example)
    return tuple(found)


def _example(entry: YamlEntry, file: str, *, counter: bool, binary: bool) -> Example:
    entry.only(("name", "at", "dialogue", "proto", "note", *(() if counter else ("expect",))))
    dialogue = parse_dialogue(entry.text("dialogue"), entry)
    expects = []
    if not counter:
        if "expect" not in entry.keys:
            entry.fail("expect is missing")
        for item in entry.keys["expect"].each() if "expect" in entry.keys else ():
            if item.is_map():
                expects.append(_expect(item))
    elif not dialogue:
        entry.fail("dialogue is empty")
    proto = 17 if entry.choice("proto", ("tcp", "udp"), "tcp") == "udp" else 6
    if proto == 17 and not binary:
        entry.keys["proto"].fail("dialects of text framings are spoken over TCP")
    name, since_ns = entry.text("name"), _since_ns(entry)
    return Example(name, file, entry.line, proto, tuple(dialogue), tuple(expects), counter, since_ns)


def _since_ns(entry: YamlEntry) -> int | None:
    """`at`: when the dialogue was spoken; None where that does not matter."""
    text = entry.optional("at")
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS
    except (ValueError, OverflowError):
        entry.keys["at"].fail("must be a time in UTC, such as '2012-09-11 00:33:00'")
        return None


def _expect(entry: YamlEntry) -> dict[str, object]:
    entry.only((*TEXTS, *FIGURES))
    expected: dict[str, object] = {}
    for key, value in entry.keys.items():
        if key in FIGURES and (isinstance(value.scalar, bool) or not isinstance(value.scalar, int | float | None)):
            value.fail("must be a number, or null")
        elif key in TEXTS and not isinstance(value.scalar, str | None):
            value.fail("must be text, or null")
        else:
            expected[key] = value.scalar
    return expected


def parse_dialogue(text: str, entry: YamlEntry) -> list[DialogueLine]:
    """Lines of `C text`, `S text`, `C hex 00ff`; `#` lines are remarks. Text lines get their LF back."""
    lines = []
    for raw in text.splitlines():
        if not raw.strip() or raw.startswith("#"):
            continue
        side, _, rest = raw.partition(" ")
        if side not in SIDES:
            entry.fail(f"a line of a dialogue starts with 'C ' or 'S ', not {raw[:20]!r}")
            continue
        if re.fullmatch(r"hex\s[0-9a-fA-F\s]*", rest):
            try:
                lines.append(DialogueLine(SIDES[side], bytes.fromhex(rest[4:])))
            except ValueError:
                entry.fail(f"not whole bytes of hex: {raw[:40]!r}")
        else:
            lines.append(DialogueLine(SIDES[side], rest.encode() + b"\n"))
    return lines
