"""`minewatch policy`: what is wrong is said before anything is signed, with the sentence that a sensor would say;
versions grow by themselves, whatever became of the topic.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.ledger import Ledger
from sensor.model.policy import PolicyState
from sensor.policy.topic import PolicyTopic
from tests.collect.brokers import MockBrokers, mock_brokers, put
from tests.policy.made import FOREIGN, KEY, KEYS, POOLS, parcel, settings_of

NOW = 1_700_000_000_000_000_000


@pytest.fixture(autouse=True)
def quick_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.policy.topic.ASK_S", 0.5)


@pytest.fixture(scope="module")
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers(1) as started:
        yield started


class Centre:
    """A centre's folder."""

    def __init__(self, folder: Path, brokers: MockBrokers, topic: str) -> None:
        self.folder, self.places, self.topic = folder, brokers.places, topic
        KEY.write(folder / "policy.key")
        put(self.places, f"{topic}.v1", [("begin", b"")])
        policy = {"brokers": self.places, "transport": "tcp", "topic": topic, "keys": ["policy.key.pub"]}
        self.config = folder / "centre.yaml"
        self.config.write_text(json.dumps({"ledger": {"url": f"sqlite:///{folder}/central.db"}, "policy": policy}))

    def run(self, *words: str) -> int:
        return main(["policy", *words, "-c", str(self.config)])

    def publish(self, kind: str, *paths: Path, key: str = "policy.key", more: tuple[str, ...] = ()) -> int:
        words = ("--kind", kind, "--key", str(self.folder / key), *map(str, paths), *more)
        return self.run("publish", *words)

    def versions(self) -> dict[str, int]:
        topic = PolicyTopic(settings_of(brokers=self.places, topic=self.topic), KEYS)
        return {held.key: held.header.version for held in topic.held() if held.header is not None}


@pytest.fixture
def centre(tmp_path: Path, brokers: MockBrokers, request: pytest.FixtureRequest) -> Centre:
    (tmp_path / "pools.yaml").write_bytes(POOLS)
    return Centre(tmp_path, brokers, f"c{abs(hash(request.node.name))}")


def test_versions_grow_by_kind_over_groups_and_a_withdrawal_is_one_more(
    centre: Centre, capsys: pytest.CaptureFixture[str]
) -> None:
    pools = centre.folder / "pools.yaml"
    assert centre.publish("tables", pools) == 0
    assert centre.publish("tables", pools, more=("--group", "north", "--sensor", "n-*", "--why", "trial")) == 0
    (centre.folder / "policy.yaml").write_text("findings: {least_grade: accepted}\n")
    assert centre.publish("policy", centre.folder / "policy.yaml") == 0
    assert centre.versions() == {"tables/all": 1, "tables/north": 2, "policy/all": 1}
    assert centre.run("withdraw", "--kind", "tables", "--key", str(centre.folder / "policy.key")) == 0
    assert centre.versions() == {"tables/all": 3, "tables/north": 2, "policy/all": 1}
    capsys.readouterr()
    assert centre.run("show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    by_key = {parcel_shown["key"]: parcel_shown for parcel_shown in shown["parcels"]}
    assert by_key["tables/north"]["sensors"] == ["n-*"]
    assert by_key["tables/all"]["files"] == []
    assert by_key["begin"]["trouble"].startswith("unreadable: ")
    assert main(["audit", "show", "-c", str(centre.config)]) == 0
    assert "policy.publish" in capsys.readouterr().out


def test_what_sensors_have_is_never_published_under_a_lower_number(centre: Centre) -> None:
    ledger = Ledger.open(f"sqlite:///{centre.folder}/central.db", sensor_id="edge-1")
    ledger.note_policies([PolicyState("tables", 41, "ab" * 32, "in_use", None, NOW)], NOW)
    ledger.close()
    assert centre.publish("tables", centre.folder / "pools.yaml") == 0  # the topic was made anew meanwhile
    assert centre.versions() == {"tables/all": 42}


def test_what_a_sensor_would_refuse_is_not_published(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    pools = centre.folder / "pools.yaml"
    pools.write_bytes(POOLS.replace(b"suffix", b"sufix"))
    assert centre.publish("tables", pools) == 78
    assert "pools.yaml:5: " in capsys.readouterr().err
    assert centre.publish("signatures", pools) == 78
    assert "belongs into a parcel of tables, not of signatures" in capsys.readouterr().err
    (centre.folder / "policy.yaml").write_text("ledger: {url: 'sqlite:///x.db'}\n")
    assert centre.publish("policy", centre.folder / "policy.yaml") == 78
    assert "policy.yaml:1: ledger: a parcel of policy must not say this" in capsys.readouterr().err
    assert centre.versions() == {}


def test_mistakes_carry_the_names_of_the_files_as_they_were_given(
    centre: Centre, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(centre.folder)
    tables = centre.folder / "tables"
    tables.mkdir()
    (tables / "pools.yaml").write_bytes(POOLS.replace(b"suffix", b"sufix"))
    (tables / "pools.yaml.csv").write_bytes(b"x")
    (tables / "books.yaml").write_text("sources:\n  - {kind: none}\n")
    (tables / "policy.yaml").write_text("verify:\n  first: 0\n")
    for kind, path, sentence in (
        ("tables", "tables/pools.yaml", "tables/pools.yaml:5: "),
        ("tables", str(tables / "pools.yaml"), f"{tables}/pools.yaml:5: "),
        ("signatures", "tables/pools.yaml", "tables/pools.yaml: a file of pools belongs"),
        ("tables", "tables/pools.yaml.csv", "tables/pools.yaml.csv:1: "),
        ("books", "tables/books.yaml", "tables/books.yaml:2: "),
        ("policy", "tables/policy.yaml", "tables/policy.yaml:2: verify.first: "),
    ):
        assert centre.publish(kind, Path(path)) == 78
        error = capsys.readouterr().err
        assert any(line.removeprefix("minewatch: ").startswith(sentence) for line in error.splitlines()), error
        assert "minewatch-policy-" not in error
        assert f"policy: {kind} 0" not in error


def test_a_key_that_no_sensor_believes_signs_nothing(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    FOREIGN.write(centre.folder / "foreign.key")
    assert centre.publish("tables", centre.folder / "pools.yaml", key="foreign.key") == 78
    assert "is not in policy.keys: ed25519:" in capsys.readouterr().err
    assert centre.publish("tables", centre.folder / "pools.yaml", key="none.key") == 78
    assert "none.key: no such file" in capsys.readouterr().err
    assert centre.versions() == {}


@pytest.mark.parametrize(
    "more", [("--group", "North"), ("--sensor", "a b"), ("--group", "a/b")], ids=["group", "sensor", "slash"]
)
def test_names_that_no_parcel_can_have_are_refused(centre: Centre, more: tuple[str, ...]) -> None:
    assert centre.publish("tables", centre.folder / "pools.yaml", more=more) == 2


def test_names_of_files_are_refused_before_they_are_signed(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = centre.folder / ".hidden.yaml"
    hidden.write_bytes(POOLS)
    assert centre.publish("tables", hidden) == 2
    assert "needs a name of its own" in capsys.readouterr().err
    folder = centre.folder / "two"
    folder.mkdir()
    (folder / "pools.yaml").write_bytes(POOLS)
    assert centre.publish("tables", centre.folder / "pools.yaml", folder) == 2


def test_show_says_who_has_it_and_who_said_nothing(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    assert centre.publish("tables", centre.folder / "pools.yaml") == 0
    topic = PolicyTopic(settings_of(brokers=centre.places, topic=centre.topic), KEYS)
    (digest,) = [held.sha256 for held in topic.held() if held.header is not None]
    for name, states in (
        ("edge-1", [PolicyState("tables", 1, digest, "in_use", None, NOW)]),
        ("edge-2", [PolicyState("tables", 1, digest, "refused", "load: pools.yaml:5: \x1b[2J", NOW)]),
        ("edge-3", [PolicyState("policy", 1, digest, "in_use", None, NOW)]),
        ("edge-4", [PolicyState("tables", 1, "cd" * 32, "in_use", None, NOW)]),
    ):
        ledger = Ledger.open(f"sqlite:///{centre.folder}/central.db", sensor_id=name)
        ledger.note_policies(states, NOW)
        ledger.close()
    capsys.readouterr()
    assert centre.run("show") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "tables/all 1: 1 of 4 sensors have it" in lines
    assert "  edge-2: tables 1 refused: load: pools.yaml:5: [2J" in lines
    assert "  edge-3: has said nothing of tables" in lines
    assert "  edge-4: tables 1 in use" in lines


def test_without_its_section_it_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("{}")
    assert main(["policy", "show", "-c", str(path)]) == 78
    assert "there is no section policy in the configuration" in capsys.readouterr().err


def test_a_pair_of_keys_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "policy.key"
    assert main(["policy", "keys", "--to", str(place)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (tmp_path / "policy.key.pub").read_text().strip()
    assert main(["policy", "keys", "--to", str(place)]) == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({}, "policy.brokers: field required"),
        ({"brokers": ["a:1"]}, "policy.keys: field required"),
        ({"brokers": ["a:1"], "keys": []}, "policy.keys"),
        ({"brokers": ["a:1"], "keys": ["ed25519:x"], "transport": "tcp"}, "policy.keys: ed25519:x: is no public key"),
        ({"brokers": ["a:1"], "keys": ["none.pub"], "transport": "tcp"}, "none.pub: no such file"),
        ({"brokers": ["a:1"], "keys": [KEY.public.text], "accept": ["code"]}, "policy.accept"),
        ({"brokers": ["a:1"], "keys": [KEY.public.text], "accept": ["books", "books"]}, "stands there twice"),
    ],
)
def test_a_mistake_in_its_section_names_the_key(
    section: dict[str, object], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "minewatch.yaml"
    path.write_text(json.dumps({"policy": section}))
    assert main(["check", "--configuration-only", "-c", str(path)]) == 78
    assert sentence in capsys.readouterr().err
    assert parcel()


def test_without_a_file_nothing_is_withdrawn_by_mistake(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    (centre.folder / "empty").mkdir()
    assert centre.publish("tables", centre.folder / "empty") == 2
    assert "there is no file to publish" in capsys.readouterr().err
    assert centre.versions() == {}


def test_what_is_no_readable_file_is_said_in_one_sentence(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(centre.folder / "pipe")
    for path, reason in (("x" * 300, "file name too long"), ("pipe", "is neither a file nor a folder")):
        assert centre.publish("tables", centre.folder / path) == 1
        assert capsys.readouterr().err.rstrip("\n").endswith(f"{path}: {reason}")
    with (centre.folder / "huge.yaml").open("wb") as file:
        file.truncate(1 << 36)
    assert centre.publish("tables", centre.folder / "huge.yaml") == 2
    assert "policy.unpacked_bytes" in capsys.readouterr().err


def test_a_pair_of_keys_is_made_whole_or_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["policy", "keys", "--to", "."]) == 1
    assert capsys.readouterr().err == "minewatch: .: is no name of a file\n"
    (tmp_path / "centre.key.pub").touch()
    assert main(["policy", "keys", "--to", "centre.key"]) == 1
    assert "centre.key.pub: is there already" in capsys.readouterr().err
    assert not (tmp_path / "centre.key").exists()


def test_strangers_in_the_topic_are_listed_up_to_a_bound_and_hide_no_parcel(
    centre: Centre, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sensor.policy.topic.MOST_STRANGERS", 3)
    put(centre.places, f"{centre.topic}.v1", [(f"{number}" * 300, b"x") for number in range(9)])
    put(centre.places, f"{centre.topic}.v1", [("begin", None)])
    assert centre.publish("tables", centre.folder / "pools.yaml") == 0
    capsys.readouterr()
    assert centre.run("show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    held = shown["parcels"]
    strangers = [parcel for parcel in held if parcel["trouble"] is not None]
    assert len(strangers) in (2, 3)  # by the order of partitions one that is deleted later is counted for a while
    assert max(len(parcel["key"]) for parcel in held) == 100
    assert [parcel["key"] for parcel in held if parcel["trouble"] is None] == ["tables/all"]
    assert shown["left_out"] in (6, 7)
    assert centre.run("show") == 0
    assert f"{shown['left_out']} more messages that no sensor takes are not listed" in capsys.readouterr().out


def test_a_version_that_a_sensor_invents_stops_no_publication(
    centre: Centre, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(f"sqlite:///{centre.folder}/central.db", sensor_id="edge-1")
    states = [
        PolicyState("tables", 41, "", "in_use", None, NOW),
        PolicyState("tables", (1 << 63) - 1, "", "refused", "x", NOW),
    ]
    ledger.note_policies(states, NOW)
    ledger.close()
    assert centre.publish("tables", centre.folder / "pools.yaml") == 0
    assert "edge-1 speaks of tables 9223372036854775807, which nobody can have published" in capsys.readouterr().err
    assert centre.versions() == {"tables/all": 42}
