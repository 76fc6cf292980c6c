"""Who may ask: by a token in its header, for what it is for, as often as it may, and with a row in the audit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sensor.console.desk import Desk
from sensor.console.interface.endpoints import ENDPOINTS
from sensor.console.interface.rate import MOST_BUCKETS, RequestRate
from sensor.console.web.problem import BASE, CONTENT_TYPE
from sensor.model.time import DAY_NS
from sensor.people.accounts import AccountPatch
from sensor.people.tokens import SCOPES
from tests.console.interface.programs import Programs, programs_of
from tests.people.desk import MACHINE, NOW, audited

FILLED = {"{key}": "x", "{number}": "1", "{address}": "10.0.0.1"}


def path_of(name: str) -> str:
    """A path of a route."""
    path = next(endpoint.path for endpoint in ENDPOINTS if endpoint.name == name)
    for piece, value in FILLED.items():
        path = path.replace(piece, value)
    return f"{BASE}{path}"


@pytest.fixture
def fresh(desk: Desk, tmp_path: Path) -> object:
    """Accounts of the test's own."""
    with programs_of(desk, tmp_path) as found:
        yield found


def test_nobody_asks_without_a_token_and_no_cookie_helps(programs: Programs) -> None:
    _, secret = programs.token("lead")
    stranger = programs.client(None)
    for endpoint in ENDPOINTS:
        path = path_of(endpoint.name)
        for headers in (
            {}, {"Cookie": "minewatch=x; __Host-minewatch=x"}, {"Authorization": "Basic bGVhZDp4"},
            {"Authorization": f"Token {secret}"}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {secret}x"},
            {"Authorization": f"Bearer mwt_{'A' * 43}"}, {"Authorization": f"Bearer {'A' * 9_000}"},
        ):  # fmt: skip
            answer = stranger.get(path, headers=headers)
            assert answer.status_code == 401, (path, headers)
            assert answer.headers["www-authenticate"].startswith('Bearer realm="minewatch"')
            assert answer.headers["content-type"] == CONTENT_TYPE
            assert answer.headers["cache-control"] == "no-store"
        asked = stranger.get(f"{path}?access_token={secret}")
        assert asked.status_code == 401
    assert programs.client(secret).get(f"{BASE}/cases?access_token={secret}").status_code == 400


def test_a_token_is_good_for_its_scopes_alone(programs: Programs) -> None:
    for scope in SCOPES:
        program = programs.client(programs.token("lead", [scope])[1])
        for endpoint in ENDPOINTS:
            answer = program.get(path_of(endpoint.name))
            if endpoint.scope == scope:
                assert answer.status_code in (200, 404)
            else:
                assert answer.status_code == 403
                assert f'error="insufficient_scope", scope="{endpoint.scope}"' in answer.headers["www-authenticate"]


def test_a_token_that_ended_by_whatever_asks_in_vain_at_once(fresh: Programs) -> None:
    path = f"{BASE}/cases"
    for end in ("revoked", "over", "disabled", "role", "all"):
        token_id, secret = fresh.token("officer", days=1)
        program = fresh.client(secret)
        assert program.get(path).status_code == 200
        if end == "revoked":
            fresh.door.tokens.revoke(MACHINE, token_id, NOW)
        elif end == "over":
            fresh.now_ns = NOW + DAY_NS
        elif end == "disabled":
            fresh.door.accounts.change(MACHINE, "officer", AccountPatch(disabled=True), NOW)
        elif end == "role":
            fresh.door.accounts.change(MACHINE, "officer", AccountPatch(role="auditor", divisions=frozenset()), NOW)
        else:
            fresh.door.accounts.revoke(MACHINE, "officer", NOW, tokens=True)
        answer = program.get(path)
        assert (answer.status_code, answer.json()["status"]) == (401, 401)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        fresh.now_ns = NOW
        back = AccountPatch(disabled=False, role="officer", divisions=frozenset({"320500"}))
        fresh.door.accounts.change(MACHINE, "officer", back, NOW)


def test_what_is_not_understood_is_refused_and_says_what(programs: Programs) -> None:
    program = programs.of("lead")
    for query, parameter in (
        ("stat=new", "stat"), ("state=nwe", "state"), ("state=new&state=new", "state"), ("limit=0", "limit"),
        ("limit=501", "limit"), ("limit=x", "limit"), ("after=x", "after"), ("after=1.x", "after"), ("lang=zh", "lang"),
        ("format=csv", "format"), ("week=x", "week"), ("state=", "state"), ("week=9999-W10", "week"),
        ("week=0001-W01", "week"), ("after=9999999999999999999.1", "after"),
    ):  # fmt: skip
        answer = program.get(f"{BASE}/cases?{query}")
        body = answer.json()
        assert (answer.status_code, body["parameter"]) == (400, parameter), query
        assert answer.headers["content-type"] == CONTENT_TYPE
        assert body["title"] == "Bad Request"
    assert program.get(f"{BASE}/cases?division=999999").status_code == 400
    assert program.get(f"{BASE}/cases?%ff").status_code == 400
    for path in ("/api", "/api/v1", "/api/v2/cases", f"{BASE}/nothing", f"{BASE}/cases/x", f"{BASE}/addresses/x"):
        answer = program.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, CONTENT_TYPE), path
    for day in ("0264-02-17", "6867-09-21", "1969-12-31", "2201-01-01"):
        for name in ("since", "until"):
            assert program.get(f"{BASE}/findings?{name}={day}").json()["parameter"] == name
    for day in ("1970-01-01", "2200-12-31"):
        for name in ("since", "until"):
            assert program.get(f"{BASE}/findings?{name}={day}").status_code == 200
    assert program.post(f"{BASE}/cases").status_code == 405
    for answer in (program.post(f"{BASE}/cases"), program.options(f"{BASE}/cases")):
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}  # their order is that of a set
    assert program.post(f"{BASE}/cases").headers["content-type"] == CONTENT_TYPE


def test_an_answer_that_a_program_has_is_not_sent_again(programs: Programs) -> None:
    program, other = programs.of("lead"), programs.client(programs.token("lead")[1])
    for path in (f"{BASE}/cases", f"{BASE}/findings?limit=2", f"{BASE}/figures"):
        first = program.get(path)
        tag = first.headers["etag"]
        assert tag.startswith('"')
        assert first.headers["cache-control"] == "private, no-cache"
        assert first.headers["vary"] == "Authorization"
        for sent in (tag, f"W/{tag}", f'"x", {tag}'):
            again = program.get(path, headers={"If-None-Match": sent})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert program.get(path, headers={"If-None-Match": '"x"'}).content == first.content
        its = other.get(path, headers={"If-None-Match": tag})
        assert (its.status_code, its.content) == (200, first.content)  # the same bytes, and another's tag
        assert its.headers["etag"] != tag
    assert program.get(f"{BASE}/cases?limit=2").headers["etag"] != program.get(f"{BASE}/cases").headers["etag"]


def test_a_token_that_asks_too_often_waits_and_no_other_does(programs: Programs) -> None:
    clock = [0.0]
    former, programs.rate = programs.rate, RequestRate(3, 0.5, lambda: clock[0])
    try:
        busy, quiet = (programs.client(programs.token("lead")[1]) for _ in range(2))
        answers = [busy.get(f"{BASE}/sensors") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["retry-after"] == "2"
        assert answers[-1].headers["content-type"] == CONTENT_TYPE
        assert quiet.get(f"{BASE}/sensors").status_code == 200
        clock[0] = 2.0
        assert busy.get(f"{BASE}/sensors").status_code == 200
    finally:
        programs.rate = former


def test_the_rate_remembers_a_bounded_number_of_tokens() -> None:
    rate = RequestRate(clock=lambda: 0.0)
    assert all(rate.wait_s(str(number)) == 0.0 for number in range(2 * MOST_BUCKETS))
    assert len(rate) == MOST_BUCKETS


def test_each_answer_has_a_row_with_token_query_and_identities_and_no_secret(fresh: Programs) -> None:
    token_id, secret = fresh.token("officer")
    program = fresh.client(secret)
    cases = program.get(f"{BASE}/cases?state=new").json()["records"]
    again = program.get(f"{BASE}/cases?state=new")
    program.get(f"{BASE}/cases?state=new", headers={"If-None-Match": again.headers["etag"]})
    program.get(f"{BASE}/addresses/10.0.0.1")
    assert program.get(f"{BASE}/cases/999").status_code == 404  # nothing was shown
    rows = [row for row in audited(fresh.url) if row["kind"] == "call"]
    assert [row["action"] for row in rows] == ["interface.cases"] * 3 + ["interface.address"]
    assert rows[0]["objects"] == [f"key:{token_id}", *(f"case:{case['case']}" for case in cases)]
    assert rows[0]["query"] == {"path": f"{BASE}/cases", "state": "new"}
    assert rows[0]["actor"] == {"account": "officer", "role": "officer", "address": "192.0.2.7"}
    assert rows[-1]["objects"] == [f"key:{token_id}", "address:10.0.0.1"]
    assert secret not in json.dumps(rows)


def test_what_cannot_be_audited_is_not_sent(fresh: Programs) -> None:
    program = fresh.of("officer")
    assert program.get(f"{BASE}/cases").status_code == 200
    fresh.door.trail.close()
    answer = program.get(f"{BASE}/cases")
    assert (answer.status_code, answer.headers["content-type"]) == (503, CONTENT_TYPE)
    assert "10.0." not in answer.text


def test_everybody_may_read_the_description_and_it_names_no_host_and_nothing_of_the_ledger(programs: Programs) -> None:
    answer = programs.client(None).get(f"{BASE}/openapi.json")
    assert answer.status_code == 200
    assert "://" not in answer.text.replace("https://minewatch.invalid", "")
    assert "10.0.0.1" not in answer.text
    assert programs.client(None).get(f"{BASE}/openapi.json?x=1").status_code == 400
