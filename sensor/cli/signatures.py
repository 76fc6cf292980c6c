"""`minewatch signatures list|test|tables|learn`: what is looked for, and the proof that it works."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import signatures as shipped
from exporters.forms.amounts import plural
from sensor import wallets
from sensor.behaviour.proof import grammar_failures, without_grammar
from sensor.cases.site_examples import prove_sites
from sensor.cli import signature_table
from sensor.cli.frame import (
    CommandError,
    flag_overrides,
    load_configuration,
    load_signatures,
    say,
    show_configuration,
)
from sensor.cli.json_text import print_json
from sensor.cli.learn import learn
from sensor.line.examples import prove
from sensor.model.exit_codes import OK, RUN_ERROR, USAGE
from sensor.signatures.precedence import SHIPPED

if TYPE_CHECKING:
    from sensor.signatures import SignatureSet


def run(options: argparse.Namespace) -> int:
    """List the signatures in force and the user's own, or prove them. Raises CommandError for refused files."""
    settings = load_configuration(options, flag_overrides(options, "engine"))
    if options.dump_config:
        return show_configuration(settings)
    if options.action == "learn":
        return learn(options, settings)
    if options.output is not None:
        raise CommandError(USAGE, f"signatures {options.action}: has no -o; only learn writes a file")
    own = [*settings.signatures.files, *(name for name in options.files if not _is_shipped(name))]
    if options.action == "test" and options.json:
        raise CommandError(USAGE, "signatures test: has no --json; its exit code is 1 if anything failed")
    signatures = load_signatures(own, settings.names.lists)
    if options.action == "tables":
        return _tables(signatures, options.json)
    if options.action == "test":
        return _prove(signatures, own)
    if options.json:
        print_json(signature_table.as_object(signatures))
        return OK
    signature_table.show(signatures, everything=options.verbose > 0)
    return OK


def _tables(signatures: SignatureSet, as_json: bool) -> int:
    """Print each table's file, its rows, the day they were last gone through, the days since, and whether it counts."""
    today = datetime.now(tz=UTC).date()
    rows = [(table, None if table.dated is None else (today - table.dated).days) for table in signatures.tables]
    if as_json:
        print_json(
            {
                "tables": [
                    {
                        "name": table.name,
                        "kind": table.kind,
                        "file": table.file,
                        "rows": table.rows,
                        "dated": None if table.dated is None else table.dated.isoformat(),
                        "age_days": age,
                        "instead": table.instead,
                    }
                    for table, age in rows
                ]
            }
        )
        return OK
    width = max(len(table.name) for table, _ in rows)
    for table, age in rows:
        day = "not dated" if table.dated is None or age is None else f"{table.dated.isoformat()}, {_ago(age)}"
        out = "" if table.instead is None else f"  does not count: {table.instead} stands in its place"
        print(f"{table.name:<{width}} {table.rows:>5} {plural(table.rows, 'row'):<4}  {day:<26} {table.file}{out}")
    return OK


def _ago(days: int) -> str:
    """A table's age in words; one that lies ahead has no age."""
    if days < 0:
        return f"{-days} {plural(-days, 'day')} ahead"
    return "today" if days == 0 else f"{days} {plural(days, 'day')} ago"


def _misdated(signatures: SignatureSet) -> list[str]:
    """A sentence for each table whose day is still to come: it would stand before every other for no reason."""
    today = datetime.now(tz=UTC).date()
    return [
        f"{table.file}:{table.line}: dated: {table.dated.isoformat()} is still to come"
        for table in signatures.tables
        if table.dated is not None and table.dated > today
    ]


def _is_shipped(name: str) -> bool:
    """Whether a file or folder is loaded anyway: named on the command line, it must not be loaded twice."""
    path = Path(name)
    roots = [Path(root).resolve() for root in shipped.__path__]
    return path.exists() and any(path.resolve().is_relative_to(root) for root in roots)


def _prove(signatures: SignatureSet, own: list[str]) -> int:
    """Run every example and counterexample, say each that fails, and count those of the user's own files."""
    failures = [*map(str, prove(signatures)), *wallets.prove(signatures.wallets), *prove_sites(signatures.sites)]
    failures += [f"{file}:{line}: {name}: {what}" for file, line, name, what in _ungrammatical(signatures)]
    failures += _misdated(signatures)
    for failure in failures:
        say(failure)
    files = _example_files(signatures)
    for table in signatures.tables:
        if table.instead is not None and not table.file.startswith(SHIPPED):
            print(f"{table.file}: does not count, {table.instead} is newer")
    for name in own:
        count = sum(Path(file) == Path(name) or Path(name) in Path(file).parents for file in files)
        print(f"{name}: {count} {'example' if count == 1 else 'examples'}")
    print(_grammars(signatures))
    print(f"{len(files)} examples of {len(signatures.headers)} signatures and of the tables, {len(failures)} failed")
    return RUN_ERROR if failures else OK


def _grammars(signatures: SignatureSet) -> str:
    """How many dialects have a grammar of lengths, and why the others have none."""
    names: dict[str, list[str]] = {}
    for dialect in signatures.dialects:
        reason = without_grammar(dialect, signatures)
        if reason is not None:
            names.setdefault(reason, []).append(dialect.name)
    have = len(signatures.dialects) - sum(map(len, names.values()))
    without = [f"{', '.join(its)}: {reason}" for reason, its in names.items()]
    return "; ".join([f"grammar of lengths: {have} of {len(signatures.dialects)} dialects", *without])


def _ungrammatical(signatures: SignatureSet) -> Iterator[tuple[str, int, str, str]]:
    """The examples whose lengths their dialect's grammar does not allow."""
    for dialect in signatures.dialects:
        yield from grammar_failures(dialect, signatures)


def _example_files(signatures: SignatureSet) -> list[str]:
    """The file of each example."""
    files = [example.file for header in signatures.headers for example in header.examples]
    tables = (signatures.agents, signatures.devices, signatures.pools, signatures.weights, signatures.sites)
    files += [example.file for table in (*tables, signatures.resolvers) for example in table.examples]
    places = [form.place for form in signatures.wallets.forms]
    places += [donation.place for donation in signatures.wallets.donations]
    return files + [place.rpartition(":")[0] for place in places]
