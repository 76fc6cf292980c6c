"""A signature drafted from one session finds what the signature that was taken away found, after the edits that the
documentation shows.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path

import pytest

from sensor.line.draft.document import DraftError, draft, flow_text
from sensor.line.draft.transcript import Transcript, Transcripts
from sensor.line.examples import dialogue_events, prove
from sensor.model.finding import Finding
from sensor.signatures import SignatureSet, load
from sensor.signatures.model import Dialect, Example
from tests.session.dialogue import events, shipped
from tests.session.unknown_table import counts, findings, sessions

DOCUMENT = Path(__file__).parents[2] / "docs" / "signatures.md"
EDIT = re.compile(r"\| `([a-z-]+)` \| `([^`]+)` \| `([^`]+)` \|")
EDITS = [found.groups() for line in DOCUMENT.read_text().splitlines() if (found := EDIT.fullmatch(line))]
#: Sessions in another form than the one that the draft is made of: they would need one of their own.
ANOTHER_FORM = {"the node itself, whose number of a job is the hash"}
TAKEN_AWAY = sorted({dialect for dialect, _, _ in EDITS})


def named(name: str) -> Dialect:
    return next(dialect for dialect in shipped().dialects if dialect.name == name)


def transcript(example: Example) -> Transcript:
    found = Transcripts()
    found.step(dialogue_events(example.dialogue))
    return found.finish()[0]


def of_text(dialogue: str) -> Transcript:
    found = Transcripts()
    found.step(events(dialogue))
    return found.finish()[0]


def edited(text: str, dialect: str) -> str:
    """The draft with the edits that the documentation shows."""
    edits = {"name: draft": f"name: {dialect}-again", "family: draft": f"family: {dialect}-again"}
    edits |= {line: new for name, line, new in EDITS if name == dialect}
    lines = []
    for line in text.splitlines():
        indent, plain = len(line) - len(line.lstrip()), line.strip().split("  # EDIT")[0]
        lines.append(" " * indent + edits.pop(plain) if plain in edits else line)
    assert not edits, "a line of the documentation is not in the draft"
    return "\n".join(lines) + "\n"


def with_draft(text: str, dialect: str, folder: Path) -> SignatureSet:
    """The shipped signatures without this one, and the draft."""
    file = folder / "draft.yaml"
    file.write_text(text)
    whole = load([file])
    return whole.without(dialect)


def test_three_are_shown() -> None:
    assert len(TAKEN_AWAY) >= 3


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_an_edited_draft_finds_the_sessions_of_the_signature_that_was_taken_away(name: str, tmp_path: Path) -> None:
    dialect = named(name)
    text = draft(transcript(dialect.header.examples[0]), shipped().without(name))
    left = with_draft(edited(text, name), name, tmp_path)
    assert [str(failure) for failure in prove(left) if failure.file.endswith("draft.yaml")] == []
    compared = 0
    for example, wanted in sessions(dialect, shipped()):
        if example.name in ANOTHER_FORM:
            continue
        before, now = findings(shipped(), example), findings(left, example)
        assert {one.dialect for one in now} == {f"{name}-again"}, example.name
        assert counts(now) == wanted, example.name
        assert [facts(one) for one in now] == [facts(one) for one in before], example.name
        compared += 1
    assert compared >= 2


def facts(finding: Finding) -> tuple[object, ...]:
    return (finding.coin, finding.algorithm, finding.work_hashes, finding.hashes_per_share, finding.miner_ip)


@pytest.mark.parametrize(
    "dialect", [one for one in shipped().dialects if one.framing == "json-lines"], ids=lambda dialect: dialect.name
)
def test_a_draft_proves_itself_before_any_edit(dialect: Dialect, tmp_path: Path) -> None:
    for example, _ in islice(sessions(dialect, shipped()), 2):
        try:
            text = draft(transcript(example), shipped().without(dialect.name))
        except DraftError:
            continue
        left = with_draft(text, dialect.name, tmp_path)
        assert [str(failure) for failure in prove(left) if failure.file.endswith("draft.yaml")] == []


SECRETS = """
    C {"id":1,"method":"mining.subscribe","params":["mill/1.0","hush-a"]}
    S {"id":1,"result":true}
    C {"id":2,"method":"mining.authorize","params":["acct.rig","hush-b","hush-c"],"password":"hush-d"}
    S {"id":2,"result":true}
    S {"method":"mining.notify","params":["7f","abababababababababababababababababababababababab",{"x":1}]}
    C {"id":3,"method":"mining.submit","params":["acct.rig","7f","0011223344556677","00000000"]}
    S {"id":3,"result":true}
"""


def test_no_secret_is_in_a_draft() -> None:
    text = draft(of_text(SECRETS), shipped())
    assert "hush" not in text
    assert "acct.rig" in text


@pytest.mark.parametrize("lost", ["mining.notify", "mining.submit"])
def test_without_a_job_or_a_share_nothing_is_drafted(lost: str) -> None:
    dialogue = "\n".join(line for line in SECRETS.splitlines() if lost not in line)
    with pytest.raises(DraftError, match="names a job"):
        draft(of_text(dialogue), shipped())


def test_a_hostile_name_stays_a_text() -> None:
    dialogue = SECRETS.replace("acct.rig", "a: {b}\\n# c\\u2028d").replace("mining.submit", "mining.submit: {x}\\n")
    text = draft(of_text(dialogue), shipped())
    assert json.dumps("a: {b}\n# c\u2028d") in text


def test_flow_style_gives_back_what_was_written() -> None:
    import yaml

    value = {
        "when": {"method": "yes", "a.b": {"hex": [1, 2]}, "x": True, "n": None, "t": "true", "d": "1e5", "c": "a: b"}
    }
    assert yaml.safe_load(flow_text(value)) == value
