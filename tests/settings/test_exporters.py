"""The section `exporters`: one touch to add a kind, every mistake with file, line and key, and no secret in a dump."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from exporters.kinds import kinds
from exporters.settings import ExporterSettings
from sensor.daemon.configuration import Configuration, load
from sensor.delivery.delivery import build_senders
from sensor.settings.document import ConfigError
from tests.settings.test_config import written


def loaded(path: Path, *overrides: str) -> Configuration:
    return load(path, overrides)


def problems(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(path, *overrides)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def test_every_kind_is_a_file_with_settings_of_its_own() -> None:
    found = kinds()
    assert {"eve", "syslog", "webhook", "alertmanager"} <= set(found)
    for name in ("eve", "syslog", "webhook", "alertmanager"):
        assert issubclass(found[name].Config, ExporterSettings)
        assert found[name].__doc__


def test_one_instance_and_several_named_ones_are_taken(tmp_path: Path) -> None:
    text = "exporters:\n  eve: {path: eve.json}\n"
    text += "  syslog:\n  - {name: a, host: h}\n  - {name: b, host: h, transport: tls}\n"
    config = loaded(written(tmp_path, text))
    assert config.exporters["eve"][0].path == str(tmp_path / "eve.json")
    assert [one.name for one in config.exporters["syslog"]] == ["a", "b"]
    made, wrong = build_senders(config.exporters)
    assert (sorted(made), wrong) == (["eve", "syslog.a", "syslog.b"], [])


def test_files_are_meant_from_the_configurations_folder_and_typed_ones_from_here(tmp_path: Path) -> None:
    path = written(tmp_path, "exporters:\n  eve: {path: '-'}\n  syslog: {host: h, transport: tls, tls: {ca: ca.pem}}\n")
    config = loaded(path)
    assert config.exporters["eve"][0].path == "-"
    assert config.exporters["syslog"][0].tls.ca == str(tmp_path / "ca.pem")
    assert loaded(path, "exporters.eve.path=x.json").exporters["eve"][0].path == "x.json"


def test_the_metrics_have_their_place_in_the_section_and_no_sender(tmp_path: Path) -> None:
    text = "exporters:\n  prometheus: {listen: '127.0.0.1:9469', web_config_file: web.yml}\n"
    config = loaded(written(tmp_path, text))
    assert config.exporters["prometheus"][0].web_config_file == str(tmp_path / "web.yml")
    assert build_senders(config.exporters) == ({}, [])


def test_every_mistake_is_told_with_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    text = """exporters:
  evee: {path: x}
  eve:
    pth: x
  syslog:
    - {host: h, port: 99999}
    - host: h
      tls:
        caa: x
  webhook: {url: "http://u:p@h/", secret_env: X}
"""
    assert problems(written(tmp_path, text)) == [
        "2: exporters.evee: unknown kind; did you mean eve?",
        "3: exporters.eve.path: field required",
        "4: exporters.eve.pth: unknown key; did you mean path?",
        "6: exporters.syslog.0.port: input should be less than or equal to 65535",
        "9: exporters.syslog.1.tls.caa: unknown key; did you mean ca?",
        "10: exporters.webhook.url: must not hold a password: use authorization_file",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exporters: [eve]\n", "1: exporters: must be kinds and their settings"),
        ("exporters:\n  syslog:\n  - {host: a}\n  - {host: b}\n", "3: exporters.syslog.0: name is missing"),
        (
            "exporters:\n  syslog:\n  - {host: a, name: n}\n  - {host: b, name: n}\n",
            "4: exporters.syslog.1: the name n stands here twice",
        ),
        ("exporters:\n  webhook: {url: 'http://h/'}\n", "2: exporters.webhook: needs either secret_file or secret_env"),
        ("exporters:\n  eve: 7\n", "2: exporters.eve: input should be a valid dictionary"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert problems(written(tmp_path, text))[0].startswith(told)


def test_a_missing_secret_is_told_before_anything_runs(tmp_path: Path) -> None:
    config = loaded(written(tmp_path, "exporters:\n  webhook: {url: 'http://h/', secret_file: none.txt}\n"))
    _, wrong = build_senders(config.exporters)
    assert wrong == [f"exporters.webhook: secret_file: {tmp_path}/none.txt: No such file or directory"]


def test_a_dump_reads_back_and_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("the secret nobody may see")
    monkeypatch.setenv("HOOK_SECRET", "another secret nobody may see")
    text = """exporters:
  webhook:
    - {name: one, url: "https://h/", secret_file: secret}
    - {name: two, url: "https://h/", secret_env: HOOK_SECRET}
"""
    config = loaded(written(tmp_path, text))
    dump = config.dump()
    assert "nobody may see" not in dump
    assert loaded(written(tmp_path, dump)) == config
    assert list(yaml.safe_load(dump)) == list(Configuration.model_fields)


def test_without_the_section_nothing_of_it_is_loaded() -> None:
    assert load().exporters == {}
