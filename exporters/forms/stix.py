"""Findings as a STIX 2.1 bundle: what was seen (observed data), the pool (indicator), and that they met (sighting).

Pure: records in, a bundle out. Identifiers and times come from the findings alone, so that the same packets give the
same bundle and a receiver takes a second one as the same. Whose the address was is an identity with its location; a
person is not named. Knows no platform.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID, uuid5

from exporters.forms import cells
from exporters.forms.fitting import clipped
from exporters.redaction.attribution import without_persons
from sensor.model.attribution import Enterprise, Site
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.time import rfc3339_text

#: Namespaces of identifiers: of cyber-observables (STIX 2.1, section 2.9), and ours for all other objects.
OBSERVABLES = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
OURS = uuid5(OBSERVABLES, "minewatch")
#: Connections of a finding that become objects; all are counted. Text is cut to this.
MOST_FLOWS, MOST_TEXT = 64, 500
#: STIX 2.1, section 10.5 (industry-sector-ov), by the category that a book has. An enterprise's own industry does not
#: follow from "enterprise".
SECTORS = {
    "government": "government",
    "university": "education",
    "school": "education",
    "data-centre": "technology",
    "hospital": "healthcare",
}
#: Counts in STIX end here (sections 4.14 and 5.2).
MOST_COUNT = 999_999_999

Object = dict[str, object]


def encode(findings: Sequence[Finding]) -> Object:
    """The bundle of some findings; without any it holds the sensor's identity alone."""
    objects: dict[str, Object] = {}
    began = min((item.first_ns for item in findings), default=0)
    sensor = _identity("minewatch", "system", began, {"description": "A sensor of mining traffic."})
    objects[str(sensor["id"])] = sensor
    # Oldest first: an object that several findings share has the times of the first.
    for item in sorted(findings, key=lambda item: (item.first_ns, item.finding_id)):
        for stix_object in _finding(without_persons(item), str(sensor["id"]), began):
            objects.setdefault(str(stix_object["id"]), stix_object)
    identity = uuid5(OURS, "\0".join(objects))
    return {"type": "bundle", "id": f"bundle--{identity}", "objects": list(objects.values())}


def dumps(bundle: Object) -> str:
    """The bundle as text, ASCII only, ending in a line feed."""
    return json.dumps(bundle, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def _finding(item: Finding, sensor: str, began: int) -> Iterator[Object]:
    """Everything about one finding, what is referred to before what refers to it."""
    miner = _address(item.miner_ip)
    pool = None if item.pool_ip is None else _address(item.pool_ip)
    flows = item.flows[-MOST_FLOWS:]
    observables = {str(found["id"]): found for found in (miner, pool, *_traffic(flows)) if found is not None}
    yield from observables.values()
    first, last = _time_text(item.first_ns), _time_text(item.last_ns)
    common = {"created_by_ref": sensor, "created": first, "modified": last}
    observed = _object("observed-data", item.finding_id, common)
    count = min(MOST_COUNT, max(1, item.flow_count))
    observed |= {
        "first_observed": first,
        "last_observed": last,
        "number_observed": count,
        "object_refs": list(observables),
    }
    yield observed
    if pool is None:
        return  # there is no traffic to give a pattern of
    indicator = _indicator(item, pool, {"created_by_ref": sensor, "created": first, "modified": first})
    yield indicator
    where = list(_holder(item, began))
    yield from where
    sighting = _object("sighting", item.finding_id, common)
    sighting |= {"first_seen": first, "last_seen": last, "count": count, "confidence": round(100 * item.confidence)}
    sighting |= {
        "sighting_of_ref": indicator["id"],
        "observed_data_refs": [observed["id"]],
        "description": _description(item),
    }
    places = [found["id"] for found in where if found["type"] in ("identity", "location")]
    yield {**sighting, "where_sighted_refs": places} if places else sighting


def _address(ip: str) -> Object:
    """An address as an observable; its identifier is what the specification makes of its value."""
    kind = "ipv6-addr" if ":" in ip else "ipv4-addr"
    return _observable(kind, {"value": ip}, {"value": ip})


def _traffic(flows: Iterable[FlowSummary]) -> Iterator[Object]:
    for flow in flows:
        key = flow.key
        ends = {"src_ref": _address(key.src_ip)["id"], "dst_ref": _address(key.dest_ip)["id"]}
        yield from (_address(key.src_ip), _address(key.dest_ip))
        protocols = [
            "ipv6" if ":" in key.src_ip else "ipv4",
            key.proto.lower(),
            "http" if flow.framing == "http" else flow.dialect,
        ]
        values: Object = {"start": _short_time_text(flow.first_ns), "end": _short_time_text(flow.last_ns), **ends}
        values |= {"src_port": key.src_port, "dst_port": key.dest_port, "protocols": protocols}
        yield _observable("network-traffic", values, {**values, "is_active": False})


def _indicator(item: Finding, pool: Object, common: Object) -> Object:
    """One for each pool's address, port and dialect: a pattern of traffic, which says nothing of who may be there."""
    seed = f"{item.pool_ip} {item.pool_port} {item.dialect}"
    port = "" if item.pool_port is None else f" AND network-traffic:dst_port = {item.pool_port}"
    path = f"network-traffic:dst_ref.type = '{pool['type']}' AND network-traffic:dst_ref.value = '{item.pool_ip}'"
    indicator = _object("indicator", seed, common)
    name = f"{item.dialect} pool at {cells.pool_end(item)}" if item.dialect else f"pool at {cells.pool_end(item)}"
    indicator |= {"name": name, "description": _text(item.signature), "indicator_types": ["anomalous-activity"]}
    indicator |= {
        "pattern": f"[{path}{port}]",
        "pattern_type": "stix",
        "pattern_version": "2.1",
    }
    return indicator | {"valid_from": common["created"]}


def _holder(item: Finding, began: int) -> Iterator[Object]:
    """Whose the address was, where, and that the organisation is at the place."""
    answer = item.attribution
    if answer is None or answer.enterprise is None or answer.enterprise.individual:
        return
    company = _company(answer.enterprise, began)
    yield company
    place = _location(answer.site, began) if answer.site is not None else None
    if place is not None:
        yield place
        link = _object("relationship", f"{company['id']} {place['id']}", _times(began))
        yield link | {"relationship_type": "located-at", "source_ref": company["id"], "target_ref": place["id"]}


def _company(enterprise: Enterprise, began: int) -> Object:
    more: Object = {"sectors": [SECTORS[enterprise.category]]} if enterprise.category in SECTORS else {}
    if enterprise.uscc:
        more["external_references"] = [{"source_name": "unified social credit code", "external_id": enterprise.uscc}]
    if enterprise.aliases:
        more["description"] = _text(f"also known as {', '.join(enterprise.aliases)}")
    return _identity(enterprise.name, "organization", began, more, enterprise.enterprise_id)


def _location(site: Site, began: int) -> Object | None:
    """Premises in China: divisions are those of GB/T 2260."""
    if site.division is None:
        return None  # a street alone does not tell the country, which a location must have
    name = cells.premises(site) or site.division
    location = _object("location", f"{site.division} {site.address}", _times(began))
    location |= {
        "name": _text(name),
        "country": "CN",
        "administrative_area": _text(site.division_name or site.division),
    }
    return location | ({"street_address": _text(site.address)} if site.address else {})


def _identity(name: str, kind: str, began: int, more: Object, seed: str | None = None) -> Object:
    identity = _object("identity", seed or name, _times(began))
    return identity | {"name": _text(name) or "unnamed", "identity_class": kind} | more


def _description(item: Finding) -> str:
    """What the receiver's people read."""
    if item.dialect is None:
        return _text("; ".join((f"{item.grade.label}: nothing was spoken", *reversed(item.reasons))))
    paid = item.coin or item.algorithm or "an unknown coin"
    shares = f"{item.shares.submitted} shares sent, {item.shares.accepted} accepted, {item.shares.verified} verified"
    rate = " ".join(cells.rate(item)[:2])
    who = f"login {item.login}" if item.login else "no login seen"
    return _text(
        "; ".join(
            filter(None, (f"{item.grade.label}: {item.dialect} for {paid}", who, shares, rate, *reversed(item.reasons)))
        )
    )


def _object(kind: str, seed: str, common: Mapping[str, object]) -> Object:
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(OURS, f'{kind} {_plain(seed)}')}", **common}


def _observable(kind: str, contributing: Object, values: Object) -> Object:
    """Identifiers of observables: UUIDv5 of the canonical JSON (RFC 8785) of the properties that count; ours are
    text and small numbers, for which sorted keys without spaces are that form.
    """
    text = json.dumps(contributing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(OBSERVABLES, text)}", **values}


def _times(began: int) -> Object:
    return {"created": _time_text(began), "modified": _time_text(began)}


def _time_text(ns: int) -> str:
    """A time as STIX writes it, to the millisecond."""
    return rfc3339_text(ns, digits=3)


def _short_time_text(ns: int) -> str:
    """The same in its shortest form, which is what goes into identifiers."""
    whole, _, part = _time_text(ns)[:-1].partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part}Z" if part else f"{whole}Z"


def _text(text: str) -> str:
    return clipped(text, MOST_TEXT)


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
