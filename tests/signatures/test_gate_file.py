"""The prefilter's tables that one run leaves for the next: of the very same signatures, believed only where nobody else
can write, and never more than numbers and bytes.
"""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.signatures import SignatureError, files, gate_file, load, source
from sensor.signatures.source import LaterSignatures

TEXTS = list(files.shipped())
KEY = gate_file.key_of(TEXTS)
SHIPPED = load()
GATES = gate_file.Gates(SHIPPED.literals, SHIPPED.openings, SHIPPED.flights, SHIPPED.names)
NOBODY = 65_534


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the file, which is not there yet."""
    monkeypatch.setenv(gate_file.VARIABLE, str(tmp_path / "cache" / "minewatch"))
    return tmp_path / "cache" / "minewatch"


@pytest.fixture
def written(place: Path) -> Path:
    """The file, as a run leaves it."""
    gate_file.write(KEY, GATES)
    return place / gate_file.NAME


def test_a_run_finds_what_the_one_before_left(place: Path) -> None:
    first, trouble = source.find()
    assert (first.loaded() is first, trouble) == (True, None)
    second, trouble = source.find()
    assert isinstance(second, LaterSignatures)
    assert trouble is None
    assert (second.literals, second.openings, second.flights) == (SHIPPED.literals, SHIPPED.openings, SHIPPED.flights)
    assert second.loaded().headers[0].name == SHIPPED.headers[0].name
    assert second.loaded() is second.loaded()
    assert [path.name for path in place.iterdir()] == [gate_file.NAME]


def test_only_its_owner_can_write_there(written: Path) -> None:
    assert not written.stat().st_mode & gate_file.OTHERS_WRITE
    assert not written.parent.stat().st_mode & gate_file.OTHERS_WRITE


@pytest.mark.usefixtures("written")
def test_other_signatures_are_read_anew(tmp_path: Path) -> None:
    own = tmp_path / "brook.yaml"
    own.write_text(next(text for name, text in TEXTS if name.endswith("/kaspa.yaml")).replace("kaspa", "brook"))
    with pytest.raises(SignatureError):  # its id is taken: what is wrong is said, whatever lies there
        source.find([own])
    assert gate_file.read(KEY).gates == GATES
    assert gate_file.read(gate_file.key_of([*TEXTS, (str(own), own.read_text())])) == gate_file.Stored()
    assert gate_file.read(gate_file.key_of(TEXTS[1:])) == gate_file.Stored()


def test_what_belongs_to_the_name_and_what_to_the_text_is_told_apart() -> None:
    assert (
        gate_file.key_of([("a", "bc")]) != gate_file.key_of([("ab", "c")]) != gate_file.key_of([("a", "b"), ("c", "")])
    )


@given(st.data())
def test_a_damaged_file_is_ignored_said_and_made_anew(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("cache")
    place.chmod(0o700)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(gate_file.VARIABLE, str(place))
        gate_file.write(KEY, GATES)
        whole = (place / gate_file.NAME).read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        cut = data.draw(st.booleans())
        changed = (
            whole[:at] if cut else whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
        )
        (place / gate_file.NAME).write_bytes(changed)
        stored = gate_file.read(KEY)
    assert stored.gates is None
    assert stored.trouble is not None
    assert "damaged" in stored.trouble
    assert stored.may_replace


def test_the_run_that_meets_a_damaged_file_mends_it(written: Path) -> None:
    written.write_bytes(b"{}")
    found, trouble = source.find()
    assert found.literals == SHIPPED.literals
    assert "damaged" in str(trouble)
    assert gate_file.read(KEY).gates == GATES


class Payload:
    """What a hostile pickle would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("run",)


def test_nothing_in_it_is_run(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written.write_bytes(pickle.dumps(Payload()))
    assert gate_file.read(KEY).gates is None
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("field", ["literals", "openings", "flights"])
@pytest.mark.parametrize("value", [None, 1, ["x"], [[1]], {"a": 1}, [[1, 2, 3]]], ids=str)
def test_tables_of_another_shape_are_damaged(written: Path, field: str, value: object) -> None:
    body = json.loads(written.read_bytes().partition(b"\n")[2])
    body[field] = value
    data = json.dumps(body).encode()
    written.write_bytes(gate_file.hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    stored = gate_file.read(KEY)
    assert stored.gates is None
    assert "damaged" in str(stored.trouble)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_believed(written: Path, mode: int) -> None:
    written.chmod(mode)
    found, trouble = source.find()
    assert found.loaded() is found
    assert "others can write it" in str(trouble)
    assert written.stat().st_mode & 0o777 == mode  # nor is it put right: somebody may want to see it


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_can_write_is_not_believed(written: Path, mode: int) -> None:
    written.parent.chmod(mode)
    assert "others can write its folder" in str(source.find()[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_is_another_users_is_not_believed(written: Path) -> None:
    os.chown(written, NOBODY, NOBODY)
    assert "it is another user's" in str(source.find()[1])
    os.chown(written, 0, 0)
    os.chown(written.parent, NOBODY, NOBODY)
    assert "its folder is another user's" in str(source.find()[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_makes_no_folder_in_another_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    monkeypatch.setenv(gate_file.VARIABLE, str(home / ".cache" / "minewatch"))
    gate_file.write(KEY, GATES)
    assert not list(home.iterdir())


def test_a_link_in_its_place_is_not_followed(written: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    written.rename(elsewhere)
    written.symlink_to(elsewhere)
    stored = gate_file.read(KEY)
    assert stored.gates is None
    assert "link" in str(stored.trouble)


def test_a_pipe_in_its_place_is_not_waited_for(written: Path) -> None:
    written.unlink()
    os.mkfifo(written)
    stored = gate_file.read(KEY)
    assert stored.gates is None
    assert stored.trouble is not None


def test_where_nothing_can_be_written_nothing_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", "/proc/none/minewatch"):
        monkeypatch.setenv(gate_file.VARIABLE, text)
        gate_file.write(KEY, GATES)
        assert gate_file.read(KEY) == gate_file.Stored()
    assert not place.exists()


def test_without_a_home_there_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (gate_file.VARIABLE, gate_file.USER_VARIABLE, "HOME"):
        monkeypatch.delenv(name, raising=False)
    assert gate_file.folder() is None
    monkeypatch.setenv("HOME", "/home/somebody")
    assert gate_file.folder() == Path("/home/somebody/.cache/minewatch")
    monkeypatch.setenv(gate_file.USER_VARIABLE, "/var/tmp/somebody")
    assert gate_file.folder() == Path("/var/tmp/somebody/minewatch")
