"""Sessions: they end by idleness, by age, by sign-out, by whoever may end them; nothing that is stored opens one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.model.time import HOUR_NS, MINUTE_NS, SECOND_NS
from sensor.people.accounts import AccountPatch, ActingPerson
from sensor.people.csrf import csrf_token
from sensor.people.door import PeopleDoor, SignedIn, SignInRefused
from sensor.people.sessions import MOST_SESSIONS, SessionRow, digest_of, is_live
from tests.people.desk import ELSEWHERE, HERE, MACHINE, NOW, OTHER, PASSWORD, RULES, WUXI, add, cookie_of


def test_who_signs_in_is_that_account_until_he_signs_out(door: PeopleDoor) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    viewer = door.viewer_of(cookie, NOW)
    assert viewer is not None
    assert (viewer.login, viewer.role, viewer.divisions) == ("li", "officer", frozenset({"320500"}))
    assert door.sign_out(cookie, HERE, NOW)
    assert door.viewer_of(cookie, NOW) is None
    assert not door.sign_out(cookie, HERE, NOW)


def test_a_session_that_nobody_uses_is_over(door: PeopleDoor) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    assert door.viewer_of(cookie, NOW + RULES.idle_ns - 1) is not None
    cookie = cookie_of(door, "li")
    assert door.viewer_of(cookie, NOW + RULES.idle_ns) is None


def test_a_session_that_is_used_all_the_time_is_over_at_its_end(door: PeopleDoor) -> None:
    add(door, "li")
    cookie, at_ns = cookie_of(door, "li"), NOW
    while at_ns + 10 * MINUTE_NS < NOW + RULES.absolute_ns:
        at_ns += 10 * MINUTE_NS
        assert door.viewer_of(cookie, at_ns) is not None
    assert door.viewer_of(cookie, NOW + RULES.absolute_ns) is None


@settings(max_examples=60)
@given(st.lists(st.integers(0, 40 * 60), max_size=30))
def test_a_session_is_live_exactly_as_long_as_its_rules_say(gaps_s: list[int]) -> None:
    at_ns, seen_ns, live = NOW, NOW, True
    for gap in gaps_s:
        at_ns += gap * SECOND_NS
        live = live and at_ns - seen_ns < RULES.idle_ns and at_ns - NOW < RULES.absolute_ns
        assert is_live(SessionRow("", "", "", NOW, seen_ns), RULES, at_ns) == live or not live
        if not live:
            return
        seen_ns = at_ns


def test_a_new_session_has_a_new_secret_and_ends_the_one_before(door: PeopleDoor) -> None:
    """Fixation: what a stranger put into the browser is worth nothing after the sign-in."""
    add(door, "li")
    add(door, "stranger")
    planted = cookie_of(door, "stranger", address=ELSEWHERE)
    cookie = cookie_of(door, "li", former=planted)
    assert cookie != planted
    assert door.viewer_of(planted, NOW) is None
    viewer = door.viewer_of(cookie, NOW)
    assert viewer is not None
    assert viewer.login == "li"


def test_a_secret_that_a_stranger_chose_is_never_taken(door: PeopleDoor) -> None:
    add(door, "li")
    chosen = "A" * 43
    assert cookie_of(door, "li", former=chosen) != chosen
    assert door.viewer_of(chosen, NOW) is None


def test_what_is_stored_opens_nothing(door: PeopleDoor, tmp_path: Path) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    with sqlite3.connect(tmp_path / "ledger.db.people") as connection:
        ((digest,),) = connection.execute("SELECT digest FROM sessions").fetchall()
        everything = "\n".join(connection.iterdump())
    assert digest == digest_of(cookie)
    for secret in (cookie, PASSWORD, csrf_token(cookie)):
        assert secret not in everything
    for stolen in (digest, digest[:43], csrf_token(cookie)):
        assert door.viewer_of(stolen, NOW) is None


def test_texts_that_are_no_cookie_are_nobody(door: PeopleDoor) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    for text in (
        "",
        "x",
        cookie[:-1],
        cookie + "\n",
        f"{cookie} ",
        cookie.swapcase(),
        "\ud800" * 43,
        "a" * 100_000,
        None,
    ):
        assert door.viewer_of(text, NOW) is None


def test_a_stolen_cookie_dies_with_the_sign_out_and_with_what_its_owner_revokes(door: PeopleDoor) -> None:
    li = add(door, "li")
    me = ActingPerson.signed_in(li, HERE)
    stolen, mine = cookie_of(door, "li", address=ELSEWHERE), cookie_of(door, "li")
    assert {session.address for session in door.sessions(li, NOW)} == {HERE, ELSEWHERE}
    assert door.accounts.revoke(me, "li", NOW, keep_session=mine) == 1
    assert door.viewer_of(stolen, NOW) is None
    assert door.viewer_of(mine, NOW) is not None
    assert door.sign_out(mine, HERE, NOW)
    assert door.viewer_of(mine, NOW) is None


def test_a_sign_out_ends_nobody_elses_session(door: PeopleDoor) -> None:
    add(door, "li")
    add(door, "wang")
    mine, other = cookie_of(door, "li"), cookie_of(door, "wang")
    door.sign_out(mine, HERE, NOW)
    assert door.viewer_of(other, NOW) is not None


def test_a_changed_password_ends_all_sessions_but_that_of_who_changed_it(door: PeopleDoor) -> None:
    li = add(door, "li")
    stolen, mine = cookie_of(door, "li", address=ELSEWHERE), cookie_of(door, "li")
    door.accounts.set_password(ActingPerson.signed_in(li, HERE), "li", OTHER, NOW, keep_session=mine)
    assert door.viewer_of(stolen, NOW) is None
    assert door.viewer_of(mine, NOW) is not None
    assert isinstance(door.sign_in("li", PASSWORD, HERE, NOW), SignInRefused)
    assert isinstance(door.sign_in("li", OTHER, HERE, NOW), SignedIn)


def test_a_disabled_account_is_out_at_once_and_stays_out(door: PeopleDoor) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=True), NOW)
    assert door.viewer_of(cookie, NOW) is None
    assert door.sign_in("li", PASSWORD, HERE, NOW) == SignInRefused("wrong")
    door.accounts.change(MACHINE, "li", AccountPatch(disabled=False), NOW)
    assert door.viewer_of(cookie, NOW) is None  # the old session does not come back
    assert isinstance(door.sign_in("li", PASSWORD, HERE, NOW), SignedIn)


def test_rights_are_those_of_now_and_not_those_of_the_sign_in(door: PeopleDoor) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    door.accounts.change(MACHINE, "li", AccountPatch(divisions=frozenset({WUXI})), NOW)
    viewer = door.viewer_of(cookie, NOW)
    assert viewer is not None
    assert viewer.viewer.divisions == frozenset({WUXI})
    door.accounts.change(MACHINE, "li", AccountPatch(role="reader"), NOW)
    assert door.viewer_of(cookie, NOW) is None  # who is somebody else now signs in again


def test_an_account_has_a_bounded_number_of_sessions(door: PeopleDoor) -> None:
    li = add(door, "li")
    cookies = [cookie_of(door, "li", NOW + number * SECOND_NS) for number in range(MOST_SESSIONS + 3)]
    at_ns = NOW + MINUTE_NS
    assert [door.viewer_of(cookie, at_ns) is None for cookie in cookies[:4]] == [True, True, True, False]
    assert len(door.sessions(li, at_ns)) == MOST_SESSIONS


def test_sessions_are_those_of_every_process(door: PeopleDoor, url: str) -> None:
    from tests.people.desk import opened

    add(door, "li")
    cookie = cookie_of(door, "li")
    with opened(url) as other:
        assert other.viewer_of(cookie, NOW) is not None
        other.sign_out(cookie, HERE, NOW)
    assert door.viewer_of(cookie, NOW) is None


def test_a_page_is_shown_where_its_use_cannot_be_written(door: PeopleDoor, tmp_path: Path) -> None:
    add(door, "li")
    cookie = cookie_of(door, "li")
    holder = sqlite3.connect(tmp_path / "ledger.db.people", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert door.viewer_of(cookie, NOW + 1) is not None  # nothing to be written within a minute
    holder.execute("ROLLBACK")
    holder.close()


def test_who_must_change_a_password_sees_nothing_before(door: PeopleDoor) -> None:
    from sensor.people.account import UserAccount
    from sensor.people.rules import may

    door.accounts.add(MACHINE, UserAccount("zhao", "Zhao", "lead", frozenset({"320500"})), PASSWORD, NOW)
    viewer = door.viewer_of(cookie_of(door, "zhao"), NOW)
    assert viewer is not None
    assert viewer.must_change
    assert viewer.viewer.divisions == frozenset()
    assert not may(viewer, "see-cases")
    door.accounts.set_password(ActingPerson.signed_in(viewer, HERE), "zhao", OTHER, NOW)
    answer = door.sign_in("zhao", OTHER, HERE, NOW + HOUR_NS)
    assert isinstance(answer, SignedIn)
    assert not answer.account.must_change
    assert answer.account.viewer.divisions == frozenset({"320500"})
