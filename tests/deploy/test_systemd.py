"""The unit in the real systemd, process 1 of a machine of its own: its sandbox, what signals and silence lead to."""

from __future__ import annotations

import ctypes
import errno
import re
from pathlib import Path

import pytest

from tests.deploy.conftest import answers_in, machine_output, program

HERE = Path(__file__).parent
SCRIPT = """
ASK="import urllib.request as u; print(u.urlopen('http://127.0.0.1:9469/metrics').read().decode())"
show() { echo "== $1 $(systemctl show -P "$2" minewatch)"; }
wait_for() { for _ in $(seq 100); do [ "$(systemctl show -P "$1" minewatch)" = "$2" ] && return; sleep 0.1; done; }
systemctl start minewatch && echo "== started yes"
show state ActiveState
show text StatusText
/usr/bin/python3 -c "$ASK" | grep ^process_resident_memory | sed 's/^/== memory /'
systemctl reload minewatch
show after-reload ActiveState
systemctl kill -s USR1 minewatch
wait_for NRestarts 1
show restarts-after-silence NRestarts
wait_for ActiveState active
systemctl kill -s USR2 minewatch
wait_for ActiveState failed
sleep 1.5
show state-after-78 ActiveState
show status-after-78 ExecMainStatus
systemctl start minewatch
systemctl stop minewatch
show state-after-stop ActiveState
show result-after-stop Result
cat /srv/said

# And now the daemon itself, listening to the mirror port.
cat >/etc/minewatch/minewatch.yaml <<'END'
capture: {interfaces: [{name: mirror0}]}
exporters: {eve: {path: /var/log/minewatch/eve.json}, prometheus: {}}
END
rm /etc/systemd/system/minewatch.service.d/standin.conf /srv/said
drop_in=/etc/systemd/system/minewatch.service.d/said.conf
printf '[Service]\nStandardOutput=append:/srv/said\nStandardError=append:/srv/said\n' >$drop_in
systemctl daemon-reload
get() {
    /usr/bin/python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9469/$1').read().decode())"
}
systemctl start minewatch && echo "== daemon-started yes"
show daemon-text StatusText
echo "== daemon-ready $(get readyz)"
/usr/bin/python3 /srv/frames.py 100
sleep 2.5
echo "== daemon-packets $(get metrics | grep '^minewatch_packets_total' | cut -d' ' -f2)"
echo "== daemon-memory $(get metrics | grep '^process_resident_memory' | cut -d' ' -f2)"
get metrics | promtool check metrics && echo "== daemon-promtool clean"
echo "== daemon-sandbox $(get metrics | grep -o 'sandbox="[^"]*"')"
own=/proc/$(systemctl show -P MainPID minewatch)/status
echo "== daemon-process $(grep ^CapEff: $own | cut -f2) $(grep ^Seccomp: $own | cut -f2)"
echo "== daemon-series $(get metrics | grep -vc '^#')"
ip link set mirror0 down; sleep 2.5
echo "== daemon-blind $(get readyz 2>&1 | grep -o 'HTTP Error 503' || echo still ready)"
ip link set mirror0 up; sleep 2.5
systemctl reload minewatch; sleep 2
get metrics | grep '^minewatch_reloads_total{kind="config",result="success"}' | sed 's/^/== daemon-reloads /'
systemctl restart minewatch && echo "== daemon-restarted yes"
show daemon-restarts NRestarts
ls /var/lib/minewatch/ledger.db | sed 's/^/== daemon-ledger /'
systemctl stop minewatch
show daemon-result Result
show daemon-exit ExecMainStatus
cp /etc/minewatch/minewatch.yaml /srv/sound.yaml
echo "unknown: 1" >>/etc/minewatch/minewatch.yaml
systemctl start minewatch 2>/dev/null || echo "== refused-broken-configuration yes"
sleep 6.5
show broken-state ActiveState
show broken-status ExecMainStatus
show broken-restarts NRestarts
systemctl reset-failed minewatch
cp /srv/sound.yaml /etc/minewatch/minewatch.yaml
printf 'Environment=MINEWATCH_FAULT=line-hangs\nWatchdogSec=2\nRestartSec=1\n' >>$drop_in
systemctl daemon-reload
systemctl start minewatch
wait_for NRestarts 1
show daemon-hung NRestarts
systemctl stop minewatch
cat /srv/said
"""


def has_landlock() -> bool:
    """Whether the kernel knows it: landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)."""
    return bool(ctypes.CDLL(None).syscall(444, None, 0, 1) > 0)


@pytest.fixture(scope="module")
def said(package: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the script and the stand-in said, by their first word."""
    files = (HERE / "standin.py", HERE / "standin.conf", HERE / "frames.py")
    output = machine_output(tmp_path_factory.mktemp("machine"), package, SCRIPT, files)
    answers = answers_in(output)
    assert answers.get("started") == "yes", output
    assert "unknown: unknown key" in output  # what the check before the start said in the end
    return answers


def test_it_starts_checked_and_says_that_it_is_ready(said: dict[str, str]) -> None:
    assert (said["state"], said["text"], said["engine"]) == ("active", "capturing", "compiled")


def test_a_broken_configuration_is_tried_once_by_the_daemon_itself(said: dict[str, str]) -> None:
    """Longer than RestartSec after it was refused."""
    assert said["refused-broken-configuration"] == "yes"
    assert (said["broken-state"], said["broken-status"], said["broken-restarts"]) == ("failed", "78", "0")


def test_it_has_one_capability_and_can_listen(said: dict[str, str]) -> None:
    assert int(said["capabilities"], 16) == 1 << 13  # CAP_NET_RAW, linux/capability.h
    assert said["listen"] == "yes"


def test_it_writes_where_it_should_and_nowhere_else(said: dict[str, str]) -> None:
    assert [said[f"write-{place}"] for place in ("state", "log", "run")] == ["yes"] * 3
    assert said["write-configuration"] == said["write-program"] == f"no {errno.EROFS}"


@pytest.mark.parametrize("attempt", ["read-shadow", "read-others", "make-code", "leave-namespace", "call-out"])
def test_the_sandbox_refuses(said: dict[str, str], attempt: str) -> None:
    assert said[attempt].startswith("no ")


def test_calling_out_is_refused_by_the_unit_not_by_the_network(said: dict[str, str]) -> None:
    assert said["call-out"] == f"no {errno.EPERM}"
    assert said["call-home"] == "yes"


def test_the_metrics_are_there_on_loopback_with_those_of_the_process(said: dict[str, str]) -> None:
    assert float(said["memory"].split()[1]) > 1e7


def test_a_reload_reaches_it(said: dict[str, str]) -> None:
    assert (said["reloaded"], said["after-reload"]) == ("yes", "active")


def test_a_sensor_that_falls_silent_is_restarted(said: dict[str, str]) -> None:
    assert int(said["restarts-after-silence"]) == 1


def test_a_wrong_configuration_is_not_tried_again(said: dict[str, str]) -> None:
    assert (said["state-after-78"], said["status-after-78"]) == ("failed", "78")


def test_it_stops_when_asked(said: dict[str, str]) -> None:
    assert (said["stopped"], said["state-after-stop"], said["result-after-stop"]) == ("yes", "inactive", "success")


def test_the_daemon_itself_starts_listens_and_sees_inside_the_sandbox(said: dict[str, str]) -> None:
    assert said["daemon-started"] == "yes"
    assert said["daemon-text"].startswith("watching")
    assert said["daemon-ready"] == "ok"
    assert float(said["daemon-packets"]) >= 100


def test_the_metrics_of_the_daemon_itself_are_clean_and_few(said: dict[str, str]) -> None:
    program("promtool")
    assert said["daemon-promtool"] == "clean"
    assert int(said["daemon-series"]) <= 500


def test_the_daemon_gives_up_more_by_itself_within_the_unit(said: dict[str, str]) -> None:
    """What the unit filters must leave it what it confines itself with."""
    if not Path("/proc/sys/kernel/seccomp").exists() or not has_landlock():
        pytest.skip("this kernel has no Landlock, or no seccomp")
    assert re.fullmatch(r'sandbox="Landlock \d+, seccomp"', said["daemon-sandbox"])
    assert re.fullmatch(r"0*2000 2", said["daemon-process"])  # CAP_NET_RAW; a filter


def test_the_daemon_is_not_ready_while_its_interface_is_down(said: dict[str, str]) -> None:
    assert said["daemon-blind"] == "HTTP Error 503"


def test_the_daemon_reloads_restarts_and_ends_well(said: dict[str, str]) -> None:
    assert float(said["daemon-reloads"].split()[1]) >= 1
    assert (said["daemon-restarted"], said["daemon-restarts"]) == ("yes", "0")
    assert said["daemon-ledger"] == "/var/lib/minewatch/ledger.db"
    assert (said["daemon-result"], said["daemon-exit"]) == ("success", "0")


def test_a_line_that_hangs_has_the_daemon_restarted(said: dict[str, str]) -> None:
    assert int(said["daemon-hung"]) == 1
