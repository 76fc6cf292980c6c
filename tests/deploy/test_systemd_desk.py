"""The units of the desk in the real systemd: console, audit's anchor and bulletin beside the sensor, each within its
sandbox; none takes the ledger away from another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.conftest import answers_in, machine_output

HERE = Path(__file__).parent
SCRIPT = """
units="console audit bulletin collect"
for unit in $units; do
    mkdir -p /etc/systemd/system/minewatch-$unit.service.d
    cp /etc/systemd/system/minewatch.service.d/desk.conf /etc/systemd/system/minewatch-$unit.service.d/
done
show() { echo "== $1 $(systemctl show -P "$2" "minewatch${3-}")"; }
cat >/etc/minewatch/minewatch.yaml <<'END'
capture: {interfaces: [{name: mirror0}]}
exporters: {prometheus: {}}
collect: {brokers: ["127.0.0.1:9"]}
END
systemctl daemon-reload
systemctl start minewatch-console minewatch-audit
show early-console ConditionResult -console
show early-audit ConditionResult -audit
systemctl start minewatch
of=/etc/minewatch/minewatch.yaml
as_service() { runuser -u minewatch -- "$@"; }
echo 'a first password' | as_service minewatch people add root --role admin -c $of
echo 'another password' | as_service minewatch people add li --role officer --division all -c $of
systemctl start minewatch-console && echo "== console-started yes"
/usr/bin/python3 /srv/desk_visitor.py enter li 'another password' 'a password of his own'
/usr/bin/python3 /srv/desk_visitor.py again /overview /cases /sensors /bulletins /account
own=/proc/$(systemctl show -P MainPID minewatch-console)/status
for name in CapEff NoNewPrivs Seccomp Uid; do echo "== console-$name $(grep ^$name: $own | cut -f2)"; done
echo "== service-uid $(id -u minewatch)"
systemctl restart minewatch-console
/usr/bin/python3 /srv/desk_visitor.py again /overview | sed 's/page-/after-restart-/'
systemctl start minewatch-audit
show audit-result Result -audit
show audit-exit ExecMainStatus -audit
grep -o 'minewatch-audit/1 ' /srv/said | head -1 | sed 's/^/== anchor /'
as_service minewatch audit verify -c $of >/dev/null && echo "== audit-sound yes"
systemctl start minewatch-bulletin
show bulletin-result Result -bulletin
ls /var/lib/minewatch/bulletins | sed 's/^/== file-/'
for timer in audit bulletin; do
    systemctl start minewatch-$timer.timer
    echo "== timer-$timer $(systemctl show -P ActiveState minewatch-$timer.timer)"
done
systemctl start minewatch-collect
sleep 4
show collect-state ActiveState -collect
show collect-restarts NRestarts -collect
systemctl stop minewatch-collect
show collect-result Result -collect
show collect-exit ExecMainStatus -collect
echo "== foreign-files $(find /var/lib/minewatch ! -user minewatch | wc -l)"
echo "== open-files $(find /var/lib/minewatch -perm /007 | wc -l)"
show daemon-state ActiveState
show daemon-restarts NRestarts
began=$(date +%s)
systemctl stop minewatch-console
echo "== console-stopped $(($(date +%s) - began))"
show console-result Result -console
show console-restarts NRestarts -console
systemctl stop minewatch
show daemon-result Result
cat /srv/said
"""


@pytest.fixture(scope="module")
def found(package: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the script and the visitor said."""
    files = (HERE / "desk_visitor.py", HERE / "desk.conf")
    output = machine_output(tmp_path_factory.mktemp("machine"), package, SCRIPT, files)
    answers = answers_in(output)
    assert answers.get("console-started") == "yes", output
    assert "Traceback" not in output, output
    return answers


def test_what_is_started_before_there_is_anything_to_show_is_no_failure(found: dict[str, str]) -> None:
    assert (found["early-console"], found["early-audit"]) == ("no", "no")


def test_the_console_lets_people_in_and_shows_them_pages(found: dict[str, str]) -> None:
    assert found["li-signed-in"] == "yes"
    pages = {name: answer for name, answer in found.items() if name.startswith("page-")}
    assert pages == dict.fromkeys(
        ("page-overview", "page-cases", "page-sensors", "page-bulletins", "page-account"), "shown"
    )


def test_a_session_outlives_a_restart_of_the_console(found: dict[str, str]) -> None:
    assert found["after-restart-overview"] == "shown"


def test_the_console_has_no_capability_and_a_filter(found: dict[str, str]) -> None:
    assert int(found["console-CapEff"], 16) == 0
    assert (found["console-NoNewPrivs"], found["console-Seccomp"]) == ("1", "2")
    assert found["console-Uid"] == found["service-uid"] != "0"


def test_the_head_of_the_audit_is_sent_and_the_chain_holds(found: dict[str, str]) -> None:
    assert (found["audit-result"], found["audit-exit"]) == ("success", "0")
    assert found["anchor"].strip() == "minewatch-audit/1"
    assert found["audit-sound"] == "yes"


def test_the_bulletin_is_made_beside_the_sensor(found: dict[str, str]) -> None:
    assert found["bulletin-result"] == "success"
    assert any(name.startswith("file-bulletin-") for name in found), found


def test_the_timers_can_be_started(found: dict[str, str]) -> None:
    assert (found["timer-audit"], found["timer-bulletin"]) == ("active", "active")


def test_a_collector_waits_for_brokers_that_do_not_answer_and_ends_when_asked(found: dict[str, str]) -> None:
    assert (found["collect-state"], found["collect-restarts"]) == ("active", "0")
    assert (found["collect-result"], found["collect-exit"]) == ("success", "0")


def test_none_of_them_leaves_a_file_that_the_others_cannot_use_or_that_strangers_read(found: dict[str, str]) -> None:
    assert (found["foreign-files"], found["open-files"]) == ("0", "0")


def test_the_sensor_goes_on_beside_them_and_all_end_well(found: dict[str, str]) -> None:
    assert (found["daemon-state"], found["daemon-restarts"]) == ("active", "0")
    assert (found["console-result"], found["console-restarts"]) == ("success", "0")
    assert int(found["console-stopped"]) < 15
    assert found["daemon-result"] == "success"
