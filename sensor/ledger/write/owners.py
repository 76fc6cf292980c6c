"""Enterprises, sites and whose an address was, as the findings of one step say it. SQL within the step's transaction; decides nothing.

A site is known by its enterprise, address and division together; row 0 stands for "nobody is named".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, insert, select, update

from sensor.ledger.schema import ADDRESSES, ENTERPRISES, SITES
from sensor.ledger.write.upsert import upsert
from sensor.model.attribution import Attribution, Enterprise, Site
from sensor.model.finding import Finding

_ENTERPRISE: TypeAdapter[Enterprise] = TypeAdapter(Enterprise)
_ATTRIBUTION: TypeAdapter[Attribution] = TypeAdapter(Attribution)
#: Longer text from the network or from books is cut where it stands in a column of its own; records keep it whole.
MOST_TEXT = 240


def clean(text: str) -> str:
    """Text that every database takes: no NUL, no lone surrogate, not endless."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")[:MOST_TEXT]


@dataclass(frozen=True)
class Owner:
    """Whose an address is: 0 and not named where nobody knows."""

    site_id: int = 0
    named: bool = False


NOBODY = Owner()


class Owners:
    """The owners of one step."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, Owner] = {}
        self._enterprises: set[str] = set()
        self._held: dict[tuple[str, int], tuple[int, int]] = {}

    def take(self, finding: Finding) -> Owner:
        """Whose its address was; the site and the address are written down."""
        answer = finding.attribution
        if answer is None or (answer.enterprise is None and answer.site is None):
            owner = NOBODY
        else:
            owner = self._owner(answer.enterprise, answer.site)
        if answer is not None:
            self._address(finding, answer, owner)
        return owner

    def _owner(self, enterprise: Enterprise | None, site: Site | None) -> Owner:
        parts = (enterprise and enterprise.enterprise_id, site and site.address, site and site.division)
        digest = hashlib.sha1(json.dumps(parts).encode(), usedforsecurity=False).hexdigest()
        if digest in self._known:
            return self._known[digest]
        if enterprise is not None and enterprise.enterprise_id not in self._enterprises:
            self._enterprises.add(enterprise.enterprise_id)
            text = json.dumps(_ENTERPRISE.dump_python(enterprise))
            row = {"enterprise_id": clean(enterprise.enterprise_id), "name": clean(enterprise.name), "record": text}
            upsert(self._connection, ENTERPRISES, [row], replace=("name", "record"))
        found = self._connection.scalar(select(SITES.c.site_id).where(SITES.c.site_key == digest))
        if found is None:
            place = {
                "site_key": digest,
                "enterprise_id": enterprise and clean(enterprise.enterprise_id),
                "address": clean(site.address) if site and site.address else None,
                "division": clean(site.division) if site and site.division else None,
                "division_name": clean(site.division_name) if site and site.division_name else None,
            }
            found = self._connection.scalar(insert(SITES).values(place).returning(SITES.c.site_id))
        assert found is not None
        self._known[digest] = Owner(found, enterprise is not None)
        return self._known[digest]

    def _address(self, finding: Finding, answer: Attribution, owner: Owner) -> None:
        key = (finding.miner_ip, owner.site_id)
        same = (ADDRESSES.c.address == finding.miner_ip, ADDRESSES.c.site_id == owner.site_id)
        if key not in self._held:
            row = self._connection.execute(select(ADDRESSES.c.first_ns, ADDRESSES.c.last_ns).where(*same)).one_or_none()
            if row is not None:
                self._held[key] = (row.first_ns, row.last_ns)
        held = self._held.get(key)
        if held is not None and finding.first_ns >= held[0] and finding.last_ns <= held[1]:
            return
        first, last = (
            (finding.first_ns, finding.last_ns)
            if held is None
            else (min(held[0], finding.first_ns), max(held[1], finding.last_ns))
        )
        self._held[key] = (first, last)
        values = {
            "result": answer.result,
            "allocation": next((clean(one.allocation) for one in answer.claims if one.standing == "answer"), None),
            "first_ns": first,
            "last_ns": last,
            "record": json.dumps(_ATTRIBUTION.dump_python(answer, warnings=False)),
        }
        if held is None:
            self._connection.execute(
                insert(ADDRESSES).values(address=finding.miner_ip, site_id=owner.site_id, **values)
            )
        else:
            self._connection.execute(update(ADDRESSES).where(*same).values(values))


def enterprises(connection: Connection, identities: Sequence[str]) -> dict[str, Enterprise]:
    """The enterprises of these identities."""
    found: dict[str, Enterprise] = {}
    for start in range(0, len(identities), 500):
        page = ENTERPRISES.c.enterprise_id.in_(identities[start : start + 500])
        for row in connection.execute(select(ENTERPRISES.c.enterprise_id, ENTERPRISES.c.record).where(page)):
            found[row.enterprise_id] = _ENTERPRISE.validate_python(json.loads(row.record))
    return found


def sites(connection: Connection, identities: Sequence[int]) -> dict[int, tuple[Enterprise | None, Site | None]]:
    """The sites of these numbers, each with its enterprise."""
    rows: list[RowMapping] = []
    wanted = sorted({one for one in identities if one})
    for start in range(0, len(wanted), 500):
        rows += (
            connection.execute(select(SITES).where(SITES.c.site_id.in_(wanted[start : start + 500]))).mappings().all()
        )
    known = enterprises(connection, sorted({row["enterprise_id"] for row in rows if row["enterprise_id"]}))
    return {row["site_id"]: (known.get(row["enterprise_id"] or ""), _site(row)) for row in rows}


def attribution(text: str) -> Attribution:
    """An attribution as a row of ADDRESSES holds it."""
    loaded: Any = json.loads(text)
    return _ATTRIBUTION.validate_python(loaded)


def _site(row: RowMapping) -> Site | None:
    if row["address"] is None and row["division"] is None:
        return None
    return Site(row["address"], row["division"], row["division_name"])
