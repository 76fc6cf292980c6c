"""What programs may ask: one row a route, from which routes, rules of scope, audit and description are all made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sensor.console.address_bar import WEEK, Parameter, ValueRefusedError
from sensor.console.desk import Visit
from sensor.console.interface import records
from sensor.console.interface.records import JsonRecord
from sensor.console.listing import RecordList
from sensor.console.pages import cases, finding, findings, owners, shared, single
from sensor.console.refusal import RefusalError
from sensor.console.web.problem import BASE
from sensor.console.web.rules import RULES
from sensor.ledger.read.lists.asked import AskedOwners
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.records import AskedFindings

#: Records of a page where nothing is asked, as the console's pages, and at most.
PAGE_RECORDS, MOST_RECORDS = 50, 500


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_RECORDS):
        raise ValueRefusedError
    return int(text)


#: What is of pages alone, or asks by the login of an officer: no other department learns whose a case is.
NOT_OF_PROGRAMS = frozenset({"lang", "format", "columns", "done", "assigned"})
LIMIT = Parameter("limit", "Records of a page", _limit)


@dataclass(frozen=True)
class Endpoint:
    """One route. It has a list, from which pages are cut, or makes one record of what stands in its path."""

    name: str
    path: str
    kind: str  # of what it shows, as the audit names it
    record: str  # name of the schema of its records
    summary: str
    asked: tuple[Parameter, ...] = ()
    listed: Callable[[Visit], RecordList[Any]] | None = None
    encode: Callable[[Visit, Any], JsonRecord] | None = None
    single: Callable[..., JsonRecord] | None = None
    all_at_once: Callable[[Visit], list[JsonRecord]] | None = None

    @property
    def scope(self) -> str:
        """What a token needs for it."""
        return RULES[self.name].scope

    @property
    def is_list(self) -> bool:
        """Whether its answer has records in it, and is not one."""
        return self.single is None


def _filters(asked: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Those of the console's page that programs have, too."""
    return (*(parameter for parameter in asked if parameter.name not in NOT_OF_PROGRAMS), LIMIT)


def _finding(visit: Visit, finding_id: str) -> JsonRecord:
    return records.finding_record(visit, finding.finding_of(visit, finding_id))


def _case(visit: Visit, case_id: int) -> JsonRecord:
    found = visit.reader.case(case_id)
    if found is None:
        raise RefusalError(404, cases.NO_CASE)
    return records.whole_case_record(visit, found)


def _enterprise(visit: Visit, enterprise_id: str) -> JsonRecord:
    found = visit.reader.enterprises(AskedOwners(enterprise_id=enterprise_id), ListCut(None, 1))
    if not found:
        raise RefusalError(404, single.NO_ENTERPRISE)
    return records.enterprise_record(visit, found[0])


def _site(visit: Visit, site_id: int) -> JsonRecord:
    found = visit.reader.sites(AskedOwners(site_id=site_id), ListCut(None, 1))
    if not found:
        raise RefusalError(404, single.NO_SITE)
    return records.site_record(visit, found[0])


def _address(visit: Visit, text: str) -> JsonRecord:
    """An address, with whose it was."""
    found = visit.reader.addresses(AskedOwners(addresses=[text]), ListCut(None, 1))
    newest = visit.reader.findings(AskedFindings(miners=[text]), ListCut(None, PAGE_RECORDS))
    if not found and not newest:
        raise RefusalError(404, single.NO_ADDRESS)
    return {
        **(records.address_record(visit, found[0]) if found else records.weak_address_record(visit, text)),
        "owners": [records.owner_record(owner) for owner in visit.reader.owners_of(text)],
        "newest_findings": [its.stored.finding.finding_id for its in newest],
    }


def _sensors(visit: Visit) -> list[JsonRecord]:
    return [records.sensor_record(visit, sensor) for sensor in visit.reader.sensors()]


ENDPOINTS = (
    Endpoint(
        "interface-findings", "/findings", "finding", "finding", "Findings, those seen last first",
        _filters(findings.FINDINGS_ASKED), findings.findings_list, records.finding_record,
    ),
    Endpoint("interface-finding", "/findings/{key}", "finding", "finding", "One finding", single=_finding),
    Endpoint(
        "interface-cases", "/cases", "case", "case", "Cases, what is due first at the top",
        _filters(cases.CASES_ASKED), cases.cases_list, records.case_record,
    ),
    Endpoint(
        "interface-case", "/cases/{number}", "case", "whole_case", "One case with its history", (WEEK,),
        single=_case,
    ),
    Endpoint(
        "interface-enterprises", "/enterprises", "enterprise", "listed_enterprise",
        "Organisations at which mining was seen, those seen last first", _filters(owners.ENTERPRISES_ASKED),
        owners.enterprises_list, records.enterprise_record,
    ),
    Endpoint(
        "interface-enterprise", "/enterprises/{key}", "enterprise", "listed_enterprise", "One organisation",
        (WEEK,), single=_enterprise,
    ),
    Endpoint(
        "interface-sites", "/sites", "site", "listed_site",
        "Premises at which mining was seen, those seen last first", _filters(owners.SITES_ASKED), owners.sites_list,
        records.site_record,
    ),
    Endpoint(
        "interface-site", "/sites/{number}", "site", "listed_site", "Premises of one number", (WEEK,),
        single=_site,
    ),
    Endpoint(
        "interface-addresses", "/addresses", "address", "listed_address",
        "Addresses that mined, those seen last first", _filters(owners.ADDRESSES_ASKED), owners.addresses_list,
        records.address_record,
    ),
    Endpoint(
        "interface-address", "/addresses/{address}", "address", "whole_address",
        "One address, with whose it was when", (WEEK,), single=_address,
    ),
    Endpoint(
        "interface-shared", "/shared", "shared", "shared",
        "What several sensors, addresses or sites have in common, seen last first", _filters(shared.SHARED_ASKED),
        shared.shared_list, records.shared_record,
    ),
    Endpoint(
        "interface-figures", "/figures", "figures", "week_figures",
        "What a week comes to, by algorithm and by division", (WEEK,), single=records.week_record,
    ),
    Endpoint(
        "interface-sensors", "/sensors", "sensor", "listed_sensor", "Sensors, and when they listened", (WEEK,),
        all_at_once=_sensors,
    ),
)  # fmt: skip
DESCRIPTION_PATH = f"{BASE}/openapi.json"
