"""Which parcel a sensor takes: the highest version that holds, in whichever order they come; never a lower one; once,
however often it comes; after a restart the last good one, without a broker.
"""

from __future__ import annotations

import random
import shutil
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.model.policy import KINDS
from sensor.policy.refusal import CAUSES
from tests.policy.made import FOREIGN, KEY, POOLS, Sensor, header, parcel, settings_of, signed


@pytest.fixture
def sensor(tmp_path: Path) -> Sensor:
    return Sensor(tmp_path)


def counted(sensor: Sensor) -> dict[str, int]:
    """What was counted, without zeros."""
    return {name: count for name, count in sensor.inbox.counters.items() if count and name != "messages"}


def test_a_parcel_is_taken_and_its_files_lie_in_the_folder(sensor: Sensor) -> None:
    sensor.take(parcel(3))
    assert sensor.settle() == [3]
    assert sensor.in_use == {"policy": 3}
    (path,) = sensor.folder.glob("policy/policy-3-*/policy.yaml")
    assert path.read_bytes() == b"findings:\n  least_grade: accepted\n"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert counted(sensor) == {"taken": 1}


@pytest.mark.parametrize(
    ("cause", "body", "key"),
    [
        ("unreadable", b"hello", "policy/all"),
        ("newer", b"minewatch parcel 9\n", "policy/all"),
        ("key", parcel(key=FOREIGN), "policy/all"),
        ("signature", parcel()[:-1], "policy/all"),
        ("header", signed(header(version=0)), "policy/all"),
        ("size", b"x" * 70_000, "policy/all"),
        ("kind", parcel(), "signatures/all"),
        ("kind", parcel(kind="books", files={"books.yaml": b"sources: []\n"}), "books/all"),
    ],
)
def test_what_is_refused_is_counted_by_cause_and_kind_and_the_reason_is_told(
    cause: str, body: bytes, key: str, tmp_path: Path
) -> None:
    sensor = Sensor(tmp_path, accept=["policy", "signatures"], parcel_bytes=65_536)
    sensor.take(body, key)
    assert sensor.settle() == []
    kind = key.partition("/")[0]
    assert counted(sensor) == {f"refused_{cause}": 1}
    assert sensor.inbox.refused_by_kind[kind] == 1
    assert str(sensor.refused[kind]).startswith(f"{cause}: ")


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("signatures", {"a.sh": b"x"}),
        ("signatures", {"a.yaml": b"x: y\n"}),
        ("signatures", {"a.yaml": POOLS}),  # a table does not come as a rule, nor a rule as a table
        ("tables", {"a.yaml": b"kind: dialect\n"}),
        ("tables", {"a.yaml": b"kind: pools\nkind: dialect\n"}),
        ("tables", {"a.yaml": b"{kind: dialect}\n"}),
        ("books", {"a.csv": b"x"}),
        ("policy", {"other.yaml": b"x"}),
    ],
)
def test_files_that_a_kind_cannot_have_are_refused(sensor: Sensor, kind: str, files: dict[str, bytes]) -> None:
    sensor.take(parcel(kind=kind, files=files), f"{kind}/all")
    assert sensor.settle() == []
    assert counted(sensor) == {"refused_content": 1}


def test_every_cause_has_a_counter_and_every_kind(sensor: Sensor) -> None:
    assert {f"refused_{cause}" for cause in CAUSES} <= set(sensor.inbox.counters)
    assert set(sensor.inbox.refused_by_kind) == {*KINDS, "unknown"}


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe", b"nothing/here", b"policy", b"x" * 10_000])
def test_a_message_under_a_strange_key_is_refused(sensor: Sensor, key: bytes | None) -> None:
    sensor.inbox.take(key, parcel())
    assert sensor.settle() == []
    assert counted(sensor) == {"refused_kind": 1}


def test_a_bare_deletion_withdraws_nothing_and_a_signed_parcel_without_files_does(sensor: Sensor) -> None:
    sensor.take(parcel(1))
    sensor.settle()
    sensor.take(None)
    assert sensor.settle() == []
    assert sensor.in_use == {"policy": 1}
    assert counted(sensor) == {"taken": 1, "tombstones": 1}
    sensor.take(parcel(2, files={}))
    assert sensor.settle() == [2]
    assert [state.state for state in sensor.inbox.states] == ["withdrawn"]
    assert not sensor.inbox.layer().parcels
    sensor.begin()
    assert [state.state for state in sensor.inbox.states] == ["withdrawn"]
    sensor.take(parcel(1))
    assert sensor.settle() == []  # and what was withdrawn does not come back


def test_one_that_is_not_for_this_sensor_is_passed_over(sensor: Sensor) -> None:
    sensor.take(parcel(5, sensors=("core-*",)))
    assert sensor.settle() == []
    assert counted(sensor) == {"not_selected": 1}
    assert not sensor.inbox.states


def test_a_lower_version_is_refused_also_after_a_restart(sensor: Sensor) -> None:
    sensor.take(parcel(7))
    sensor.settle()
    for _ in range(2):
        sensor.take(parcel(6))
        assert sensor.settle() == []
        assert sensor.in_use == {"policy": 7}
        assert "version 6 is below 7; a parcel is never rolled back" in str(sensor.refused["policy"])
        sensor.begin()
    assert "policy" not in sensor.refused


def test_a_lower_version_is_refused_even_where_the_parcel_itself_was_lost(sensor: Sensor) -> None:
    sensor.take(parcel(7))
    sensor.settle()
    (sensor.folder / "policy" / "policy.parcel").unlink()
    sensor.begin()
    assert sensor.in_use == {}
    sensor.take(parcel(6))
    assert sensor.settle() == []
    sensor.take(parcel(8))
    assert sensor.settle() == [8]


def test_a_parcel_that_was_in_use_and_is_not_any_more_can_be_taken_anew(sensor: Sensor) -> None:
    sensor.take(parcel(7))
    sensor.settle()
    (sensor.folder / "policy" / "policy.parcel").write_bytes(b"damaged")
    sensor.begin()
    assert sensor.in_use == {}
    sensor.take(parcel(7), history=True)
    assert sensor.settle() == [7]
    assert (sensor.in_use, sensor.refused) == ({"policy": 7}, {})


def test_one_that_could_not_be_loaded_at_the_start_is_tried_again_when_the_sensors_own_files_are_others(
    sensor: Sensor,
) -> None:
    sensor.take(parcel(7))
    sensor.settle()
    sensor.start()
    for offer in sensor.inbox.stored():
        sensor.inbox.refuse(offer, "at the start: does not hold any more")
    sensor.take(parcel(7), history=True)
    assert sensor.settle() == []
    sensor.inbox.begin_reading(retry=True)
    sensor.take(parcel(6), history=True)
    sensor.take(parcel(7), history=True)
    sensor.inbox.end_of_topic()
    assert sensor.settle() == [7]
    assert (sensor.in_use, sensor.refused) == ({"policy": 7}, {})


def test_a_damaged_memory_of_versions_takes_nothing_and_says_so(sensor: Sensor) -> None:
    sensor.take(parcel(7))
    sensor.settle()
    (sensor.folder / "policy" / "versions.json").write_text("{")
    sensor.begin()
    assert sensor.in_use == {"policy": 7}
    sensor.take(parcel(8))
    assert sensor.settle() == []
    assert "is damaged: delete it to take any version that is signed" in str(sensor.refused["policy"])
    assert counted(sensor) == {"refused_storage": 1}


def test_another_parcel_of_the_same_version_is_refused(sensor: Sensor) -> None:
    sensor.take(parcel(7))
    sensor.settle()
    sensor.take(parcel(7, files={"policy.yaml": b"findings: {}\n"}))
    assert sensor.settle() == []
    assert "version 7 is another parcel than the one of this version here" in str(sensor.refused["policy"])


def test_older_ones_that_still_stand_in_the_topic_are_no_rollback(sensor: Sensor) -> None:
    for version in (1, 2, 3):
        sensor.take(parcel(version), history=True)
    assert sensor.settle() == [3]
    sensor.inbox.begin_reading()
    for version in (1, 2, 3):
        sensor.take(parcel(version), history=True)
    sensor.inbox.end_of_topic()
    assert sensor.settle() == []
    assert sensor.refused == {}
    assert counted(sensor) == {"taken": 1, "repeated": 1, "superseded": 3}


def test_a_topic_in_which_only_older_ones_are_left_is_a_rollback(sensor: Sensor) -> None:
    sensor.take(parcel(3))
    sensor.settle()
    sensor.inbox.begin_reading()
    sensor.take(parcel(2), history=True)
    sensor.inbox.end_of_topic()
    assert "version 2 is below 3" in str(sensor.refused["policy"])
    assert counted(sensor)["refused_version"] == 1


def test_replayed_twice_is_once(sensor: Sensor) -> None:
    for _ in range(3):
        sensor.take(parcel(2))
    assert sensor.settle() == [2]
    sensor.take(parcel(2))
    assert sensor.settle() == []
    assert counted(sensor) == {"taken": 1, "repeated": 3}


def test_one_that_cannot_be_loaded_is_refused_once_and_the_old_one_stays(sensor: Sensor) -> None:
    sensor.take(parcel(1))
    sensor.settle()
    sensor.take(parcel(2))
    assert sensor.settle(2) == [2]
    sensor.take(parcel(2))
    assert sensor.settle(2) == []
    assert sensor.in_use == {"policy": 1}
    assert sensor.refused == {"policy": "load: policy: policy.yaml:1: cannot be loaded"}
    assert [path.name.rpartition("-")[0] for path in sensor.folder.glob("policy/policy-*")] == ["policy-1"]
    sensor.inbox.begin_reading()  # after a broken connection
    sensor.take(parcel(2))
    assert sensor.settle(2) == []
    sensor.inbox.begin_reading(retry=True)  # the sensor's own files are others by now
    sensor.take(parcel(2))
    assert sensor.settle() == [2]
    assert (sensor.in_use, sensor.refused) == ({"policy": 2}, {})


def test_of_several_that_wait_the_highest_that_holds_is_taken(sensor: Sensor) -> None:
    for version in (4, 5, 3):
        sensor.take(parcel(version))
    assert sensor.settle(5) == [5, 4]
    assert sensor.in_use == {"policy": 4}


def test_messages_in_any_order_come_to_the_highest_valid_version(tmp_path: Path) -> None:
    bodies = [parcel(1), parcel(2), parcel(3), parcel(9, key=FOREIGN), parcel(8, sensors=("core",)), b"junk", parcel(2)]
    for number, order in enumerate(permutations(range(len(bodies)))):
        if number % 97:
            continue
        sensor = Sensor(tmp_path / str(number))
        for place in order:
            sensor.take(bodies[place])
            if (number + place) % 3 == 0:
                sensor.settle()
        sensor.settle()
        assert sensor.in_use == {"policy": 3}
        shutil.rmtree(sensor.folder, ignore_errors=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 6), max_size=12), st.lists(st.booleans(), min_size=12, max_size=12))
def test_restarts_between_messages_change_nothing(versions: list[int], restarts: list[bool]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        sensor = Sensor(Path(folder))
        for version, restart in zip(versions, restarts, strict=False):
            sensor.take(parcel(version))
            sensor.settle()
            if restart:
                sensor.begin()
        assert sensor.in_use == ({"policy": max(versions)} if versions else {})


def test_a_restart_without_a_broker_begins_with_the_last_good_one(sensor: Sensor) -> None:
    sensor.take(parcel(4))
    sensor.take(parcel(2, kind="tables", files={"pools.yaml": POOLS}), "tables/all")
    sensor.settle()
    sensor.begin()
    assert {offer.kind: offer.parcel.header.version for offer in sensor.offers} == {"policy": 4, "tables": 2}
    assert all((offer.files.folder / name).is_file() for offer in sensor.offers for name in offer.files.names)


def test_a_stored_parcel_is_proven_anew_at_each_start(sensor: Sensor) -> None:
    sensor.take(parcel(4))
    sensor.settle()
    place = sensor.folder / "policy" / "policy.parcel"
    whole = place.read_bytes()
    place.write_bytes(whole[:-1])
    sensor.begin()
    assert sensor.in_use == {}
    assert str(sensor.refused["policy"]).startswith("signature: stored here:")
    place.write_bytes(whole)
    for path in sensor.folder.glob("policy/policy-4-*/policy.yaml"):
        path.write_text("changed: on the disk\n")
    sensor.begin()
    (offer,) = sensor.offers
    assert b"least_grade" in (offer.files.folder / "policy.yaml").read_bytes()  # unpacked from what is signed


def test_a_stranger_does_not_hide_why_a_stored_parcel_is_not_used(sensor: Sensor) -> None:
    sensor.take(parcel(4))
    sensor.settle()
    place = sensor.folder / "policy" / "policy.parcel"
    place.write_bytes(place.read_bytes()[:-1])
    sensor.begin()
    before = sensor.inbox.states
    assert [(state.version, state.state) for state in before] == [(4, "refused")]
    sensor.take(b"hello")
    assert sensor.inbox.states == before
    sensor.settings = settings_of(accept=["tables"])  # whoever takes no policy any more has no trouble with it
    sensor.begin()
    assert [(state.version, str(state.reason)[:5]) for state in sensor.inbox.states] == [(0, "kind:")]


def test_a_full_disk_refuses_the_parcel_and_leaves_the_old_one(sensor: Sensor, monkeypatch: pytest.MonkeyPatch) -> None:
    sensor.take(parcel(1))
    sensor.settle()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "policy.yaml")

    monkeypatch.setattr("sensor.policy.shelf._write", full)
    sensor.take(parcel(2))
    assert sensor.settle() == []
    assert sensor.refused == {"policy": "storage: policy.yaml: no space left on device"}
    monkeypatch.undo()
    sensor.begin()
    assert sensor.in_use == {"policy": 1}


def test_hostile_messages_never_raise_and_change_nothing(sensor: Sensor) -> None:
    sensor.take(parcel(3))
    sensor.settle()
    whole = parcel(4)
    generator = random.Random(5)
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(generator.randrange(1, 4)):
            body[generator.randrange(len(body))] = generator.randrange(256)
        cut = generator.randrange(len(body) + 1)
        if bytes(body[:cut]) != whole:
            sensor.inbox.take(generator.randbytes(4), bytes(body[:cut]))
    assert sensor.settle() == []
    assert sensor.in_use == {"policy": 3}
    assert len(sensor.inbox.states) == 2  # of each kind one, however many came
    assert KEY.public.text


def test_a_stranger_does_not_hide_why_a_signed_parcel_was_refused(sensor: Sensor) -> None:
    sensor.take(parcel(3, files={"other.yaml": b"x"}))
    assert sensor.settle() == []
    before = sensor.inbox.states
    assert [(state.version, str(state.reason)[:8]) for state in before] == [(3, "content:")]
    for body in (b"hello", parcel(4, key=FOREIGN)):
        sensor.take(body)
    assert sensor.inbox.states == before
    assert sensor.inbox.refused_by_kind["policy"] == 3
    sensor.take(parcel(5))
    assert sensor.settle() == [5]
    assert sensor.refused == {}


def test_an_old_parcel_sent_again_does_not_hide_why_a_newer_one_was_refused(sensor: Sensor) -> None:
    sensor.take(parcel(7))
    sensor.settle()
    sensor.take(parcel(8))
    sensor.settle(8)
    before = sensor.inbox.states
    assert [(state.version, state.state) for state in before] == [(7, "in_use"), (8, "refused")]
    sensor.take(parcel(6))  # whoever may write the topic has it
    sensor.inbox.begin_reading()
    sensor.take(parcel(6), history=True)
    sensor.inbox.end_of_topic()
    assert sensor.inbox.states == before
    assert counted(sensor)["refused_version"] == 2
