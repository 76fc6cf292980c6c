"""Reads what files cases have, and had. SQL in, plain data out; the files themselves are elsewhere."""

from __future__ import annotations

from sqlalchemy import Connection, select

from sensor.ledger.store.schema import ATTACHMENTS
from sensor.model.casework import CaseAttachment


def attachments_of(connection: Connection, case_id: int) -> list[CaseAttachment]:
    """Those of a case, removed ones too, by number."""
    query = select(ATTACHMENTS).where(ATTACHMENTS.c.case_id == case_id).order_by(ATTACHMENTS.c.number)
    return [
        CaseAttachment(
            row["number"], row["name"], row["sha256"], row["size_bytes"], row["kind"], row["added_ns"],
            row["added_by"], row["removed_ns"], row["removed_by"], row["removed_why"],
        )
        for row in connection.execute(query).mappings()
    ]  # fmt: skip


def stored_hashes(connection: Connection) -> set[str]:
    """The hashes of all files that some case still has."""
    query = select(ATTACHMENTS.c.sha256).where(ATTACHMENTS.c.removed_ns.is_(None)).distinct()
    return set(connection.scalars(query))


def removed_hashes(connection: Connection) -> set[str]:
    """The hashes of files that were removed, and that no case has any more. A process that died between the two may
    have left the file."""
    removed = (ATTACHMENTS.c.removed_ns.is_not(None), ATTACHMENTS.c.sha256 != "")
    return set(connection.scalars(select(ATTACHMENTS.c.sha256).where(*removed).distinct())) - stored_hashes(connection)
