"""What a configuration needs of the host is read off all of its keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sensor.daemon.configuration import load
from sensor.daemon.sandbox import WIDE, Sandbox
from sensor.daemon.sandbox_needs import needed_paths, needed_ports
from sensor.daemon.sandbox_places import read_places

#: Every key of a file or a folder, each with a folder of its own.
FULL = {
    "capture": {"folder": "/a/spool", "memory": "/b/read.json"},
    "ledger": {"url": "sqlite:////c/ledger.db", "attachments": "/s/files"},
    "signatures": {"files": ["/d/own.yaml"]},
    "names": {"lists": ["/r/pools.csv"]},
    "evidence": {"folder": "/e/evidence"},
    "status": {"socket": "/f/status.sock"},
    "attribution": {
        "divisions": "/g/divisions.csv",
        "sources": [
            {"kind": "inventory", "path": "/h/books/*.csv"},
            {"kind": "routes", "path": "/i/r", "names": "/j/n"},
        ],
    },
    "exporters": {
        "eve": {"path": "/k/eve.json"},
        "webhook": {
            "url": "https://siem.example:8443/hook",
            "secret_file": "/l/secret",
            "tls": {"ca": "/m/ca.pem", "certificate": "/n/c.pem", "key": "/o/k.pem"},
        },
        "alertmanager": {"url": "http://192.0.2.1/", "authorization_file": "/p/authorization"},
        "syslog": [
            {"name": "one", "host": "192.0.2.2", "transport": "tls"},
            {"name": "two", "host": "192.0.2.2", "transport": "udp", "port": 5514},
        ],
        "kafka": {
            "brokers": ["kafka-1.example:9093", "kafka-2.example:9094"],
            "sasl": {"username": "u", "password_file": "/q/password"},
            "tls": {"ca": "/m/ca.pem"},
            "schema_registry": {"url": "https://registry.example:8081", "authorization_file": "/t/authorization"},
        },
        "prometheus": {"listen": "127.0.0.1:0"},
    },
}  # fmt: skip


def test_every_key_that_names_a_path_is_a_need(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text("tls_server_config: {cert_file: /q/c.pem, key_file: k.pem}")
    config = tmp_path / "minewatch.yaml"
    exporters = {**FULL["exporters"], "prometheus": {"web_config_file": str(tmp_path / "web.yaml")}}
    config.write_text(yaml.safe_dump({**FULL, "exporters": exporters}))
    needs = list(needed_paths(load(config, check_region=False)))
    assert {str(need.path)[:2] for need in needs if not need.path.is_relative_to(tmp_path)} == {
        f"/{letter}" for letter in "abcdefghijklmnopqrst"
    }
    assert {str(need.path)[:2] for need in needs if need.write} == {"/b", "/c", "/e", "/f", "/k", "/s"}
    assert {str(need.path) for need in needs if need.path.is_relative_to(tmp_path)} == {
        f"{tmp_path}/web.yaml", f"{tmp_path}/k.pem",
    }  # fmt: skip


def test_ports_are_those_of_receivers_over_tcp_and_of_a_database(tmp_path: Path) -> None:
    config = tmp_path / "minewatch.yaml"
    config.write_text(yaml.safe_dump({**FULL, "ledger": {"url": "postgresql+psycopg://u@db.example:6432/minewatch"}}))
    ports = {".".join(map(str, key)): port for key, port in needed_ports(load(config, check_region=False))}
    assert ports == {
        "exporters.webhook.url": 8443,
        "exporters.alertmanager.url": 80,
        "exporters.syslog.0.port": 6514,
        "exporters.kafka.brokers.0": 9093,
        "exporters.kafka.brokers.1": 9094,
        "exporters.kafka.schema_registry.url": 8081,
        "ledger.url": 6432,
    }


def test_no_place_that_any_process_needs_holds_secrets_of_the_host() -> None:
    places = [place.resolve() for place in read_places()]
    for secret in ("/etc/shadow", "/etc/ssl/private", "/root", "/home", "/var/lib"):
        assert not any(Path(secret).is_relative_to(place) for place in places), secret
    assert not WIDE & set(places)


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "written in place"])
def test_a_file_that_stands_for_itself_is_missed_once_it_is_replaced(tmp_path: Path, replaced: bool) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 192.0.2.1")
    status = file.stat()
    sandbox = Sandbox("Landlock 7, seccomp", _single={file: (status.st_dev, status.st_ino)})
    assert sandbox.replaced() == []
    if replaced:
        (tmp_path / "new").write_text("nameserver 192.0.2.2")
        (tmp_path / "new").replace(file)
    else:
        file.write_text("nameserver 192.0.2.2")
    assert sandbox.replaced() == ([file] if replaced else [])
