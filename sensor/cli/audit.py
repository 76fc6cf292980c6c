"""`minewatch audit show|verify|anchor|key`: arguments, sentences and exit codes; the chain is `sensor.audit`'s."""

from __future__ import annotations

import argparse
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.answers.values import instant
from sensor.cli.frame import CommandError, exit_on, flag_overrides, load_configuration, os_reason, say
from sensor.cli.json_text import print_json
from sensor.cli.ledger_text import counted, safe
from sensor.cli.list_period import seen_between
from sensor.model.exit_codes import OK, RUN_ERROR, USAGE
from sensor.model.time import second_text

if TYPE_CHECKING:
    from sensor.audit.anchor import AnchorFault, SigningKey
    from sensor.audit.chain import StoredRow
    from sensor.audit.store import AuditReader
    from sensor.audit.verify import AuditVerdict
    from sensor.daemon.configuration import Configuration
    from sensor.model.audit_head import AuditAnchor, AuditHead


def run(options: argparse.Namespace) -> int:
    """One action. Raises CommandError."""
    from sensor.audit.store import AuditError

    settings = load_configuration(options, flag_overrides(options, "ledger"))
    action = {"show": _show, "verify": _verify, "anchor": _anchor, "key": _key}[options.action]
    with exit_on(AuditError, code=RUN_ERROR):
        return action(options, settings)


def audit_head(settings: Configuration) -> AuditHead | None:
    """How the chain of the configured ledger stands; None where there is none yet. Raises AuditError."""
    from sensor.audit.store import audit_place

    if not audit_place(settings.ledger.url, settings.audit.url).exists:
        return None
    with _reader(settings) as reader:
        return reader.head(time.time_ns())


def _show(options: argparse.Namespace, settings: Configuration) -> int:
    try:
        from_ns, to_ns = seen_between(options, settings.ledger.zone)
    except ValueError as error:
        raise CommandError(USAGE, f"audit show: {error}") from None
    rows: deque[dict[str, object]] = deque(maxlen=options.last)
    total = 0
    with _reader(settings) as reader:
        for row in reader.rows():
            record = _record(row)
            if _fits(record, options, from_ns, to_ns):
                rows.append(record)
                total += 1
    if options.json:
        print_json({"total": total, "rows": [_object(record) for record in rows]})
        return OK
    for record in rows:
        print(safe(_line(record, settings)))
    print(f"{counted(total, 'row', 'rows')}" + (f"; the newest {len(rows)} are shown" if len(rows) < total else ""))
    return OK


@contextmanager
def _reader(settings: Configuration) -> Iterator[AuditReader]:
    from sensor.audit.store import AuditReader, audit_place

    reader = AuditReader(audit_place(settings.ledger.url, settings.audit.url))
    try:
        yield reader
    finally:
        reader.close()


def _record(row: StoredRow) -> dict[str, object]:
    """What a row says; of one that was damaged, its columns."""
    from sensor.audit.verify import record_of

    record = record_of(row.record)
    if record is not None:
        return record
    columns = {"sequence": row.sequence, "at_ns": row.at_ns, "who": row.actor, "action": row.action}
    plain = {name: value if isinstance(value, int | str) else str(value) for name, value in columns.items()}
    return {**plain, "damaged": True}


def _fits(record: dict[str, object], options: argparse.Namespace, from_ns: int | None, to_ns: int | None) -> bool:
    at_ns, objects = record.get("at_ns"), record.get("objects")
    at_ns = at_ns if isinstance(at_ns, int) else 0
    return (
        (options.actor is None or options.actor in str(record.get("who")))
        and (options.what is None or options.what in str(record.get("action")))
        and (options.object is None or (isinstance(objects, list) and options.object in objects))
        and (from_ns is None or at_ns >= from_ns)
        and (to_ns is None or at_ns < to_ns)
    )


def _line(record: dict[str, object], settings: Configuration) -> str:
    """A row on one line."""
    at_ns = record.get("at_ns")
    when = second_text(at_ns, settings.ledger.zone) if isinstance(at_ns, int) and not isinstance(at_ns, bool) else "?"
    actor = record.get("actor")
    more = {name: value for name, value in actor.items() if name in SHOWN_OF_ACTOR} if isinstance(actor, dict) else {}
    who = f"{record.get('who')}" + (f" ({', '.join(f'{name} {text}' for name, text in more.items())})" if more else "")
    parts = [str(record.get("sequence")), when, who, str(record.get("action")), str(record.get("phase") or "")]
    objects = record.get("objects")
    if isinstance(objects, list):
        parts.append(" ".join(map(str, objects[:6])) + (" ..." if len(objects) > 6 else ""))
    for name in ("query", "before", "after"):
        values = record.get(name)
        if isinstance(values, dict) and values:
            parts.append(f"{name}: " + ", ".join(f"{key}={value}" for key, value in values.items()))
    parts += [f"why: {record['why']}"] if record.get("why") else []
    parts += ["DAMAGED: minewatch audit verify"] if record.get("damaged") else []
    return "  ".join(part for part in parts if part)


#: What of an actor stands beside the name.
SHOWN_OF_ACTOR = ("role", "address", "login_user", "sudo_user", "stated")


def _object(record: dict[str, object]) -> dict[str, object]:
    """A row as a program gets it."""
    at_ns = record.get("at_ns")
    known_names = ("sequence", "who", "actor", "kind", "action", "phase", "of", "query", "objects", "before", "after")
    row: dict[str, object] = {name: record.get(name) for name in (*known_names, "why")}
    return {"at": instant(at_ns) if isinstance(at_ns, int) else None, **row, "damaged": bool(record.get("damaged"))}


def _verify(options: argparse.Namespace, settings: Configuration) -> int:
    from sensor.audit.anchor import read_anchors
    from sensor.audit.verify import verify

    key = _signing_key(options.key or settings.audit.key)
    files = [Path(name) for name in options.anchor or ([settings.audit.anchors] if settings.audit.anchors else [])]
    anchors, doubts = read_anchors(files, key)
    with _reader(settings) as reader:
        verdict = verify(reader.rows(), anchors)
    if options.json:
        print_json(_verdict_object(verdict, doubts))
    else:
        _print_verdict(verdict, anchors, doubts)
    return OK if verdict.sound and not doubts else RUN_ERROR


def _print_verdict(verdict: AuditVerdict, anchors: list[AuditAnchor], doubts: list[AnchorFault]) -> None:
    for doubt in doubts:
        print(safe(f"{doubt.place}: {doubt.sentence}"))
    for fault in verdict.faults:
        print(safe(fault.sentence))
    if verdict.further_faults:
        print(f"and {verdict.further_faults} more")
    if not verdict.sound:
        say("the audit was tampered with, or its store is damaged")
        return
    print(f"sound: {counted(verdict.count, 'row', 'rows')}, the last one {verdict.algorithm} {verdict.digest}")
    if verdict.sealed:
        print(f"rows 1 to {verdict.sealed} were removed after their time (audit.keep_days), as a row of the chain says")
    if not anchors:
        print("no anchor was given: a tail that was cut off, or a chain that was written anew, would not be seen")
    else:
        older = sum(anchor.head.rows < verdict.sealed for anchor in anchors)
        agree = counted(len(anchors) - older, "anchor agrees", "anchors agree")
        if older:
            print(f"{counted(older, 'anchor is', 'anchors are')} of rows that were removed")
        print(f"{agree}: up to row {verdict.anchored} nothing is cut off")


def _verdict_object(verdict: AuditVerdict, doubts: list[AnchorFault]) -> dict[str, object]:
    faults = [{"kind": fault.kind, "row": fault.sequence, "sentence": fault.sentence} for fault in verdict.faults]
    faults += [{"kind": "anchor", "row": None, "sentence": f"{doubt.place}: {doubt.sentence}"} for doubt in doubts]
    return {
        "sound": verdict.sound and not doubts,
        "rows": verdict.count,
        "sealed_rows": verdict.sealed or None,
        "chain": verdict.chain or None,
        "hash": verdict.algorithm or None,
        "head": verdict.digest or None,
        "anchors": verdict.anchors,
        "anchored_row": verdict.anchored or None,
        "faults": faults,
        "further_faults": verdict.further_faults,
    }


def _anchor(options: argparse.Namespace, settings: Configuration) -> int:
    from sensor.audit.anchor import append_anchor
    from sensor.model.audit_head import AuditAnchor

    head = audit_head(settings)
    if head is None:
        raise CommandError(RUN_ERROR, "audit anchor: there is no row yet")
    key = _signing_key(settings.audit.key)
    anchor = AuditAnchor(head) if key is None else key.sign(head)
    place = options.to or settings.audit.anchors
    if place is not None:
        append_anchor(Path(place), anchor)
    sent, troubles = (0, []) if options.no_syslog else _send(anchor, settings)
    if options.json:
        signed = bool(anchor.signature)
        print_json({"anchor": anchor.text, "rows": head.rows, "signed": signed, "file": place, "receivers": sent})
    else:
        print(anchor.text)
    for trouble in troubles:
        say(f"audit anchor: {trouble}")
    return RUN_ERROR if troubles else OK


def _send(anchor: AuditAnchor, settings: Configuration) -> tuple[int, list[str]]:
    """Send it to every exporter of kind syslog; to how many, and why to others not."""
    from exporters.destination import Refused, Unusable
    from exporters.kinds.syslog import Sender

    sent, troubles = 0, []
    for config in settings.exporters.get("syslog", []):
        try:
            sender = Sender(config)
            try:
                sender.send_anchor(anchor)
                sent += 1
            finally:
                sender.close()
        except OSError as error:
            troubles.append(f"syslog: {os_reason(error)}")
        except (Refused, Unusable) as error:
            troubles.append(f"syslog: {error}")
    return sent, troubles


def _key(options: argparse.Namespace, _: Configuration) -> int:
    from sensor.audit.anchor import PUBLIC, make_key

    path = Path(options.file)
    key = make_key(path)
    print(f"{path}: a private key, for audit.key; {path}{PUBLIC}: its public half, for audit verify --key")
    print(f"its fingerprint is {key.fingerprint}")
    return OK


def _signing_key(name: str | None) -> SigningKey | None:
    from sensor.audit.anchor import SigningKey

    return None if name is None else SigningKey.read(Path(name))
