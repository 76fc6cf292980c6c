"""Every change that cosmic-ray would try in the modules of a part, as lines of JSON.

    build/tools/venv/bin/python -m tests.mutation.mutants PART

Runs in the environment of the tools and imports nothing of ours. Left out are changes of annotations alone, for nothing
evaluates them, and what is no Python. In order: one change at every place first, then a second at each, and so on; at a
place, what a type checker would not refuse at once comes first; the rest is in the order of digests. So the first N are
a sample.
"""

from __future__ import annotations

import ast
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from cosmic_ray.commands.init import _all_work_items
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

PARTS = Path(__file__).with_name("parts.toml")
#: Replacements by these fail with TypeError wherever figures are not whole.
OF_BITS = ("BitOr", "BitAnd", "BitXor", "LShift", "RShift", "MatMul")


class _Bare(ast.NodeTransformer):
    """A module without its annotations."""

    def visit(self, node: ast.AST) -> Any:
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, ast.Constant(None) if isinstance(node, ast.AnnAssign) else None)
        return super().visit(node)


def bare(source: str) -> str | None:
    """What of a module is run, comparable; None if it is no Python: a star of arguments is taken for a product."""
    try:
        return ast.dump(_Bare().visit(ast.parse(source)))
    except SyntaxError:
        return None


def changes(path: Path) -> Iterator[dict[str, Any]]:
    """Those of one module that change what is run."""
    source = path.read_text(encoding="utf-8")
    as_it_is = bare(source)
    for item in _all_work_items([path], {}):
        (spec,) = item.mutations
        changed = mutate_code(source, get_operator(spec.operator_name)(), spec.occurrence)
        if changed is None or bare(changed) in (None, as_it_is):
            continue
        operator = spec.operator_name.removeprefix("core/")
        yield {
            "module": path.as_posix(),
            "operator": operator,
            "line": spec.start_pos[0],
            "place": [path.as_posix(), operator.split("_")[0], *spec.start_pos],
            "name": f"{path.as_posix()}:{spec.start_pos[0]}:{spec.start_pos[1]} {operator}",
            "source": changed,
        }


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One at every place, then the second ones."""

    def digest(change: dict[str, Any]) -> tuple[bool, str]:
        return change["operator"].endswith(OF_BITS), sha256(change["name"].encode()).hexdigest()

    seen: Counter[str] = Counter()
    rounds = []
    for change in sorted(found, key=digest):
        place = json.dumps(change.pop("place"))
        seen[place] += 1
        rounds.append((seen[place], digest(change)[1], change))
    rounds.sort(key=lambda entry: entry[:2])
    return [{**change, "round": number} for number, _, change in rounds]


def main(part: str) -> None:
    """Print them."""
    modules = tomllib.loads(PARTS.read_text(encoding="utf-8"))[part]["modules"]
    paths = [path for module in modules for path in (sorted(Path(module).glob("*.py")) or [Path(module)])]
    for change in in_order([change for path in paths for change in changes(path)]):
        print(json.dumps(change))


if __name__ == "__main__":
    main(sys.argv[1])
