"""The recipe of the images: what no engine was at hand to build is tried step by step. How a sensor that is not root
gets its capability, what takes it away, and why the centre's image has none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, program

RECIPE = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
CAPTURES = "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); print('captures')"


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """A copy of the system's interpreter, as the recipe makes one."""
    if os.geteuid() != 0 or not Path("/usr/bin/python3").exists():
        pytest.skip("only root gives a capability to a file")
    copy = tmp_path / "python3"
    shutil.copy(os.path.realpath("/usr/bin/python3"), copy)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    if subprocess.run([program("setcap"), "cap_net_raw=ep", copy], capture_output=True, check=False).returncode:
        pytest.skip("this file system takes no capabilities")
    return copy


def ran(interpreter: Path, *options: str, privileges: str = "") -> subprocess.CompletedProcess[str]:
    """The interpreter as the images' user, with whatever else an engine sets. As Docker starts those who are not root,
    its process has no capability before: the second program of three has lost them all."""
    user = ("--reuid=10001", "--regid=10001", "--clear-groups", "--inh-caps=-all")
    last = [program("setpriv"), *([privileges] if privileges else ["--inh-caps=-all"]), "--", str(interpreter)]
    command = [program("setpriv"), *user, *options, "--", *last, "-c", CAPTURES]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def test_a_user_captures_by_the_capability_of_the_file(interpreter: Path) -> None:
    done = ran(interpreter, "--bounding-set=-all,+net_raw")
    assert done.stdout == "captures\n", done.stderr


def test_no_new_privileges_takes_it_away(interpreter: Path) -> None:
    done = ran(interpreter, "--bounding-set=-all,+net_raw", privileges="--no-new-privs")
    assert done.returncode != 0
    assert "PermissionError" in done.stderr


def test_where_the_capability_may_not_be_had_the_file_does_not_even_start(interpreter: Path) -> None:
    done = ran(interpreter, "--bounding-set=-all")
    assert done.returncode != 0
    assert "Operation not permitted" in done.stderr


def test_the_recipe_gives_it_to_the_sensor_alone_and_both_images_the_same_user() -> None:
    stages = re.split(r"^FROM ", RECIPE, flags=re.M)[1:]
    named = {stage.split()[2]: stage for stage in stages}
    assert list(named) == ["build", "runtime", "centre", "sensor"]
    assert [name for name, stage in named.items() if "setcap" in stage] == ["sensor"]
    assert "--uid 10001" in named["runtime"]
    assert all("USER 10001:10001" in named[name] for name in ("centre", "sensor"))
    assert all(re.match(r"[a-z]+:\d+(\.\d+)+|runtime", stage) for stage in stages), "a version is to be pinned"
    assert "[console,kafka,postgresql]" in named["build"]
