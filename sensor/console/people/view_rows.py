"""Pages of findings and cases leave a row in the audit before they are sent: who, which page, with what in the address
bar, and which rows of a list. A page whose row cannot be written is not sent.
"""

from __future__ import annotations

from collections.abc import Callable

from sensor.audit.entry import MOST_OBJECTS, MOST_PARTS, AuditActor, AuditEntry
from sensor.audit.trail import AuditTrail
from sensor.console.web.rules import RULES
from sensor.console.web.witness import PageView

#: Rows that one entry can name. An export may have more: then the first are named, and how many there were.
MOST_NAMED = MOST_OBJECTS * MOST_PARTS
#: What the identities of a route's rows, or of the one thing in its path, are of: as moves of the command line name it.
KINDS = {
    "enterprises": "enterprise",
    "sites": "site",
    "addresses": "address",
    "findings": "finding",
    "cases": "case",
    "pools": "pool",
    "nodes": "node",
    "capture": "finding",
    "attachment": "case",
}


class ViewRows:
    """Writes them (`sensor/console/web/witness.py`)."""

    def __init__(self, trail: AuditTrail, clock: Callable[[], int]) -> None:
        self._trail, self._clock = trail, clock

    def saw(self, view: PageView) -> None:
        """Write the row of a page, and wait until it is on the disk. Raises AuditError."""
        if not RULES[view.route].data:
            return
        actor = AuditActor(account=view.viewer.login, role=view.viewer.role)
        query = {"path": view.path, **view.asked}
        if len(view.identities) > MOST_NAMED:
            query["rows"] = str(len(view.identities))
        objects = _objects(view)
        now_ns = self._clock()
        if view.file_name is None:
            entry = AuditEntry(actor, "view", f"{view.route}.show", now_ns, query, objects)
        else:
            entry = AuditEntry(actor, "export", f"{view.route}.export", now_ns, query, objects)
        self._trail.record(entry)


def _objects(view: PageView) -> list[str]:
    """What a page shows, by kind and identity: the rows of a list, or the thing that its path names."""
    kind = KINDS.get(view.route, view.route)
    *_, within, identity = ["", *view.path.strip("/").removesuffix("/capture").split("/")]
    if within:  # /cases/7
        return [f"{kind}:{identity}"]
    return [f"{kind}:{each}" for each in view.identities[:MOST_NAMED]]
