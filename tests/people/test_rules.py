"""Three powers apart, nobody widens himself, a lead stays inside of his divisions, one admin remains."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.model.scope import DATA_ROLES, ROLES, Role
from sensor.people.account import (
    AccountError,
    Divisions,
    UserAccount,
    common,
    divisions_of_codes,
    read_divisions,
    role_of,
    stored_divisions,
    within,
)
from sensor.people.accounts import AccountPatch, ActingPerson
from sensor.people.door import PeopleDoor
from sensor.people.rules import (
    POWERS,
    check_change,
    check_password_change,
    check_revoke,
    check_token,
    may,
)
from tests.people.desk import HERE, MACHINE, NOW, OTHER, PASSWORD, SUZHOU, WUXI, add, audited

CODES = st.sampled_from(["320000", "320500", "320505", "320200", "330100", "330000"])
DIVISIONS = st.one_of(st.just("all"), st.frozensets(CODES, min_size=1, max_size=3))


@st.composite
def accounts(draw: st.DrawFn, login: str = "") -> UserAccount:
    role = draw(st.sampled_from(ROLES))
    divisions: Divisions = draw(DIVISIONS) if role in DATA_ROLES else frozenset()
    name = login or draw(st.sampled_from(["li", "wang", "zhao"]))
    return UserAccount(name, name, role, divisions, disabled=draw(st.booleans()))


def allowed(by: UserAccount | None, before: UserAccount | None, after: UserAccount, admins: int = 1) -> bool:
    try:
        check_change(by, before, after, admins)
    except AccountError:
        return False
    return True


@given(accounts("li"), accounts("li"))
def test_nobody_widens_himself_whatever_he_is(me: UserAccount, wished: UserAccount) -> None:
    if allowed(me, me, wished):
        assert (me.role, me.divisions, me.disabled) == (wished.role, wished.divisions, wished.disabled)


@given(accounts("li"), accounts("wang"), accounts("wang"))
def test_a_lead_changes_nothing_outside_of_his_divisions(
    by: UserAccount, before: UserAccount, after: UserAccount
) -> None:
    if by.role == "admin" or not allowed(by, before, after):
        return
    assert by.role == "lead"
    assert {before.role, after.role} <= {"reader", "officer"}
    assert within(before.divisions, by.divisions)
    assert within(after.divisions, by.divisions)


@given(accounts("li"), accounts("new"))
def test_only_an_admin_or_the_machine_makes_accounts(by: UserAccount, fresh: UserAccount) -> None:
    assert allowed(None, None, fresh)
    assert allowed(by, None, fresh) == (by.role == "admin" and not by.disabled)


@given(accounts("li"), accounts("wang"), accounts("wang"))
def test_one_admin_remains_whoever_acts(by: UserAccount, before: UserAccount, after: UserAccount) -> None:
    for acting in (None, by):
        if allowed(acting, before, after, admins=0):
            assert after.is_active_admin or not before.is_active_admin


@given(accounts())
def test_three_powers_are_apart(account: UserAccount) -> None:
    powers = {power for power in itertools.chain(*POWERS.values()) if may(account, power)}
    assert not {"see-cases", "manage-people"} <= powers
    assert not {"read-audit", "manage-people"} <= powers
    assert not {"read-audit", "see-cases"} <= powers
    if account.role == "auditor":
        assert powers <= {"read-audit"}
    if account.disabled:
        assert not powers
    for gone in ("see-cases", "change-cases", "read-audit", "manage-people"):
        assert not may(dataclasses.replace(account, must_change=True), gone)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_of_no_cases_has_no_divisions_and_one_of_cases_has_some(role: Role) -> None:
    for divisions in (frozenset(), frozenset({SUZHOU}), "all"):
        account = UserAccount("li", "Li", role, divisions)  # type: ignore[arg-type]
        assert allowed(None, None, account) == (bool(divisions) == (role in DATA_ROLES))


@given(DIVISIONS, DIVISIONS)
def test_what_two_have_in_common_lies_in_both(one_side: Divisions, other: Divisions) -> None:
    both = common(one_side, other)
    assert within(both, one_side)
    assert within(both, other)
    if within(one_side, other):
        assert within(one_side, both)


def test_an_empty_scope_has_nothing_in_it() -> None:
    assert not within(frozenset({SUZHOU}), frozenset())
    assert within(frozenset({"320505"}), frozenset({SUZHOU}))
    assert not within(frozenset({"320000"}), frozenset({SUZHOU}))
    assert not within("all", frozenset({"320000"}))
    assert within(frozenset({"320000"}), "all")


@given(DIVISIONS)
def test_divisions_come_back_as_they_were_stored(divisions: Divisions) -> None:
    assert read_divisions(stored_divisions(divisions)) == divisions


@pytest.mark.parametrize("text", ["", "null", "{}", '["all"]', '["320500\\n"]', "[3205]", '"ALL"', "['320500']"])
def test_divisions_that_nobody_stored_are_none(text: str) -> None:
    assert read_divisions(text) == frozenset()


@pytest.mark.parametrize("code", ["", "3", "320", "032050", "320500\n", "３２０５００", "all ", "320500'--", "3205000"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(AccountError):
        divisions_of_codes([code])


def test_an_admin_sets_passwords_but_makes_no_token_and_a_lead_neither() -> None:
    admin = UserAccount("root", "Root", "admin", frozenset())
    lead = UserAccount("lead", "Lead", "lead", frozenset({SUZHOU}))
    officer = UserAccount("li", "Li", "officer", frozenset({SUZHOU}))
    check_password_change(admin, officer)
    check_revoke(admin, officer)
    check_revoke(lead, officer)
    check_revoke(officer, officer)
    check_token(officer, officer)
    for check, by, of in (
        (check_token, admin, officer),  # by it he would see cases
        (check_token, None, admin),
        (check_password_change, lead, officer),  # by it he would be somebody else
        (check_password_change, officer, lead),
        (check_revoke, officer, lead),
        (check_revoke, lead, UserAccount("wang", "Wang", "officer", frozenset({WUXI}))),
        (check_revoke, lead, admin),
    ):
        with pytest.raises(AccountError):
            check(by, of)


def test_a_lead_of_a_division_cannot_touch_anybody_of_another(door: PeopleDoor, url: str) -> None:
    """OpenCTI CVE-2026-44730: an admin of a part raised himself."""
    lead = ActingPerson.signed_in(add(door, "lead", "lead", SUZHOU), HERE)
    add(door, "li", "officer", "320505")
    add(door, "wang", "officer", WUXI)
    door.accounts.change(lead, "li", AccountPatch(divisions=frozenset({SUZHOU})), NOW)
    for login, patch in (
        ("wang", AccountPatch(name="x")),
        ("wang", AccountPatch(divisions=frozenset({SUZHOU}))),
        ("li", AccountPatch(divisions=frozenset({SUZHOU, WUXI}))),
        ("li", AccountPatch(divisions="all")),
        ("li", AccountPatch(role="lead")),
        ("li", AccountPatch(role="admin", divisions=frozenset())),
        ("lead", AccountPatch(divisions="all")),
        ("lead", AccountPatch(role="admin", divisions=frozenset())),
    ):
        before = door.accounts.get(login)
        with pytest.raises(AccountError):
            door.accounts.change(lead, login, patch, NOW)
        assert door.accounts.get(login) == before
        assert audited(url)[-1]["phase"] == "failed"


def test_rights_are_read_when_something_is_done_not_when_the_page_was_made(door: PeopleDoor) -> None:
    lead = ActingPerson.signed_in(add(door, "lead", "lead", SUZHOU), HERE)
    add(door, "li", "officer", SUZHOU)
    door.accounts.change(MACHINE, "lead", AccountPatch(role="officer"), NOW)
    with pytest.raises(AccountError):
        door.accounts.change(lead, "li", AccountPatch(disabled=True), NOW)
    door.accounts.change(MACHINE, "lead", AccountPatch(role="lead", disabled=True), NOW)
    with pytest.raises(AccountError):
        door.accounts.change(lead, "li", AccountPatch(disabled=True), NOW)


def test_the_last_admin_stays_and_an_admin_cannot_change_himself(door: PeopleDoor) -> None:
    root = ActingPerson.signed_in(add(door, "root", "admin"), HERE)
    for patch in (AccountPatch(disabled=True), AccountPatch(role="auditor")):
        for by in (root, MACHINE):
            with pytest.raises(AccountError):
                door.accounts.change(by, "root", patch, NOW)
    add(door, "second", "admin")
    with pytest.raises(AccountError, match="his own"):
        door.accounts.change(root, "root", AccountPatch(role="auditor"), NOW)
    door.accounts.change(MACHINE, "root", AccountPatch(role="auditor"), NOW)
    assert door.accounts.get("root").role == "auditor"


def test_without_a_login_nobody_may_anything(door: PeopleDoor) -> None:
    from sensor.audit.entry import AuditActor

    add(door, "li")
    nobody = ActingPerson(AuditActor())
    for act in (
        lambda: door.accounts.change(nobody, "li", AccountPatch(role="admin", divisions=frozenset()), NOW),
        lambda: door.accounts.add(nobody, UserAccount("new", "New", "admin", frozenset()), PASSWORD, NOW),
        lambda: door.accounts.set_password(nobody, "li", OTHER, NOW),
        lambda: door.accounts.revoke(nobody, "li", NOW),
        lambda: door.tokens.add(nobody, "li", "x", ["read:cases"], None, 1, NOW),
    ):
        with pytest.raises(AccountError):
            act()


def test_every_change_stands_in_the_audit_with_what_was_before_and_after(door: PeopleDoor, url: str) -> None:
    root = ActingPerson.signed_in(add(door, "root", "admin"), HERE)
    add(door, "li")
    door.accounts.change(root, "li", AccountPatch(role="reader", divisions=frozenset({WUXI})), NOW)
    asked, done = audited(url)[-2:]
    assert (asked["phase"], done["phase"], done["who"]) == ("asked", "done", "account:root")
    assert done["actor"]["address"] == HERE
    assert (done["before"]["role"], done["before"]["divisions"]) == ("officer", SUZHOU)
    assert (done["after"]["role"], done["after"]["divisions"]) == ("reader", WUXI)
    door.accounts.set_password(root, "li", OTHER, NOW)
    assert door.accounts.get("li").must_change
    assert OTHER not in repr(audited(url))
    assert "argon2" not in repr(audited(url))


def test_roles_are_names_and_nothing_else() -> None:
    for text in ("Admin", "admin ", "admin\n", "", "root", "reader,admin"):
        with pytest.raises(AccountError):
            role_of(text)
