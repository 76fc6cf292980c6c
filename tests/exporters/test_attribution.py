"""Attribution in events: valid against the schema, without persons and inside addresses where that is asked for."""

from __future__ import annotations

import dataclasses
import json

from exporters.forms.cells import holder, whose
from exporters.forms.event import dumps, encode
from exporters.forms.fitting import fitted
from exporters.redaction.finding import redacted
from sensor.model.attribution import Attribution, Claim, Enterprise, Site
from sensor.model.finding import Finding
from tests.exporters.test_eve import FINDING, VALIDATOR

COMPANY = Enterprise("91320505MADEM0002J", "示例铸造有限公司", "91320505MADEM0002J", "enterprise", "foundry", "code")
PERSON = Enterprise("name:0123456789abcdef", "张三", None, "individual")
SITE = Site("示例路18号", "320505", "江苏省苏州市虎丘区")


def claim(enterprise: Enterprise | None, **more: object) -> Claim:
    made = Claim(
        "leases",
        "/srv/books/nat.csv:3",
        0,
        0.95,
        "198.51.100.9/32",
        "answer",
        "198.51.100.9/32 was translated from 100.64.3.7",
        enterprise,
    )
    return dataclasses.replace(made, site=SITE, ports=(1024, 2047), valid_from_ns=10**18, vlan=7, **more)


def attributed(enterprise: Enterprise | None, *claims: Claim, site: Site | None = SITE) -> Finding:
    result = "named" if enterprise else "unknown"
    reasons = tuple(f"{one.reason}, {enterprise.name if enterprise else 'nobody'}" for one in claims)
    answer = Attribution(FINDING.miner_ip, 4000, 10**18, result, enterprise, site, claims, reasons)  # type: ignore[arg-type]
    return dataclasses.replace(FINDING, attribution=answer)


def event(finding: Finding) -> dict[str, object]:
    line = dumps(encode(finding))
    made: dict[str, object] = json.loads(line)
    VALIDATOR.validate(made)
    return made


def test_an_event_says_enterprise_site_and_every_claim_with_source_time_and_strength() -> None:
    said = event(attributed(COMPANY, claim(COMPANY), claim(None, standing="context", detail={"asn": "AS64496"})))[
        "attribution"
    ]
    assert isinstance(said, dict)
    assert said["address"] == FINDING.miner_ip
    assert said["enterprise"]["name"] == "示例铸造有限公司"
    assert said["enterprise"]["category"] == "enterprise"
    assert said["site"] == {"address": "示例路18号", "division": "320505", "division_name": "江苏省苏州市虎丘区"}
    first, second = said["claims"]
    assert (first["source"], first["place"], first["as_of"], first["strength"]) == (
        "leases",
        "nat.csv:3",
        "1970-01-01T00:00:00.000000+0000",
        0.95,
    )
    assert (first["ports"], first["valid_until"]) == ([1024, 2047], None)
    assert second["detail"] == {"asn": "AS64496"}


def test_an_unknown_holder_is_null_and_valid() -> None:
    said = event(attributed(None, site=None))["attribution"]
    assert isinstance(said, dict)
    assert (said["result"], said["enterprise"], said["site"], said["claims"]) == ("unknown", None, None, [])


def test_the_schema_knows_every_member_and_refuses_other_codes() -> None:
    made = event(attributed(COMPANY, claim(COMPANY)))
    answer = made["attribution"]
    assert isinstance(answer, dict)
    answer["enterprise"]["uscc"] = "123"
    assert not VALIDATOR.is_valid(made)
    schema = VALIDATOR.schema["$defs"]  # type: ignore[index]
    assert set(answer["claims"][0]) <= set(schema["claim"]["properties"])
    assert set(answer) <= set(schema["attribution"]["properties"])


def test_a_redacted_event_names_organisations_and_no_person_no_account_and_no_inside_address() -> None:
    told = claim(
        PERSON,
        subscriber="kd-1188",
        detail={"contact": "李四 13800000000", "certificate": "11***2X", "use": "静态 kd-1188"},
    )
    finding = attributed(PERSON, told)
    plain, hidden = dumps(encode(finding)), dumps(encode(redacted(finding)))
    VALIDATOR.validate(json.loads(hidden))
    for secret in ("张三", "示例路18号", "kd-1188", "李四", "11***2X", "100.64.3.7", "name:0123456789abcdef"):
        assert json.dumps(secret)[1:-1] in plain
        assert json.dumps(secret)[1:-1] not in hidden
    answer = json.loads(hidden)["attribution"]
    assert answer["enterprise"]["category"] == "individual"
    assert answer["site"]["division"] == "320505"
    assert answer["claims"][0]["allocation"] == "198.51.100.9/32"
    kept = json.loads(dumps(encode(redacted(attributed(COMPANY, claim(COMPANY))))))["attribution"]
    assert kept["enterprise"]["name"] == COMPANY.name
    assert kept["site"]["address"] == SITE.address


def test_names_fit_their_cells_and_cannot_steer_a_terminal() -> None:
    odd = dataclasses.replace(COMPANY, name="\x1b[31m示例" * 20)
    lines = holder(attributed(odd, claim(odd)), 24)
    assert all("\x1b" not in line for line in lines)
    assert fitted("示例铸造有限公司", 9) == "示例铸造…"
    assert fitted("示例", 4) == "示例"
    answer = attributed(None, claim(None), site=None).attribution
    assert answer is not None
    assert whose(answer).startswith("holder unknown: ")
    assert holder(FINDING, 24) == []
