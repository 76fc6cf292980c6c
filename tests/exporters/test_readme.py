"""The documented example is right and complete: every key of every kind stands in it, with its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from exporters.kinds import kinds
from sensor.daemon.configuration import load
from tests.delivery.receivers import HttpReceiver
from tests.ledger.made import finding

README = (Path(__file__).parents[2] / "exporters" / "README.md").read_text()
#: Keys that stand in the example with an example's value though they have a default.
GIVEN = {"secret_file"}
CHANGED = {("syslog", "transport")}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_example_is_taken_and_shows_every_default(tmp_path: Path) -> None:
    path = tmp_path / "minewatch.yaml"
    (text,) = blocks("yaml")
    path.write_text(text)
    config = load(path)
    for kind, (settings,) in config.exporters.items():
        assert isinstance(settings, BaseModel)
        fields = type(settings).model_fields
        assert settings.model_fields_set == set(fields), kind
        for name, field in fields.items():
            if not field.is_required() and name not in GIVEN and (kind, name) not in CHANGED:
                assert getattr(settings, name) == field.get_default(call_default_factory=True), (kind, name)
    assert set(config.exporters) == set(kinds())


def test_the_documented_check_takes_our_signature_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from exporters.kinds.webhook import Config, Sender

    monkeypatch.setenv("HOOK_SECRET", "sixteen characters or more")
    receiver = HttpReceiver()
    Sender(Config(url=receiver.url, secret_env="HOOK_SECRET")).send([finding()])
    receiver.close()
    ((headers, body),) = receiver.taken
    names: dict[str, Any] = {}
    exec(blocks("python")[0], names)
    assert names["genuine"](headers, body, b"sixteen characters or more")
    assert not names["genuine"](headers, body + b" ", b"sixteen characters or more")
    assert not names["genuine"](headers, body, b"another secret")
    assert not names["genuine"]({**headers, "webhook-timestamp": "1700000000"}, body, b"sixteen characters or more")
