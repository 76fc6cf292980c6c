"""What a command says as one JSON document, for programs: the only place that writes it.

Keys are as the command gives them; nothing else is printed on standard output then. Sentences for people stay on
standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json` to a command."""
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def print_json(document: Mapping[str, object]) -> None:
    """Print a document on standard output, in UTF-8 whatever the locale is."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
