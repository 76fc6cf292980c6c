"""Lines too long to be held: read by head and tail, the same however they were cut into segments; what is left out can
make nothing up.
"""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.readers.json_lines import MAX_LINE_BYTES, JsonLines
from sensor.dialects.readers.long_line import HEAD_BYTES, MAX_NAMES, TAIL_BYTES
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.model.text import CutText

PROOF = "A" * 400_000


def read(pieces: list[bytes]) -> list[Read]:
    reader = JsonLines(0)
    found: list[Read] = []
    offset = 0
    for piece in pieces:
        found.extend(reader.feed(7, offset, 0, piece))
        offset += len(piece)
    return [*found, *reader.finish()]


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def only(data: bytes) -> Message:
    (found,) = read([data])
    assert isinstance(found, Message)
    return found


def test_a_share_with_a_long_proof_has_its_method_id_and_job() -> None:
    share = line({"method": "submit", "params": {"job_id": "7", "plain_proof": PROOF, "nonce": 5}, "id": 12})
    found = only(share)
    assert (found.value["method"], found.value["id"]) == ("submit", 12)
    params = found.value["params"]
    assert isinstance(params, dict)
    assert (params["job_id"], params["nonce"]) == ("7", 5)
    assert type(params["plain_proof"]) is CutText
    assert found.skipped_bytes == len(share) - 1 - HEAD_BYTES - TAIL_BYTES
    assert (found.offset, found.end) == (0, len(share))


def test_places_in_a_list_stay_what_they_are_where_one_text_is_cut() -> None:
    found = only(line({"id": 4, "method": "mining.submit", "params": ["w.r", "job", PROOF, "x", "y"]}))
    params = found.value["params"]
    assert isinstance(params, list)
    assert [*params[:2], *params[3:]] == ["w.r", "job", "x", "y"]
    assert type(params[2]) is CutText


def test_a_list_of_which_elements_are_left_out_ends_with_what_was_cut() -> None:
    found = only(line({"params": ["w", "j", list(range(100_000)), "z"], "id": 4}))
    params = found.value["params"]
    assert isinstance(params, list)
    assert (params[:2], params[3], found.value["id"]) == (["w", "j"], "z", 4)
    assert type(params[2][-1]) is CutText
    assert params[2][:-1] == list(range(len(params[2]) - 1))


def test_elements_behind_others_that_are_left_out_are_left_out_too() -> None:
    found = only(line({"params": ["w", *(["p" * 1_000] * 200), "mallory"], "id": 4}))
    assert "mallory" not in json.dumps(found.value)
    assert found.value["id"] == 4


@pytest.mark.parametrize("key", ["login", "method", "id"])
def test_text_that_looks_like_members_stays_text(key: str) -> None:
    fake = f'","{key}":"mallory","x":"'
    for proof in (PROOF + fake * 2_000, fake * 20_000, "\\" * 90_001 + fake * 900, '"' * 90_001 + fake):
        document = {"a": "b", "proof": proof, "z": 1}
        assert key not in only(line(document)).value


def test_what_was_left_out_under_a_name_overrides_what_was_said_before() -> None:
    """JSON's last member of a name counts, and its value was not seen."""
    data = b'{"id":1,"method":"mining.submit","a":"' + b"p" * 40_000 + b'","method":"ping","b":"' + b"q" * 40_000
    found = only(data + b'","c":2}\n')
    assert type(found.value["method"]) is CutText
    assert (found.value["id"], found.value["c"]) == (1, 2)


def test_a_member_that_was_left_out_is_not_absent() -> None:
    data = b'{"id":1,"a":"' + b"p" * 40_000 + b'","result":true,"b":"' + b"q" * 40_000 + b'","c":2}\n'
    assert type(only(data).value["result"]) is CutText


def test_a_text_cut_in_two_is_not_joined() -> None:
    data = b'{"id":1,"login":"' + b"x" * 70_000 + b'me"}\n'
    login = only(data).value["login"]
    assert type(login) is CutText
    assert not login.endswith("me")


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' + b"[" * 80_000 + b"]" * 80_000 + b"}\n",
        b'{"a":"' + b"x" * 80_000 + b"\n",
        b'{"a":1' + b"}" * 80_000 + b"\n",
        b'{"a":"' + b"x" * 80_000 + b'"} tail\n',
        b"{" + b",".join(b'"k%d":"%s"' % (n, b"v" * 2_000) for n in range(MAX_NAMES + 40)) + b"}\n",
        b"x" * 80_000 + b"\n",
        b"[1," + b"1" * 80_000 + b"]\n",
    ],
)
def test_what_cannot_be_read_is_refused_and_the_next_line_is_read(data: bytes) -> None:
    found = read([data + b'{"ok":1}\n'])
    assert [one.value for one in found if isinstance(one, Message) and not one.skipped_bytes] == [{"ok": 1}]
    assert [one.reason for one in found if isinstance(one, Malformed)]


def test_several_objects_of_one_long_line_are_read() -> None:
    data = b'{"a":1}{"b":"' + b"x" * 90_000 + b'","id":2} {"c":3}\n'
    assert [list(one.value) for one in read([data]) if isinstance(one, Message)] == [["a"], ["b", "id"], ["c"]]
    data = b'{"a":1,"b":"' + b"x" * 30_000 + b'"}{"c":"' + b"y" * 60_000 + b'"}{"d":4}\n'
    assert [list(one.value) for one in read([data]) if isinstance(one, Message)] == [["a", "b"], ["d"]]


def test_a_last_line_without_lf_counts_if_it_is_whole() -> None:
    data = line({"id": 1, "proof": PROOF})[:-1]
    assert only(data).value["id"] == 1
    (found,) = read([data[:-1]])
    assert isinstance(found, Malformed)
    assert found.reason == "unfinished"


def test_an_endless_line_holds_no_more_than_the_bound() -> None:
    for filler in (b"A" * 1_000, b'"a",' * 250, b'\\"' * 500, b"[" * 1_000, b'{"a":1},' * 125):
        reader = JsonLines(0)
        offset = 0
        for piece in [b'{"id":1,"x":["', *[filler] * 2_000]:
            list(reader.feed(1, offset, 0, piece))
            offset += len(piece)
            held = len(reader._buffer)
            if reader._long is not None:
                held += len(reader._long._tail) + len(reader._long._name) + HEAD_BYTES
            assert held <= 2 * MAX_LINE_BYTES


PARTS = st.lists(
    st.sampled_from(
        [
            b'{"id":1,"method":"mining.submit","params":["w","j","' + b"P" * 66_000 + b'"],"z":[1,2]}\n',
            b'{"proof":"' + b'\\"\\\\\\u00e9",' * 20 + b'"}\n',
            b'{"p":"' + b"\\\\" * 17_000 + b'\\",' + b'\\"' * 20_000 + b'","id":3}\n',
            b'{"p":['
            + b"123," * 20_000
            + b'5],"id":{"a":"'
            + b"x" * 9_000
            + b'"},"y":"'
            + b"\xc3\xa9" * 5_000
            + b'"}\n',
            b'{"p":[' + b'{"a":"b","c":[1]},' * 5_000 + b'{}],"id":9}\n',
            b'{"a":1}{"b":"' + b"x" * 70_000 + b'"}{"c":3}\n',
            b'{"a":1}\n',
            b"z" * 70_000 + b"\n",
            b'{"a":"' + b"\\" * 70_001 + b'"}\n',
            b'{"n":' + b"7" * 70_000 + b"}\n",
            b'{"last":"' + b"x" * 70_000,
        ]
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=80, deadline=None)
@given(PARTS, st.data())
def test_segments_make_no_difference(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    whole = read([stream])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    assert read([stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]) == whole
    size = data.draw(st.integers(50, 3_000))
    assert read([stream[at : at + size] for at in range(0, len(stream), size)]) == whole


def document(rng: random.Random, depth: int = 0) -> object:
    """Any JSON, with texts that try to look like JSON."""
    pick = rng.random()
    if depth > 4 or pick < 0.45:
        nasty = ['"', "\\", ',"id":1', "}", "{", "]", "[", ":", "a", "é", "\n", '":"', "\ufdd0", " "]
        return "".join(rng.choices(nasty, k=rng.choice([0, 3, 30, 3_000])))
    if pick < 0.55:
        return rng.choice([None, True, 12, -1.5e3, 10**20])
    if pick < 0.75:
        return [document(rng, depth + 1) for _ in range(rng.randrange(12))]
    return {f"k{n}": document(rng, depth + 1) for n in range(rng.randrange(8))}


def agrees(cut: object, whole: object) -> bool:
    """Whether nothing stands in the cut document that does not stand in the whole one at the same place."""
    if type(cut) is CutText:
        return True
    if isinstance(cut, dict) and isinstance(whole, dict):
        return all(key in whole and agrees(inner, whole[key]) for key, inner in cut.items())
    if isinstance(cut, list) and isinstance(whole, list):
        return len(cut) <= len(whole) + 1 and all(
            type(inner) is CutText or agrees(inner, whole[at]) for at, inner in enumerate(cut)
        )
    return cut == whole


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_said_that_the_whole_line_does_not_say(seed: int) -> None:
    rng = random.Random(seed)
    value = {f"m{n}": document(rng) for n in range(40)}
    while len(line(value)) < MAX_LINE_BYTES + 2_000:
        value[f"m{len(value)}"] = [document(rng), "x" * rng.randrange(9_000)]
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=None)
    for one in read([text.encode() + b"\n"]):
        if isinstance(one, Message):
            assert one.skipped_bytes
            assert agrees(one.value, json.loads(text))
