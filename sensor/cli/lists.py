"""`minewatch lists check|refresh`: lists of pools' hosts that an operator loads.

`refresh` is the only way by which a list comes from elsewhere: when it is called, from where it is told, over HTTPS. A
list with a mistake is refused whole, and so is one that lost more than half of its hosts: the old one stays.
"""

from __future__ import annotations

import argparse
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from exporters.forms.amounts import plural
from sensor.cli.frame import CommandError, os_reason, say
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.signatures.host_lists import MAX_LIST_BYTES, HostList, named_problems, parse_list, read_list

TIMEOUT_S = 30.0
HTTPS = "https://"


def run(options: argparse.Namespace) -> int:
    """Check lists, or renew one. Raises CommandError for a list that is refused."""
    return _check(options.files) if options.action == "check" else _refresh(options)


def _check(files: list[str]) -> int:
    wrong = False
    for name in files:
        found = read_list(Path(name))
        for sentence in named_problems(found, name):
            say(sentence)
        wrong = wrong or bool(found.problems)
        if not found.problems:
            print(f"{name}: {summary(found)}")
    return CONFIG if wrong else OK


def summary(found: HostList) -> str:
    """What a list says, in figures."""
    hosts = len(found.rows)
    serves = Counter(row.serves for host, row in found.rows.items() if host in found.stated)
    parts = [f"{count:,} {name}" for name, count in sorted(serves.items())]
    parts += [f"{hosts - len(found.stated):,} without a statement of what they serve"] * (hosts > len(found.stated))
    again = f"; {found.repeated:,} {plural(found.repeated, 'line')} said again" if found.repeated else ""
    return f"{hosts:,} {plural(hosts, 'host')} ({', '.join(parts)}){again}"


def _refresh(options: argparse.Namespace) -> int:
    target = Path(options.to)
    text = _fetched(options.source) if "://" in options.source else _from_file(Path(options.source))
    newer = parse_list(text, options.source)
    if newer.problems:
        raise CommandError(CONFIG, *named_problems(newer, options.source), f"{target}: stays as it was")
    before = len(read_list(target).rows) if target.exists() else 0
    if len(newer.rows) * 2 < before and not options.allow_shrink:
        sentence = f"{options.source}: {len(newer.rows):,} hosts where {target} has {before:,}; --allow-shrink takes it"
        raise CommandError(CONFIG, sentence, f"{target}: stays as it was")
    try:
        _replace(target, text.encode())
    except OSError as error:
        raise CommandError(RUN_ERROR, f"{target}: cannot be written: {os_reason(error)}") from None
    print(f"{target}: {summary(newer)}, before {before:,}; a sensor takes it with SIGUSR2")
    return OK


def _from_file(path: Path) -> str:
    """The text of a file. Raises CommandError."""
    try:
        with path.open("rb") as file:
            return _decoded(file.read(MAX_LIST_BYTES + 1), str(path))
    except OSError as error:
        raise CommandError(CONFIG, f"{path}: cannot be read: {os_reason(error)}") from None


def _decoded(data: bytes, place: str) -> str:
    if len(data) > MAX_LIST_BYTES:
        raise CommandError(CONFIG, f"{place}: the list is larger than {MAX_LIST_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandError(CONFIG, f"{place}: not UTF-8 at byte {error.start}") from None


def _fetched(address: str) -> str:
    """The text at an address. Raises CommandError."""
    if not address.startswith(HTTPS):
        raise CommandError(USAGE, f"{address}: must be a file, or begin with {HTTPS}")
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            if not answer.url.startswith(HTTPS):
                raise CommandError(RUN_ERROR, f"{address}: leads to an address that does not begin with {HTTPS}")
            data: bytes = answer.read(MAX_LIST_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise CommandError(RUN_ERROR, f"{address}: the server answered {error.code}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise CommandError(RUN_ERROR, f"{address}: cannot be read: {str(reason) or type(error).__name__}") from None
    return _decoded(data, address)


def _replace(target: Path, data: bytes) -> None:
    """Put a file in place of another, whole or not at all, with the other's permissions. Raises OSError."""
    target = target.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
