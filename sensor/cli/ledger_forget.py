"""`minewatch ledger forget WHAT`: an address, an enterprise or a person goes from the ledger, and from the evidence.

It asks first, and says what went and what it cannot reach.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.redaction.persons import shown_name
from sensor.cli.audited import audited
from sensor.cli.frame import CommandError, os_reason, say
from sensor.model.address import canonical
from sensor.model.exit_codes import OK, RUN_ERROR, USAGE
from sensor.model.text import printable

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger
    from sensor.ledger.write.forget import ForgetSubject, Forgotten

#: What forgetting does not reach.
BEYOND = (
    "Bulletins, lists and pages that were written before, and events that were delivered, keep it.",
    "So do copies of the ledger, those that were made before its schema changed among them.",
    "Figures of past periods stay in the ledger, as nobody's. A book that names it names it again when it mines again, "
    "and so does a capture that is replayed again.",
)
#: Of a file that could not be written anew.
REMAINS = (
    "Free pages of the ledger's file, which nothing reads, may hold rows of before: a forgetting while no sensor runs, "
    "and with room for a second file, writes it anew without them."
)


def run(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Forget what the options name, after a question unless `--yes` stands there. Raises CommandError."""
    from sensor.ledger.casework import CaseClerk
    from sensor.ledger.replay import files_of
    from sensor.ledger.write.forget import ForgetError

    subject, name = _subject(options.what, ledger)
    if not options.yes and not _confirmed(name):
        print("nothing was forgotten")
        return RUN_ERROR
    named = f"address:{subject.address}" if subject.address else f"enterprise:{subject.enterprise_id}"
    try:
        with audited(settings, "ledger.forget", [named], {}) as change:
            done = ledger.forget(subject, time.time_ns())
            files, code = _delete_evidence(settings, done.finding_ids)
            attached = CaseClerk(ledger.engine, files_of(settings.ledger)).drop_left_over()
            change.after = {"findings": done.findings, "connections": done.connections, "evidence_files": files}
            change.after = {**change.after, "attachments": attached}
    except ForgetError as error:
        raise CommandError(RUN_ERROR, f"ledger forget: {error}") from None
    if not done.anything and not files:
        raise CommandError(RUN_ERROR, f"ledger forget: the ledger holds nothing of {name}")
    print(f"Forgotten: {name}")
    for sentence in _sentences(done, files, attached):
        print(f"  {sentence}")
    for sentence in BEYOND:
        print(f"  {sentence}")
    return code


def _subject(what: str, ledger: Ledger) -> tuple[ForgetSubject, str]:
    """What is meant, and its name as it may be shown. Raises CommandError."""
    from sensor.ledger.write.forget import ForgetSubject

    try:
        address = canonical(what)
    except ValueError:
        found = ledger.reader.enterprises(what.strip())
    else:
        return ForgetSubject(address=address), address
    if not found:
        sentence = "is no address, and no identity, code or name of an enterprise or person in the ledger"
        raise CommandError(USAGE, f"ledger forget: {printable(what, '·')} {sentence}")
    if len(found) > 1:
        identities = ", ".join(enterprise.enterprise_id for enterprise in found[:20])
        raise CommandError(
            USAGE, f"ledger forget: {len(found)} have this name; name one by its identity: {printable(identities, '·')}"
        )
    name = printable(f"{shown_name(found[0], False)}, {found[0].enterprise_id}", "·")
    return ForgetSubject(enterprise_id=found[0].enterprise_id), name


def _confirmed(name: str) -> bool:
    """Whether whoever is at the terminal says yes. Raises CommandError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise CommandError(USAGE, "ledger forget: this cannot be undone; confirm it with --yes")
    print(f"This removes from the ledger what it holds of {name}, and cannot be undone. Forget it? [yes/no] ", end="")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() == "yes"


def _delete_evidence(settings: Configuration, finding_ids: Iterable[str]) -> tuple[int, int]:
    """Delete the evidence files of findings; how many, and the exit code."""
    from sensor.evidence.files import evidence_path

    if settings.evidence.folder is None:
        return 0, OK
    count, code = 0, OK
    for finding_id in finding_ids:
        path = evidence_path(Path(settings.evidence.folder), finding_id)
        try:
            path.unlink()
            count += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            say(f"{path}: cannot be deleted: {os_reason(error)}")
            code = RUN_ERROR
    return count, code


def _sentences(done: Forgotten, files: int, attached: int) -> list[str]:
    """What went and what lost its name; kinds of which there was nothing are left out."""
    removed = {
        "findings": done.findings,
        "connections": done.connections,
        "nodes": done.nodes,
        "machines": done.machines,
        "attributions of addresses": done.owners,
        "events that waited": done.events,
        "evidence files": files,
        "attachments of cases": attached,
    }
    anonymous = {
        "series of figures": done.series,
        "sites": done.sites,
        "histories of cases": done.cases,
        "records of others that named it": done.rewritten,
    }
    sentences = []
    for what, counts in (("Removed", removed), ("Made anonymous", anonymous)):
        some = [f"{count} {kind}" for kind, count in counts.items() if count]
        sentences.append(f"{what}: {', '.join(some) or 'nothing'}.")
    if done.remains:
        sentences.append(REMAINS)
    if done.pools:
        sentences.append(f"It is the pool's address of {done.pools} findings of others, which stay.")
    return sentences
