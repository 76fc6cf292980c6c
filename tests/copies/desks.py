"""A desk with everything in it: a ledger, accounts with a session and a token, an audit, attachments."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sensor.audit.store import AuditReader, audit_place
from sensor.audit.system_user import system_actor
from sensor.audit.verify import AuditVerdict, verify
from sensor.copies.places import DeskPlaces
from sensor.intake.process import is_running, this_process
from sensor.ledger.care import Restorer
from sensor.ledger.store.beside import StorePlace
from sensor.model.audit_head import AuditAnchor, AuditHead
from sensor.people.door import PeopleDoor
from sensor.people.store import people_place
from tests.console.province import made_ledger
from tests.people.desk import MACHINE, NOW, add, cookie_of, opened

ACTOR = system_actor("a test")
FILES = (b"a photograph", b"a letter")


@dataclass
class MadeDesk:
    """Where it is, and what somebody holds who used it."""

    folder: Path
    cookie: str = ""
    token_id: str = ""
    secret: str = ""

    @property
    def url(self) -> str:
        """Of the ledger."""
        return f"sqlite:///{self.folder}/ledger.db"

    @property
    def places(self) -> DeskPlaces:
        """Of its stores."""
        return places_of(self.url, self.folder / "ledger.db.attachments")

    @contextmanager
    def door(self) -> Iterator[PeopleDoor]:
        """Its accounts."""
        with opened(self.url) as found:
            yield found

    def head(self) -> AuditHead:
        """Of its audit."""
        reader = AuditReader(audit_place(self.url))
        head = reader.head(NOW)
        reader.close()
        assert head is not None
        return head

    def verified(self, *anchors: AuditHead) -> AuditVerdict:
        """What `audit verify` says."""
        return verdict_of(self.url, *anchors)

    def state(self) -> dict[str, str]:
        """Every file that is there, by its hash, without what SQLite keeps beside."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.endswith(("-wal", "-shm"))
        }

    def copied(self, folder: Path) -> MadeDesk:
        """The same elsewhere."""
        shutil.copytree(self.folder, folder)
        return MadeDesk(folder, self.cookie, self.token_id, self.secret)


def places_of(url: str, attachments: Path | None = None) -> DeskPlaces:
    """Of a ledger's URL."""
    return DeskPlaces(StorePlace("ledger", url), people_place(url), audit_place(url), attachments)


def verdict_of(url: str, *anchors: AuditHead) -> AuditVerdict:
    """What `audit verify` says of a ledger's audit."""
    reader = AuditReader(audit_place(url))
    try:
        return verify(reader.rows(), [AuditAnchor(head) for head in anchors])
    finally:
        reader.close()


def restorer(now_ns: int = NOW) -> Restorer:
    """This process, at a time."""
    return Restorer(this_process(), is_running, now_ns)


def make_desk(folder: Path) -> MadeDesk:
    """One in a folder."""
    folder.mkdir()
    desk = MadeDesk(folder)
    with made_ledger(folder, 0, 1, 2, 5):
        pass
    attachments = folder / "ledger.db.attachments"
    attachments.mkdir()
    for data in FILES:
        (attachments / hashlib.sha256(data).hexdigest()).write_bytes(data)
    (attachments / "unfinished.part").write_bytes(b"none of them")
    with desk.door() as door:
        add(door, "root", "admin")
        add(door, "li", "officer")
        add(door, "wang", "officer")
        desk.cookie = cookie_of(door, "li")
        token, desk.secret = door.tokens.add(MACHINE, "li", "office", ["read:cases"], None, 30, NOW)
        desk.token_id = token.token_id
    return desk
