"""The Debian package: Debian's own checks pass, and it comes, goes on and leaves as packages do.

Tried on a copy of this machine's root.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from exporters.kinds import kinds
from sensor.daemon.configuration import Configuration, load
from tests.deploy.conftest import DEPLOY, built, debian_python, program, run

EXAMPLE = DEPLOY / "minewatch.yaml"
#: Makes a writable copy of the root that nobody else sees and that is gone with the process, and runs the script in it.
COPY = """
set -eu
mount -t tmpfs copy "$1" || exit 77
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" copy "$1/root" || exit 77
mount -t proc proc "$1/root/proc"
mount --bind /dev "$1/root/dev"
mount -t tmpfs tmp "$1/root/tmp"
mount -t tmpfs run "$1/root/run"
rm -f "$1/root/.dockerenv"  # the copy is a machine, whatever image this one was made from
cp "$2" "$1/root/tmp/minewatch.deb"
chroot "$1/root" /bin/sh -euc "$3"
"""


#: Imports every module of ours with nothing but the package's folder and the standard library.
ALL_OF_IT = """
import importlib, pkgutil, sys
sys.path.insert(0, "/usr/lib/minewatch")
tops = [(f"/usr/lib/minewatch/{top}", f"{top}.") for top in ("sensor", "exporters")]
names = [name for folder, prefix in tops for _, name, _ in pkgutil.walk_packages([folder], prefix)]
for name in names:
    if ".migrations." not in name:  # run by alembic, never imported
        importlib.import_module(name)
print(len(names))
"""


def in_a_copy(package: Path, folder: Path, script: str) -> str:
    """What a script says that runs as root on a copy of this machine, with the package at /tmp/minewatch.deb."""
    if os.geteuid() != 0 or debian_python() is None:
        pytest.skip("only root of a Debian host, with the Python of .venv, can try a package")
    command = ["unshare", "--mount", "sh", "-c", COPY, "copy", folder, package, script]
    environment = {
        "ALL_OF_IT": ALL_OF_IT,
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C.UTF-8",
    }
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment, timeout=200
    )
    if ran.returncode == 77 or "unshare failed" in ran.stdout:
        pytest.skip("a copy of the root cannot be laid over it here")
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_lintian_finds_nothing_wrong_with_what_is_ours(tmp_path: Path) -> None:
    program("lintian")
    checked = run("lintian", "--fail-on", "error,warning", built(tmp_path, "--bare"))
    assert checked.returncode == 0, checked.stdout


def test_it_holds_everything_and_nothing_of_this_machine(package: Path, tmp_path: Path) -> None:
    assert run("dpkg-deb", "-x", package, tmp_path).returncode == 0
    held = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    for name in (
        "prometheus/minewatch.rules.yml",
        "grafana/dashboards/minewatch.json",
        "alertmanager/alertmanager.yml",
    ):
        assert f"usr/share/minewatch/{name}" in held
    for unit in (DEPLOY / "systemd").glob("*.[st]*r*"):
        assert f"lib/systemd/system/{unit.name}" in held or unit.suffix == ".example"
    assert any(name.startswith("usr/lib/minewatch/sensor/_core") for name in held)
    assert not [
        name for name in held if name.endswith((".rs", ".pyc")) or "/tests/" in name.removeprefix("usr/lib/minewatch/")
    ]
    ours = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and path.suffix in (".py", ".yaml", ".yml", ".service", ".json", "")
    ]
    assert not [path for path in ours if str(DEPLOY.parent).encode() in path.read_bytes()]


def test_it_installs_runs_upgrades_and_leaves(package: Path, tmp_path: Path) -> None:
    said = in_a_copy(
        package,
        tmp_path,
        """
        say() { echo "== $*"; }
        dpkg -i /tmp/minewatch.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
        say owner "$(stat -c '%U %G %a' /etc/minewatch/minewatch.yaml /var/lib/minewatch /var/log/minewatch |
            tr '\\n' ';')"
        say engine "$(cd / && minewatch version | sed -n 2p)"
        say whole "$(/usr/bin/python3 -IS -c "$ALL_OF_IT")"
        runuser -u minewatch -- minewatch check -c /etc/minewatch/minewatch.yaml >/dev/null
        say enabled "$(ls /etc/systemd/system/multi-user.target.wants/minewatch.service 2>/dev/null || echo no)"
        PYTHONPATH=/tmp/evil runuser -u minewatch -- minewatch signatures list >/tmp/list &&
            say dialects "$(grep -c . /tmp/list)"
        say driver "$(runuser -u minewatch -- minewatch ledger list --ledger postgresql+psycopg://u@127.0.0.1:1/x 2>&1)"
        systemd-analyze verify --man=no /lib/systemd/system/minewatch.service 2>&1 | grep minewatch || say verified
        man -w minewatch >/dev/null 2>&1 || test -s /usr/share/man/man1/minewatch.1.gz && say manual
        echo '# mine' >>/etc/minewatch/minewatch.yaml
        echo ledger >/var/lib/minewatch/ledger.db
        dpkg -i /tmp/minewatch.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
        say kept "$(tail -1 /etc/minewatch/minewatch.yaml)"
        dpkg -r minewatch >/dev/null
        say code "$(ls /usr/lib/minewatch 2>/dev/null || echo gone)"
        say configuration "$(ls /etc/minewatch)"
        dpkg -P minewatch 2>&1 | grep 'is not empty' || true
        say purged "$(ls -d /etc/minewatch /var/log/minewatch 2>/dev/null || echo gone)"
        say ledger "$(cat /var/lib/minewatch/ledger.db)"
        """,
    )
    lines = dict(line[3:].partition(" ")[::2] for line in said.splitlines() if line.startswith("== "))
    assert lines["owner"] == "root minewatch 640;minewatch minewatch 750;minewatch minewatch 750;"
    assert lines["engine"].startswith("engine compiled")
    assert int(lines["whole"]) > 90
    assert lines["enabled"] == "no"  # it has no interface yet
    assert int(lines["dialects"]) > 30
    assert "Connection refused" in lines["driver"]  # PostgreSQL's driver is there, and asked
    assert "verified" in lines
    assert "manual" in lines
    assert lines["kept"] == "# mine"
    assert lines["code"] == "gone"
    assert lines["configuration"] == "minewatch.yaml"
    assert lines["purged"] == "gone"
    assert lines["ledger"] == "ledger"  # a record of what was found outlives the program
    assert "/var/lib/minewatch is not empty" in said


def test_the_example_names_every_key_with_its_default_and_a_word_about_it() -> None:
    text = EXAMPLE.read_text()
    assert yaml.safe_load(text) == Configuration().model_dump(mode="json")
    paths = {"output", "signatures", "evidence"}  # they become paths from the file's folder
    assert load(EXAMPLE).model_dump(exclude=paths) == Configuration().model_dump(exclude=paths)
    said = False
    for line in text.splitlines():
        said = line.lstrip().startswith("#") or (said and bool(line.strip()))
        assert said or not line.strip(), f"nothing is said about: {line}"


def test_the_example_shows_every_exporter_as_it_can_be_used(tmp_path: Path) -> None:
    used = tmp_path / "minewatch.yaml"
    used.write_text(
        EXAMPLE.read_text()
        .replace("exporters: {}", "exporters:")
        .replace("collect: null", "collect:")
        .replace("policy: null", "policy:")
        .replace("\n#:", "\n")
    )
    assert set(load(used).exporters) == set(kinds())


def test_the_least_configuration_of_the_guide_is_one(tmp_path: Path) -> None:
    least = (DEPLOY / "README.md").read_text().split("```yaml\n")[1].partition("```")[0]
    used = tmp_path / "minewatch.yaml"
    used.write_text(least)
    config = load(used)
    assert [one.name for one in config.capture.interfaces] == ["mirror0"]
    assert set(config.exporters) == {"eve", "prometheus"}
