"""The form of a parcel: what is signed is all of it, nothing else is looked into, and whatever a message holds, the
only thing that comes of it is a refusal with its cause.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.policy.keys import KeyFileError, PrivateKey, read_public
from sensor.policy.parcel import (
    BEGINNING,
    HEADER_AT,
    MOST_FILES,
    ParcelHeader,
    SealedParcel,
    open_sealed,
    seal,
    sealed,
    unpack,
)
from sensor.policy.refusal import ParcelError
from tests.policy.made import FOREIGN, KEY, KEYS, POLICY, header, parcel, signed

MOST = 1 << 20


def opened(body: bytes, most_bytes: int = MOST) -> SealedParcel:
    return open_sealed(body, KEYS, most_bytes)


def cause_of(body: bytes, most_bytes: int = MOST) -> str:
    """Why it is refused."""
    with pytest.raises(ParcelError) as refused:
        unpack(opened(body, most_bytes), most_bytes)
    assert str(refused.value)
    return refused.value.cause


def test_what_was_sealed_is_what_is_unpacked() -> None:
    files = {"a.yaml": b"one", "b.csv": b"", "c": bytes(range(256))}
    body = seal("tables", 7, 12, files, KEY, group="north", sensors=("edge-*", "probe-1"))
    found = opened(body)
    assert unpack(found) == files
    sizes = (("a.yaml", 3), ("b.csv", 0), ("c", 256))
    whole = found.header
    expected = (whole.payload_bytes, whole.payload_sha256)
    assert whole == ParcelHeader("tables", 7, 12, "north", ("edge-*", "probe-1"), sizes, *expected)
    assert whole.key == "tables/north"


@pytest.mark.parametrize(
    ("sensors", "selected"),
    [((), True), (("edge-1",), True), (("edge-?",), True), (("e*",), True), (("edge-11", "core-*"), False)],
)
def test_a_selection_names_sensors_with_wildcards(sensors: tuple[str, ...], selected: bool) -> None:
    assert opened(parcel(sensors=sensors)).header.selects("edge-1") == selected


def test_one_bit_changed_anywhere_is_refused() -> None:
    body = parcel()
    for place in range(len(body)):
        changed = bytearray(body)
        changed[place] ^= 1
        assert cause_of(bytes(changed)) in ("unreadable", "key", "signature", "newer")


def test_a_parcel_of_another_key_is_refused_and_so_is_one_that_names_a_trusted_key() -> None:
    foreign = parcel(key=FOREIGN)
    assert cause_of(foreign) == "key"
    named = BEGINNING + KEY.public.key_id + foreign[len(BEGINNING) + 8 :]
    assert cause_of(named) == "signature"


@pytest.mark.parametrize(
    "changed", [{"kind": "signatures"}, {"version": 9}, {"sensors": ["other"]}, {"group": "north"}, {"made_ns": 1}]
)
def test_a_signature_cannot_be_moved_to_another_kind_version_selection_or_group(changed: dict[str, object]) -> None:
    body = parcel()
    length = int.from_bytes(body[HEADER_AT - 4 : HEADER_AT], "big")
    rest = body[HEADER_AT + length :]  # signature and payload
    values = {**json.loads(body[HEADER_AT : HEADER_AT + length]), **changed}
    text = json.dumps(values, separators=(",", ":")).encode()
    moved = BEGINNING + KEY.public.key_id + len(text).to_bytes(4, "big") + text + rest
    assert cause_of(moved) == "signature"


def test_files_of_one_parcel_cannot_be_put_into_another() -> None:
    one, other = parcel(files={"policy.yaml": b"findings: {}\n"}), parcel(files={"policy.yaml": b"estimate: {}\n"})
    at = opened(one).payload_at
    assert cause_of(one[:at] + other[opened(other).payload_at :]) == "signature"
    assert cause_of(one + b"more") == "signature"
    assert cause_of(one[:-1]) == "signature"


def test_a_parcel_of_a_later_form_is_called_newer() -> None:
    assert cause_of(b"minewatch parcel 2\nwhatever") == "newer"
    assert cause_of(b"minewatch parcel x\nwhatever") == "unreadable"


@pytest.mark.parametrize("line", [b"1", b"0\n", b"1 \n", b"01\n", b"2", b"\n", b"12345678901\n"])
def test_only_a_higher_number_in_a_whole_first_line_is_called_newer(line: bytes) -> None:
    assert cause_of(b"minewatch parcel " + line) == "unreadable"


def test_a_message_over_its_bound_is_refused_before_anything_is_looked_at() -> None:
    assert cause_of(b"x" * 100, most_bytes=99) == "size"
    assert cause_of(parcel(), most_bytes=99) == "size"


def test_a_payload_that_unpacks_to_more_than_it_states_is_stopped_there() -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)
    assert len(bomb) < MOST
    assert cause_of(signed(header(files=[["policy.yaml", 1_000]]), bomb)) == "size"
    assert cause_of(signed(header(files=[["policy.yaml", 50_000_000]]), bomb)) == "size"  # over unpacked_bytes
    assert cause_of(signed(header(files=[["policy.yaml", 1_000]]), zlib.compress(b"x" * 999))) == "size"
    assert cause_of(signed(header(files=[["policy.yaml", 3]]), zlib.compress(b"abc") + zlib.compress(b"d"))) == "size"
    assert cause_of(signed(header(files=[["policy.yaml", 3]]), b"not compressed")) == "content"


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "a/b", "a\\b", "..", ".", ".hidden", "", "a\0b", "ä.yaml", "x" * 101, "-rf", 7, None],
)
def test_a_file_name_that_is_more_than_a_name_is_refused(name: object) -> None:
    assert cause_of(signed(header(files=[[name, 1]]), zlib.compress(b"x"))) == "header"


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"kind": "secrets"}, "kind"),
        ({"kind": ["policy"]}, "kind"),
        ({"kind": None}, "kind"),
        ({"version": 0}, "header"),
        ({"version": -1}, "header"),
        ({"version": 1 << 63}, "header"),
        ({"version": True}, "header"),
        ({"version": "7"}, "header"),
        ({"version": 7.0}, "header"),
        ({"made_ns": None}, "header"),
        ({"group": "North"}, "header"),
        ({"group": "a/b"}, "header"),
        ({"sensors": "edge-1"}, "header"),
        ({"sensors": ["a b"]}, "header"),
        ({"sensors": ["x"] * 257}, "header"),
        ({"files": {}}, "header"),
        ({"files": [["a"]]}, "header"),
        ({"files": [["a", -1]]}, "header"),
        ({"files": [["a", 0], ["A", 0]]}, "header"),
        ({"files": [[f"f{number}", 0] for number in range(MOST_FILES + 1)]}, "header"),
        ({"payload_sha256": "x"}, "header"),
        ({"payload_bytes": 1}, "signature"),
        ({"not_before_ns": 5}, "header"),
    ],
)
def test_a_header_against_the_rules_is_refused_though_it_is_signed(changed: dict[str, object], cause: str) -> None:
    assert cause_of(signed(header(**changed))) == cause


@pytest.mark.parametrize("missing", [*header()])
def test_no_field_of_the_header_may_be_missing(missing: str) -> None:
    values = {name: value for name, value in header().items() if name != missing}
    assert cause_of(signed(values)) in ("header", "kind")


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 60_000])
def test_a_signed_header_that_is_no_object_is_refused(text: bytes) -> None:
    assert cause_of(sealed(text, b"", KEY)) == "header"


def test_a_header_over_its_bound_is_not_signed_and_not_read() -> None:
    with pytest.raises(ParcelError):
        sealed(bytes(70_000), b"", KEY)
    assert cause_of(BEGINNING + KEY.public.key_id + (70_000).to_bytes(4, "big") + bytes(80_000)) == "unreadable"


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda rest: BEGINNING + KEY.public.key_id + rest))
)
def test_hostile_bytes_never_raise(body: bytes) -> None:
    cause_of(body)


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), st.lists, max_leaves=5))
def test_hostile_values_in_a_signed_header_never_raise(value: object) -> None:
    for name in header():
        body = signed(header(**{name: value}))
        with contextlib.suppress(ParcelError):
            unpack(opened(body), MOST)


def test_a_key_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    place = tmp_path / "policy.key"
    beside = KEY.write(place)
    assert place.stat().st_mode & 0o777 == 0o600
    assert read_public(str(beside)) == read_public(KEY.public.text) == KEY.public
    assert PrivateKey.read(place).public == KEY.public
    with pytest.raises(KeyFileError, match="is not overwritten"):
        FOREIGN.write(place)
    place.chmod(0o640)
    with pytest.raises(KeyFileError, match="others than its owner may read it"):
        PrivateKey.read(place)


@pytest.mark.parametrize(
    "text", ["ed25519:", "ed25519:AAAA", "ed25519:?", "rsa:x", "", "ed25519:" + "A" * 43 + "=" + "\ned25519:x"]
)
def test_what_is_no_public_key_is_refused(text: str, tmp_path: Path) -> None:
    place = tmp_path / "key.pub"
    place.write_text(text)
    with pytest.raises(KeyFileError, match=r"key\.pub"):
        read_public(str(place))


@pytest.mark.parametrize("full_at", [1, 2])
def test_where_the_disk_is_full_no_half_pair_is_left(
    full_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, calls = tmp_path / "policy.key", iter((1, 2))

    def full(*_: object) -> None:
        if next(calls) == full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("os.fchmod", full)
        with pytest.raises(KeyFileError, match=r"policy\.key.*: no space left"):
            KEY.write(place)
    assert list(tmp_path.iterdir()) == []
    KEY.write(place)


def test_a_name_that_no_file_can_have_is_no_public_key() -> None:
    with pytest.raises(KeyFileError, match="a·b: holds no public key"):
        read_public("a\0b")


def test_the_published_test_vector_of_ed25519_verifies() -> None:
    """RFC 8032 section 7.1, test 2."""
    raw = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    from sensor.policy.keys import PublicKey

    assert PublicKey(raw).verifies(b"\x72", signature)
    assert not PublicKey(raw).verifies(b"\x73", signature)
    assert POLICY
