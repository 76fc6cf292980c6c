"""What `minewatch check` says is what a start would come to, and each trouble has its mend."""

from __future__ import annotations

import json
import os
import pwd
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from sensor.daemon.readiness.ledger import check_ledger
from sensor.daemon.readiness.user import SensorUser, acting_as, sensor_user
from sensor.ledger import Ledger
from tests.daemon.sensor import ROOT

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root looks as another user")


def configured(folder: Path, **more: Any) -> Path:
    path = folder / "minewatch.yaml"
    (folder / "captures").mkdir(exist_ok=True)
    config = {
        "sensor_id": "here",
        "capture": {"folder": "captures"},
        "ledger": {"url": "sqlite:///ledger.db"},
        **more,
    }
    path.write_text(yaml.safe_dump(config))
    return path


def checked(config: Path, *words: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "sensor.cli", "check", "--json", "-c", str(config), *words]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=120
    )
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def states(answer: dict[str, Any], part: str) -> list[str]:
    return [check["state"] for check in answer["checks"] if check["part"] == part]


def of(answer: dict[str, Any], state: str) -> list[dict[str, Any]]:
    return [check for check in answer["checks"] if check["state"] == state]


def test_a_sound_start_is_ok_and_nothing_is_made(tmp_path: Path) -> None:
    path = configured(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, answer = checked(path)
    assert (code, answer["state"] in ("ok", "note")) == (0, True)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_ledger_that_nobody_has_open_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    path = configured(tmp_path)
    new_ledger(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert checked(path)[0] == 0
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("more", "part", "words"),
    [
        ({"ledger": {"url": "sqlite:////nowhere/at/all/l.db"}}, "ledger", "no such folder"),
        ({"ledger": {"url": "postgresql+nodriver://u:secret@h/d"}}, "ledger", "its driver is not installed"),
        ({"ledger": {"url": "postgresql+psycopg://u:secret@127.0.0.1:1/d"}}, "ledger", "127.0.0.1:1"),
        ({"capture": {"folder": "nowhere"}}, "capture.folder", "no such folder"),
        ({"capture": {"interfaces": [{"name": "nosuch0"}]}}, "interface nosuch0", "there is none of this name"),
        ({"exporters": {"eve": {"path": "nowhere/eve.json"}}}, "exporter eve", "no such folder"),
        ({"exporters": {"prometheus": {"listen": "192.0.2.1:9469"}}}, "exporter prometheus", "192.0.2.1:9469"),
        ({"evidence": {"folder": "nowhere/evidence"}}, "evidence", "no such folder"),
    ],
)
def test_what_would_fail_is_a_failure_with_its_mend(
    more: dict[str, Any], part: str, words: str, tmp_path: Path
) -> None:
    code, answer = checked(configured(tmp_path, **more))
    found = [check for check in of(answer, "failure") if check["part"] == part]
    assert code == 78
    assert found, answer
    assert words in found[0]["sentence"]
    assert found[0]["mend"]
    assert "secret" not in json.dumps(answer)


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:secret@h/d"])
def test_a_url_that_no_ledger_has_is_named_with_its_line(url: str, tmp_path: Path) -> None:
    code, answer = checked(configured(tmp_path, ledger={"url": url}))
    (found,) = of(answer, "failure")
    assert code == 78
    assert re.match(
        rf"{re.escape(str(tmp_path))}/minewatch.yaml:\d+: ledger.url: .*not a database URL", found["sentence"]
    )
    assert "secret" not in json.dumps(answer)


def test_a_receiver_that_is_away_is_a_warning(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    (tmp_path / "secret").write_text("a-secret-of-thirty-two-characters")
    more = {
        "syslog": {"host": "127.0.0.1", "port": port, "transport": "tcp"},
        "webhook": {"url": f"http://127.0.0.1:{port}/x", "secret_file": "secret"},
        "alertmanager": {"url": f"http://127.0.0.1:{port}"},
    }
    code, answer = checked(configured(tmp_path, exporters=more))
    assert code == 0
    assert len(of(answer, "warning")) == 3
    with closing(socket.create_server(("127.0.0.1", port))):
        assert of(checked(configured(tmp_path, exporters=more))[1], "warning") == []


def test_a_mistake_in_the_configuration_is_a_failure_too(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("ledgr: {}\n")
    command = [sys.executable, "-m", "sensor.cli", "check", "--json", "-c", str(path)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["state"], answer["engine"]) == (78, "failure", None)
    assert "c.yaml:1" in answer["checks"][0]["sentence"]


def test_configuration_only_leaves_this_host_out(tmp_path: Path) -> None:
    path = configured(tmp_path, ledger={"url": "sqlite:////nowhere/at/all/l.db"})
    assert checked(path, "--configuration-only")[0] == 0


def new_ledger(folder: Path) -> Path:
    path = folder / "ledger.db"
    Ledger.open(f"sqlite:///{path}").close()
    return path


def this_user() -> SensorUser:
    return sensor_user(pwd.getpwuid(os.geteuid()).pw_name)


def test_a_ledger_of_another_schema_is_said(tmp_path: Path) -> None:
    path = new_ledger(tmp_path)
    for schema, state in (("0003", "note"), ("9999", "failure")):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))
        assert [check.state for check in check_ledger(f"sqlite:///{path}", this_user())][-1] == state
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE something (a)")
    (*_, last) = check_ledger(f"sqlite:///{tmp_path}/other.db", this_user())
    assert (last.state, "something else" in last.sentence) == ("failure", True)


def test_a_damaged_ledger_is_a_failure(tmp_path: Path) -> None:
    path = new_ledger(tmp_path)
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    (*_, last) = check_ledger(f"sqlite:///{path}", this_user())
    assert (last.state, "damaged" in last.sentence) == ("failure", True)


@contextmanager
def reachable(folder: Path) -> Iterator[None]:
    """Every folder above may be passed by anybody."""
    changed = [parent for parent in (folder, *folder.parents) if not parent.stat().st_mode & 0o001]
    modes = [parent.stat().st_mode for parent in changed]
    for parent in changed:
        parent.chmod(parent.stat().st_mode | 0o011)
    try:
        yield
    finally:
        for parent, mode in zip(changed, modes, strict=True):
            parent.chmod(mode)


@root_only
def test_a_ledger_that_root_made_in_roots_folder_is_not_the_services(tmp_path: Path) -> None:
    nobody = sensor_user("nobody")
    with reachable(tmp_path):
        path = new_ledger(tmp_path)
        found = check_ledger(f"sqlite:///{path}", nobody)
        assert found[0].state == "failure"
        assert found[0].mend == f"chown nobody: {tmp_path}"
        os.chown(tmp_path, nobody.uid, nobody.gid)
        found = check_ledger(f"sqlite:///{path}", nobody)
        assert found[0].state == "failure"
        assert "root:root" in found[0].sentence
        assert found[0].mend == f"chown nobody: {path}"


@root_only
def test_what_root_makes_in_a_services_folder_is_the_services(tmp_path: Path) -> None:
    nobody = sensor_user("nobody")
    os.chown(tmp_path, nobody.uid, nobody.gid)
    with reachable(tmp_path):
        ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
        assert {path.stat().st_uid for path in tmp_path.glob("ledger.db*")} == {nobody.uid}
        ledger.close()
        assert all(check.state in ("ok", "note") for check in check_ledger(f"sqlite:///{tmp_path}/ledger.db", nobody))


@root_only
def test_rights_are_given_back(tmp_path: Path) -> None:  # noqa: ARG001
    before = (os.geteuid(), os.getegid(), os.getgroups())
    with acting_as(sensor_user("nobody")):
        assert os.geteuid() != before[0]
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before
