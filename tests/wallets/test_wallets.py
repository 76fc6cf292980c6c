"""Wallets are told by their checksums: what is right is valid, one character changed never is, and no text raises."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.model.finding import Wallet
from sensor.signatures import load
from sensor.signatures.wallet_forms import CHECKS
from sensor.wallets import base32, base58, identify, mined_coin, prove
from sensor.wallets.checks import check
from tests.wallets.published import ADDRESSES, SHAPES, SPECIFIED

BOOK = load().wallets


def wallet(login: str) -> Wallet:
    return identify(login, BOOK).wallet


@pytest.mark.parametrize("address", [*ADDRESSES, *SPECIFIED])
def test_an_address_with_its_checksum_is_valid(address: str) -> None:
    found = wallet(address)
    assert (found.verdict, found.checksum, found.address) == ("valid", "right", address)
    assert {**ADDRESSES, **SPECIFIED}[address] in found.coins


@pytest.mark.parametrize("address", SHAPES)
def test_a_form_without_checksum_only_matches(address: str) -> None:
    found = wallet(address)
    assert (found.verdict, found.checksum, found.coins) == ("format matches", None, (SHAPES[address],))


@pytest.mark.parametrize("address", ADDRESSES)
def test_one_character_changed_is_never_valid(address: str) -> None:
    """Every place, four other characters each. A four-byte checksum lets one in 4,000 million through, not these."""
    rng = random.Random(address)
    body = address.find(":") + 1
    characters = sorted(
        set(address[body:]) | set("23457abcdefhkmABCDEFHK" if address != address.lower() else "234579acdefhkm")
    )
    for at in range(len(address)):
        for char in rng.sample([one for one in characters if one != address[at]], 4):
            changed = address[:at] + char + address[at + 1 :]
            if address.startswith("0x") and changed.lower() == address.lower():
                assert wallet(changed).verdict != "valid", changed
            elif wallet(changed).verdict == "valid":  # EIP-55 carries about 15 bits: its letters' case only
                assert address.startswith("0x"), changed


def test_a_wrong_eip55_is_told_and_one_case_is_no_checksum() -> None:
    good = "0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"
    assert wallet(good.replace("Fb9", "fb9")).checksum == "wrong"
    assert (wallet(good.lower()).verdict, wallet(good.lower()).checksum) == ("format matches", None)


def test_an_address_of_every_chain_keeps_all_of_them() -> None:
    coins = wallet("0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D").coins
    assert {"ETH", "ETC", "ETHW"} <= set(coins)
    assert mined_coin(wallet("0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"), "ethproxy", "ethash", BOOK) is None


def test_examples_and_counterexamples_hold() -> None:
    assert prove(BOOK) == []
    assert {form.check for form in BOOK.forms} <= set(CHECKS)
    assert len({form.name for form in BOOK.forms}) == len(BOOK.forms)


LTC = "LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk"
XMR = "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz"
TON = "EQCwRPAmIBsTySto5PYpXDa1cIbXYYyJnWsr_zokxlEPGoC2"
EVM = "0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"


@pytest.mark.parametrize(
    ("login", "address", "worker"),
    [
        (f"{LTC}.w1", LTC, "w1"),
        (f"{LTC}.hall2.rack7", LTC, "hall2.rack7"),
        (f"{LTC}/w1/someone@example.org", LTC, "w1"),
        (f"{LTC}_w1", LTC, "w1"),
        (f"{LTC}=w1", LTC, "w1"),
        (f"{XMR}+50000", XMR, None),
        (f"{XMR}.rig+50000", XMR, "rig"),
        (f"{XMR}.0123456789abcdef.rig/someone@example.org", XMR, "rig"),
        (f"{XMR}.0123456789abcdef/rig", XMR, "rig"),
        (f"solo:{LTC}.w1", LTC, "w1"),
        (f"{TON}.w1", TON, "w1"),
        (f"{TON}_w1", TON, "w1"),
        (f"SHIB:{EVM}.host#abcd-1234", EVM, "host"),
        (f"{LTC}", LTC, None),
    ],
)
def test_the_known_grammars_are_taken_apart(login: str, address: str, worker: str | None) -> None:
    found = identify(login, BOOK)
    assert (found.wallet.address, found.worker, found.wallet.verdict) == (address, worker, "valid")


def test_the_parts_besides_the_wallet() -> None:
    assert identify(f"{XMR}.rig+50000", BOOK).difficulty == "50000"
    assert identify(f"{LTC}/w1/someone@example.org", BOOK).mail
    found = identify(f"SHIB:{EVM}.host#abcd-1234", BOOK)
    assert (found.wallet.payout, found.referral) == ("SHIB", "abcd-1234")
    assert identify(f"solo:{LTC}", BOOK).wallet.payout is None


@pytest.mark.parametrize(
    "login", ["kvetak.worker1", "acct", "someone@example.org", "NHb" + "a" * 33, "krxX4Q7P2.rig", "", " ", "..", "x"]
)
def test_accounts_are_no_wallets(login: str) -> None:
    found = wallet(login)
    assert (found.verdict, found.address, found.coins) == ("account", None, ())


def test_an_accounts_worker_is_read() -> None:
    assert identify("kvetak.worker1", BOOK).worker == "worker1"
    assert identify("kvetak/hall/2", BOOK).worker == "hall"


@pytest.mark.parametrize(
    ("address", "dialect", "algorithm", "coin"),
    [
        (LTC, "stratum-v1", None, "LTC"),
        (LTC, "stratum-v1", "sha256d", None),  # a pool that converts
        (LTC, "cryptonote", "rx/0", None),
        ("1GZg2k2G9uGCkPKZ7XMRnn1WZhi5UfdU32", "stratum-v1", "sha256d", None),  # BCH and others have the same form
        ("bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr", "stratum-v1", "sha256d", "BTC"),
        ("bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr", "kawpow", "kawpow", None),
        ("RQqs7FuYkj4mpPgkahLYtJLiKyAgA835gQ", "kawpow", "kawpow", "RVN"),
        ("RQqs7FuYkj4mpPgkahLYtJLiKyAgA835gQ", "equihash", "equihash/200,9", "KMD"),
        ("RQqs7FuYkj4mpPgkahLYtJLiKyAgA835gQ", "stratum-v1", None, None),
        ("t1ZSH35SQ8E3oM2NT3xAYvb7RpMuAHag2ZE", "equihash", "equihash/125,4", "FLUX"),
        ("t1ZSH35SQ8E3oM2NT3xAYvb7RpMuAHag2ZE", "equihash", None, None),
        (XMR, "cryptonote", "rx/0", "XMR"),
        (XMR, "cryptonote", "rx/wow", None),
        (XMR[:-1] + "x", "cryptonote", "rx/0", None),
    ],
)
def test_a_coin_is_named_only_where_it_is_certain(
    address: str, dialect: str, algorithm: str | None, coin: str | None
) -> None:
    assert mined_coin(wallet(address), dialect, algorithm, BOOK) == coin


def test_a_payout_coin_is_not_the_mined_one() -> None:
    assert (
        mined_coin(wallet(f"BTC:{'bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr'}.w"), "stratum-v1", "sha256d", BOOK)
        is None
    )


ADDRESS_LIKE = st.one_of(
    st.text(max_size=120),
    st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", min_size=25, max_size=110),
    st.from_regex(
        r"(bc1|ltc1|kaspa:|cfx:|bitcoincash:|zs1|u1|xel:|TON:|0x|NQ\d\d|EQ)[0-9a-zA-Z_\- ]{20,100}", fullmatch=True
    ),
    st.from_regex(r"[0-9a-f]{40,80}", fullmatch=True),
)


@given(ADDRESS_LIKE, st.sampled_from(["", ".w", "/a/b@c", "+5", "_x", "#r"]))
def test_no_text_raises_and_chance_is_not_valid(text: str, tail: str) -> None:
    found = identify(text + tail, BOOK).wallet
    known = {form.example.lower() for form in BOOK.forms}
    assert (
        found.verdict != "valid" or found.address is None or found.address.lower() in known or len(found.address) <= 44
    )


@given(st.text(max_size=300))
def test_codecs_never_raise(text: str) -> None:
    base58.decode(text)
    base58.checked(text)
    base58.cryptonote(text)
    base32.bech32(text, "bc", 1)
    base32.segwit(text, "bc")
    base32.cashaddr(text, "kaspa")
    base32.conflux(text, "cfx")
    for form in BOOK.forms:
        if form.pattern.fullmatch(text):
            check(form, text)


@given(st.sampled_from(sorted(ADDRESSES)), st.data())
def test_swapped_neighbours_are_not_valid(address: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(address.find(":") + 1, len(address) - 2))
    swapped = address[:at] + address[at + 1] + address[at] + address[at + 2 :]
    if swapped != address and not address.startswith("0x"):
        assert wallet(swapped).verdict != "valid"
