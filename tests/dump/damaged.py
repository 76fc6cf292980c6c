"""What damaged dialogues of every dialect give, a line each: `python -m tests.dump.damaged [--times 20] [--seed 1]`.

Values of the messages are replaced by what arithmetic and text handling stumble over, and bytes of those that are no
JSON are changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import yaml

from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.signatures import load
from sensor.signatures.model import DialogueLine

VECTORS = Path(__file__).parents[1] / "dialects" / "vectors.yaml"
#: In turn: whole numbers about the sizes of machine words, doubles and hashes; floats; other types; texts.
NUMBERS = (0, -1, *(sign * ((1 << bits) + 1) for bits in (31, 53, 63, 64, 128, 256, 257) for sign in (1, -1)))
VALUES = (*NUMBERS, 10**309, -(10**400), 1e308, 0.5, -0.0, True, None, [], {}, [[]], [None], {"": ""}, "", "00", "0x")
TEXTS = ("f" * 64, "f" * 2_000, "\ud800", "\x00", "a" * 70_000, "1e400", "9" * 400, "NaN")


def damaged(line: bytes, rng: random.Random) -> bytes:
    """The message with one to three of its values replaced, or bytes changed."""
    try:
        message = json.loads(line)
    except ValueError:
        changed = bytearray(line)
        for _ in range(rng.randrange(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)
    for _ in range(rng.randrange(1, 4)):
        inner = [one for one in containers(message) if one]
        if inner:
            chosen = rng.choice(inner)
            place = rng.choice(list(chosen) if isinstance(chosen, dict) else range(len(chosen)))
            chosen[place] = json.loads(json.dumps(rng.choice((*VALUES, *TEXTS))))
    return json.dumps(message).encode() + b"\n"


def containers(value: object) -> Iterator[object]:
    """Every map and list of a message, itself too."""
    if isinstance(value, dict | list):
        yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from containers(one)


def main() -> None:
    """Print name, number and a digest of findings and counters of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    signatures = load()
    for vector in yaml.safe_load(VECTORS.read_text()):
        said = [(line[0] == "S", line[2:].encode() + b"\n") for line in vector.get("said", "").splitlines()]
        for number in range(options.times if said else 0):
            rng = random.Random(f"{options.seed} {vector['name']} {number}")
            hit = set(rng.sample(range(len(said)), min(len(said), rng.randrange(1, 4))))
            lines = [
                DialogueLine(int(server), damaged(line, rng) if at in hit else line)
                for at, (server, line) in enumerate(said)
            ]
            pipeline = Pipeline(signatures)
            pipeline.step(list(dialogue_events(lines)))
            result = f"{pipeline.finish()!r} {sorted(pipeline.counters.items())!r}"
            print(vector["name"], number, hashlib.sha256(result.encode("utf-8", "backslashreplace")).hexdigest())


if __name__ == "__main__":
    main()
