"""What stands on the host: units that are sound and tightly closed, users and folders, rotation that loses nothing."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, run

SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))
UNITS = sorted((DEPLOY / "systemd").glob("minewatch*"))


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_the_exposure_is_at_most_two(unit: Path) -> None:
    checked = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    level = re.search(r"exposure level for \S+: ([\d.]+)", checked.stdout)
    assert level is not None, checked.stdout
    assert float(level[1]) <= 2.0
    assert checked.returncode == 0


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace("/usr/bin/minewatch", "/bin/true"))  # which is there on every machine
        copies.append(copy)
    checked = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *copies)
    assert [line for line in checked.stdout.splitlines() if "minewatch" in line] == []
    assert checked.returncode == 0


def test_the_unit_gives_one_capability_and_no_root() -> None:
    found = settings(DEPLOY / "systemd" / "minewatch.service")
    assert found["AmbientCapabilities"] == found["CapabilityBoundingSet"] == ["CAP_NET_RAW"]
    assert found["User"] == ["minewatch"]
    assert found["NoNewPrivileges"] == ["yes"]
    assert "AF_PACKET" in found["RestrictAddressFamilies"][0]
    assert "PrivateNetwork" not in found  # it would take the interfaces away
    assert found["MemoryMax"]


def test_the_unit_checks_reloads_and_is_watched_as_the_daemon_does_it() -> None:
    found = settings(DEPLOY / "systemd" / "minewatch.service")
    assert found["Type"] == ["notify"]
    assert found["WatchdogSec"] == ["30"]
    assert found["ExecStartPre"] == ["-/usr/bin/minewatch check -c /etc/minewatch/minewatch.yaml"]
    assert found["ExecStart"] == ["/usr/bin/minewatch run -c /etc/minewatch/minewatch.yaml"]
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert found["RestartPreventExitStatus"] == ["2 78"]
    assert int(found["TimeoutStopSec"][0]) > 5  # the daemon's own five seconds come first
    # systemd does not apply RestartPreventExitStatus to ExecStartPre, so the check decides nothing. What fails for
    # other reasons ends by the start limit.
    assert int(found["RestartSec"][0]) * int(found["StartLimitBurst"][0]) < int(found["StartLimitIntervalSec"][0])


def test_users_and_folders_are_made(tmp_path: Path) -> None:
    for folder in ("etc", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tmp_path / "etc" / "group").write_text("root:x:0:\n")
    made = run("systemd-sysusers", f"--root={tmp_path}", DEPLOY / "sysusers.d" / "minewatch.conf")
    assert made.returncode == 0, made.stdout
    user = next(
        line for line in (tmp_path / "etc" / "passwd").read_text().splitlines() if line.startswith("minewatch:")
    )
    assert user.endswith(":minewatch sensor:/var/lib/minewatch:/usr/sbin/nologin")
    if os.geteuid() != 0:
        pytest.skip("only root can make folders of other users")
    made = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", DEPLOY / "tmpfiles.d" / "minewatch.conf")
    assert made.returncode == 0, made.stdout
    for folder in ("etc/minewatch", "var/lib/minewatch", "var/log/minewatch"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o750


def test_logrotate_reads_the_snippet_and_never_truncates(tmp_path: Path) -> None:
    text = (DEPLOY / "logrotate" / "minewatch").read_text()
    options = [
        line.split()[0] for line in text.splitlines() if line.startswith("    ") and not line.startswith("        ")
    ]
    assert "copytruncate" not in options
    assert {"delaycompress", "postrotate", "nocreate"} <= set(options)
    assert "--signal=HUP" in text
    mine = pwd.getpwuid(os.geteuid()).pw_name
    snippet = tmp_path / "minewatch.conf"
    snippet.write_text(
        text.replace("/var/log/minewatch", str(tmp_path)).replace("su minewatch minewatch", f"su {mine} {mine}")
    )
    snippet.chmod(0o644)
    (tmp_path / "eve.json").write_text("{}\n")
    checked = run("logrotate", "--debug", "--state", tmp_path / "state", snippet)
    assert checked.returncode == 0, checked.stdout
    assert "error" not in checked.stdout
    assert "eve.json" in checked.stdout


def test_a_line_written_while_the_file_is_turned_is_in_one_of_the_two(tmp_path: Path) -> None:
    mine = pwd.getpwuid(os.geteuid()).pw_name
    text = (DEPLOY / "logrotate" / "minewatch").read_text()
    text = text.replace("/var/log/minewatch", str(tmp_path)).replace("su minewatch minewatch", f"su {mine} {mine}")
    asked = tmp_path / "asked"
    snippet = tmp_path / "minewatch.conf"
    snippet.write_text(re.sub(r"/bin/systemctl .*", f"echo HUP >>{asked}", text))
    snippet.chmod(0o644)
    with (tmp_path / "eve.json").open("a") as log:
        print("before", file=log, flush=True)
        turned = run("logrotate", "--force", "--state", tmp_path / "state", snippet)
        print("between", file=log, flush=True)  # HUP has not been seen to yet
    assert turned.returncode == 0, turned.stdout
    assert asked.read_text() == "HUP\n"
    assert (tmp_path / "eve.json.1").read_text() == "before\nbetween\n"
    assert not (tmp_path / "eve.json").exists()  # the sensor makes the new one
