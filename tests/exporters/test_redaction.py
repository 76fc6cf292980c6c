"""What leaves redacted tells no inside address, no place, no mail address and no whole wallet, in any of its texts;
the rest stays.
"""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.forms.event import dumps, encode
from exporters.redaction.finding import HIDDEN, hide_host, hide_inside, hide_worker, redacted, shorten
from sensor.model.finding import Finding
from tests.session.dialogue import only

LTC = "LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk"


def session(login: str, agent: str = "cgminer/4.11.1") -> Finding:
    job = '"01","02",[],"20000000","1a0ffff0","689c3000",true'
    return only(
        f"""
        C {{"id":1,"method":"mining.subscribe","params":["{agent}"]}}
        S {{"id":1,"result":[[["mining.notify","2"]],"f1b0dee5",4],"error":null}}
        C {{"id":2,"method":"mining.authorize","params":["{login}","x"]}}
        S {{"id":2,"result":true,"error":null}}
        S {{"id":null,"method":"mining.notify","params":["a","{"ab" * 32}",{job}]}}
        C {{"id":3,"method":"mining.submit","params":["{login}","a","00000001","689c3007","0a1b2c3d"]}}
        S {{"id":3,"result":true,"error":null}}
        """
    )


INSIDE = [
    "192x168x1x23",
    "10.1.2.3",
    "10-0-12-255",
    "172_16_0_9",
    "ip1x23",
    "rack07-13",
    "hall2",
    "row3-slot9",
    "Rack-A12",
    "3号机柜12",
    "a3-r2-s11",
    "00:1b:21:aa:bb:cc",
]


@pytest.mark.parametrize("name", INSIDE)
def test_inside_names_are_hidden_everywhere(name: str) -> None:
    for login in (f"{LTC}.{name}", f"acct.{name}", f"acct/{name}/ops@farm.example"):
        line = dumps(encode(redacted(session(login))))
        assert name not in json.loads(line)["mining"]["login"]
        text = json.dumps(json.loads(line), ensure_ascii=False)
        assert name not in text
        assert "ops@farm" not in text


@pytest.mark.parametrize(
    "name", ["worker1", "rig7", "s19-hydro", "default", "w", "x", "NiceHash", "2023", "1.5", "asus-rtx3080", "antminer"]
)
def test_names_that_tell_no_place_stay(name: str) -> None:
    assert hide_worker(name) == name


def test_wallets_keep_their_ends_only() -> None:
    found = redacted(session(f"{LTC}.w1"))
    assert found.login == "LandHx…i3jgMk.w1"
    assert found.wallet is not None
    assert found.wallet.address == "LandHx…i3jgMk"
    assert LTC not in json.dumps(encode(found), ensure_ascii=False)
    assert shorten("kaspa:qprgnpts6z9u7csk63th22ktsk0acvewluyapp6wwz29xnttyfahy7u9udahf") == "kaspa:qprgnp…9udahf"
    assert "EQCwRP…EPGoC2" in (redacted(session("EQCwRPAmIBsTySto5PYpXDa1cIbXYYyJnWsr_zokxlEPGoC2.w")).login or "")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("10.1.2.3:3333", f"{HIDDEN}:3333"),
        ("192.168.7.20:1080", f"{HIDDEN}:1080"),
        ("100.64.3.4:1080", f"{HIDDEN}:1080"),
        ("[fd00::7]:3333", f"{HIDDEN}:3333"),
        ("[::ffff:10.1.2.3]:3333", f"{HIDDEN}:3333"),
        ("172.20.0.1", HIDDEN),
        ("203.0.113.9:1080", "203.0.113.9:1080"),
        ("[2001:db8::1]:3333", "[2001:db8::1]:3333"),
        ("pool.example.test:5555", "pool.example.test:5555"),
        ("pool-10-1-2-3.farm.example:3333", f"pool-{HIDDEN}.farm.example:3333"),
    ],
)
def test_of_a_host_that_is_spoken_of_only_what_is_inside_goes(place: str, told: str) -> None:
    assert hide_host(place) == told


def test_proxy_client_pool_and_agent_of_a_finding() -> None:
    found = session(f"{LTC}.w1", agent="farm-agent 10.1.2.3")
    flow = dataclasses.replace(
        found.flows[0], client="10.9.8.7:40000", proxy="203.0.113.9:1080", pool_host="10.5.5.5:3333"
    )
    found = dataclasses.replace(found, flows=[flow], pool_host="10.5.5.5:3333", proxy="203.0.113.9:1080")
    hidden = redacted(found)
    one = hidden.flows[0]
    assert (one.client, one.proxy, one.pool_host) == (f"{HIDDEN}:40000", "203.0.113.9:1080", f"{HIDDEN}:3333")
    assert (hidden.pool_host, hidden.proxy) == (f"{HIDDEN}:3333", "203.0.113.9:1080")
    assert (hidden.agent, one.agent) == (f"farm-agent {HIDDEN}", f"farm-agent {HIDDEN}")
    text = dumps(encode(hidden))
    assert not any(inside in text for inside in ("10.9.8.7", "10.5.5.5", "10.1.2.3"))


def test_the_finding_itself_is_left_alone() -> None:
    found = session(f"{LTC}.rack07-13")
    before = dataclasses.asdict(found)
    copy = redacted(found)
    assert dataclasses.asdict(found) == before
    assert (copy.finding_id, copy.miner_ip, copy.pool_ip, copy.shares, copy.grade) == (
        *(found.finding_id, found.miner_ip, found.pool_ip, found.shares, found.grade),
    )


def test_redacting_twice_changes_nothing_more() -> None:
    once = redacted(session(f"{LTC}.192x168x1x23"))
    assert redacted(once) == once


@given(st.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(hide_inside(text), str)
    assert isinstance(hide_worker(text), str)
    assert isinstance(shorten(text), str)


@given(*[st.integers(0, 255)] * 4, st.sampled_from(".x-_"), st.sampled_from(["", "rig", "m-", "ip"]))
def test_every_address_in_every_spelling_is_hidden(a: int, b: int, c: int, d: int, dot: str, before: str) -> None:
    spelled = dot.join(map(str, (a, b, c, d)))
    assert spelled not in hide_worker(before + spelled)
    assert HIDDEN in hide_worker(before + spelled)
