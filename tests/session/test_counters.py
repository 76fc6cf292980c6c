"""Every counter of the pipeline moves, each by what its name says."""

from __future__ import annotations

import pytest

from sensor.dialects.readers.long_line import HEAD_BYTES, TAIL_BYTES
from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk
from sensor.model.finding import Finding
from sensor.session.pending_requests import MAX_AHEAD, MAX_PENDING
from sensor.signatures.model import DialogueLine
from tests.session.dialogue import events, run, shipped


def counted(text: str) -> dict[str, int]:
    return run(events(text))[1]


def fed(*pieces: bytes, gap: int = 0) -> dict[str, int]:
    stream = list(dialogue_events([DialogueLine(0, piece) for piece in pieces]))
    return run([one._replace(gap=gap, offset=one.offset + gap) if isinstance(one, Chunk) else one for one in stream])[1]


@pytest.mark.parametrize(
    "reason",
    ["not_json", "not_object", "trailing", "constant", "number", "nesting", "oversize", "unfinished", "gap", "resync"],
)
def test_each_reason_of_malformed_is_counted(reason: str) -> None:
    pieces = {
        "not_json": b"x\n",
        "not_object": b"[]\n",
        "trailing": b"{} x\n",
        "constant": b'{"a":NaN}\n',
        "number": b'{"a":' + b"1" * 6_000 + b"}\n",
        "nesting": b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n",
        "oversize": b"x" * 70_000 + b"\n",
        "unfinished": b'{"a"',
        "gap": b"{}\n",
        "resync": b'"a":1}\n',
    }
    counters = fed(pieces[reason], gap=5 if reason in ("gap", "resync") else 0)
    assert counters[f"malformed_{reason}"] == 1


def test_messages_are_counted_by_dialect() -> None:
    counters = counted(
        'C {"id":1,"method":"mining.subscribe","params":["x"]}\nC {"id":1,"method":"eth_getWork"}\n'
        'C {"hello":1}\nS {"id":44,"result":7}'
    )
    assert counters["messages"] == 4
    assert (
        counters["messages_stratum-v1"] == counters["messages_equihash"] == counters["messages_ethereum-stratum"] == 1
    )
    assert counters["messages_ethproxy"] == 1
    assert counters["messages_unknown"] == 1
    assert counters["replies"] == 1


def test_replies_without_a_request_are_counted() -> None:
    assert counted('S {"id":1,"result":true}')["replies_unmatched"] == 1


@pytest.mark.parametrize(("answered", "bound"), [(False, MAX_AHEAD), (True, MAX_PENDING)])
def test_requests_over_the_bound_are_counted(answered: bool, bound: int) -> None:
    first = ['C {"id":"a","method":"other.first"}', 'S {"id":"a","result":7}'] if answered else []
    text = "\n".join([*first, *(f'C {{"id":{n},"method":"other.{n}"}}' for n in range(bound + 3))])
    assert counted(text)["requests_dropped"] == 3


def test_readings_over_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.session.session.MAX_READINGS", 1)
    assert counted('C {"id":1,"method":"mining.subscribe","params":["x"]}')["readings_refused"] >= 2


def test_chunks_and_sessions_are_counted() -> None:
    pipeline = Pipeline(shipped())
    stream = events("C {}\nS {}")
    pipeline.step(stream[:-1])
    assert pipeline.counters["flows_open"] == 1
    pipeline.step(stream[-1:])
    counters = pipeline.counters
    assert (counters["sessions"], counters["chunks"], counters["flows_open"]) == (1, 2, 0)


def test_long_lines_and_what_is_left_out_of_them_are_counted() -> None:
    counters = fed(b'{"id":1,"proof":"' + b"x" * 80_000 + b'"}\n', b"{}\n")
    assert (counters["messages"], counters["lines_cut"]) == (2, 1)
    assert counters["line_bytes_skipped"] == len(b'{"id":1,"proof":""}') + 80_000 - HEAD_BYTES - TAIL_BYTES


def test_a_share_that_was_cut_counts_and_proves_no_work() -> None:
    """The same share is recomputed where it was seen whole."""
    stratum = next(one for one in shipped().dialects if one.name == "stratum-v1")
    example = next(one for one in stratum.header.examples if one.expects and one.expects[0].get("verified"))
    whole, cut = (
        run(list(dialogue_events(lines, since_ns=example.since_ns)))[0][0]
        for lines in (example.dialogue, [_padded(line) for line in example.dialogue])
    )
    assert isinstance(whole, Finding)
    assert isinstance(cut, Finding)
    assert whole.shares.verified
    assert not cut.shares.verified
    assert (whole.shares.submitted, whole.shares.accepted) == (cut.shares.submitted, cut.shares.accepted) == (1, 1)


def _padded(line: DialogueLine) -> DialogueLine:
    """A share with a member that is too long to be held."""
    padding = b',"proof":"' + b"x" * 80_000 + b'"}\n'
    is_share = b"mining.submit" in line.data
    return DialogueLine(line.direction, line.data.rstrip()[:-1] + padding) if is_share else line
