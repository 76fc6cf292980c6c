"""Every folder here is a case: `make.py` plays a conversation, `case.yaml` says what must be found in it, from end to
end.

A new folder is a new test, in every core that is here.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from exporters.forms.event import dumps, encode
from sensor import signatures
from sensor.intake import engine
from sensor.intake.engine import EngineError
from sensor.line.replay import ReplayResult, replay
from tests.demo.wire import Wire

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/case.yaml"))
SCHEMA = json.loads((HERE.parents[1] / "exporters" / "forms" / "eve.schema.json").read_text())


def outcome(folder: Path, name: engine.Name, capture: Path) -> ReplayResult:
    """Make the capture of a case and replay it in one core."""
    spec = importlib.util.spec_from_file_location(f"case_{folder.name.replace('-', '_')}", folder / "make.py")
    assert spec
    assert spec.loader
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    wire = Wire()
    maker.make(wire)
    wire.write(capture)
    try:
        core = engine.load(name)
    except EngineError as error:
        pytest.skip(str(error))
    return replay([str(capture)], signatures.load(), core, {"workers": 1, "flows": 4096})


def told(event: dict[str, Any]) -> dict[str, Any]:
    """An event in the words of a case file."""
    mining = event["mining"]
    pool = f"[{event['dest_ip']}]" if ":" in event["dest_ip"] else event["dest_ip"]
    shares = [mining["shares"][name] for name in ("submitted", "accepted", "rejected")]
    return {**mining, "miner": event["src_ip"], "pool": f"{pool}:{event['dest_port']}", "shares": shares}


@pytest.mark.parametrize("name", ["reference", "compiled"])
@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_case_is_found_as_it_is_told(folder: Path, name: engine.Name, tmp_path: Path) -> None:
    expected = yaml.safe_load((folder / "case.yaml").read_text())
    done = outcome(folder, name, tmp_path / "case.pcap")
    assert done.problems == []
    events = [json.loads(dumps(encode(record))) for record in done.records]
    for event in events:
        jsonschema.validate(event, SCHEMA)
    found = [told(event) for event in events if event["event_type"] == "mining"]
    wanted = expected["find"]
    assert [{key: item.get(key) for key in want} for item, want in zip(found, wanted, strict=False)] == wanted
    assert len(found) == len(wanted)
    assert [node.protocol for node in done.nodes] == expected["nodes"]


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_every_case_says_what_it_is_and_where_it_comes_from(folder: Path) -> None:
    case = yaml.safe_load((folder / "case.yaml").read_text())
    assert set(case) == {"title", "from", "find", "nodes"}
    assert all(len(str(case[key])) > 20 for key in ("title", "from"))
