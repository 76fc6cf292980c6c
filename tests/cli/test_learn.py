"""`minewatch signatures learn`: flows are listed, one is drafted from, and what cannot be is said in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.model.exit_codes import OK, RUN_ERROR, USAGE
from tests.cli.conftest import Run
from tests.demo.wire import Tcp, Wire, host

SAID = """\
C {"id":1,"method":"mining.authorize","params":{"address":"sv1qwallet","worker":"shed","password":"hush-hush"}}
S {"id":1,"result":true,"error":null}
S {"method":"mining.notify","params":{"ticket_id":"a7","header":"HEADER","target":"TARGET"}}
C {"id":2,"method":"mining.submit","params":{"ticket_id":"a7","nonce":"9a3f5c7d11223344"}}
S {"id":2,"result":true,"error":null}
""".replace("HEADER", "ab" * 76).replace("TARGET", "00000000ffff" + "0" * 52)
CHAT = 'C {"method":"hello","params":["kim"]}\nS {"method":"welcome","params":["kim"]}\n'
FLOW = "10.1.0.5:41000-198.51.100.7:5566"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A session of a dialect that nobody knows, and a chat."""
    wire = Wire()
    for number, text in enumerate((SAID, CHAT)):
        talk = Tcp(wire, host("10.1.0.5"), host("198.51.100.7"), (41_000 + number, 5_566), 1_000_000 * number).open()
        for line in text.splitlines():
            (talk.client if line[0] == "C" else talk.server)(line[2:].encode() + b"\n")
        talk.close()
    path = tmp_path / "odd.pcap"
    wire.write(path)
    return path


def test_the_flows_are_listed(run: Run, capture: Path) -> None:
    done = run("signatures", "learn", capture)
    assert done.returncode == OK
    first, second = done.stdout.decode().splitlines()
    assert first == f"{FLOW}  5 messages: mining.authorize, mining.notify, mining.submit"
    assert "hello, welcome" in second


def test_a_draft_is_written_and_proves_itself(run: Run, capture: Path, tmp_path: Path) -> None:
    assert run("signatures", "learn", capture, FLOW, "-o", "odd.yaml").returncode == OK
    text = (tmp_path / "odd.yaml").read_text()
    assert "hush" not in text
    assert "sv1qwallet" in text
    done = run("signatures", "test", "odd.yaml")
    assert (done.returncode, done.stderr) == (OK, b"")
    assert b"odd.yaml: 2 examples" in done.stdout


def test_the_draft_reads_the_capture_it_came_from(run: Run, capture: Path, tmp_path: Path) -> None:
    assert b'"unknown-stratum"' in run("replay", capture, "-q", "-e", "-").stdout
    run("signatures", "learn", capture, FLOW, "-o", "odd.yaml")
    (tmp_path / "own.yaml").write_text("signatures: {files: [odd.yaml]}\n")
    events = run("replay", capture, "-q", "-e", "-", "-c", "own.yaml").stdout
    assert b'"draft"' in events
    assert b'"unknown-stratum"' not in events


def test_a_flow_is_named_either_way_round_and_to_standard_output(run: Run, capture: Path) -> None:
    one, _, other = FLOW.partition("-")
    there, back = run("signatures", "learn", capture, FLOW), run("signatures", "learn", capture, f"{other}-{one}")
    assert there.stdout == back.stdout
    assert there.stdout.startswith(b"# Drafted from ")


def test_a_flow_is_named_as_events_name_it(run: Run, capture: Path) -> None:
    event = run("replay", capture, "-q", "-e", "-").stdout.decode()
    name = event.partition('"community_id":"')[2].partition('"')[0]
    assert run("signatures", "learn", capture, name).stdout == run("signatures", "learn", capture, FLOW).stdout


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ((), USAGE, "name one capture"),
        (("odd.pcap", FLOW, "more"), USAGE, "name one capture"),
        (("odd.pcap", "--json"), USAGE, "has no --json"),
        (("odd.pcap", "-o", "new.yaml"), USAGE, "no flow is named"),
        (("odd.pcap", FLOW, "-o", "odd.pcap"), RUN_ERROR, "is not overwritten"),
        (("odd.pcap", FLOW, "-o", "nowhere/new.yaml"), RUN_ERROR, "nowhere/new.yaml: cannot be written"),
        (("none.pcap",), RUN_ERROR, "none.pcap: no such file"),
        (("text.pcap",), RUN_ERROR, "text.pcap"),
        (("odd.pcap", "10.1.0.5:9-198.51.100.7:9"), USAGE, "holds no conversation in JSON lines called"),
        (("odd.pcap", "10.1.0.5:41001-198.51.100.7:5566"), RUN_ERROR, "nothing can be drafted"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    run: Run, capture: Path, words: tuple[str, ...], code: int, part: str
) -> None:
    (capture.parent / "text.pcap").write_text("no capture\n")
    done = run("signatures", "learn", *words)
    assert (done.returncode, done.stdout) == (code, b"")
    assert part in done.stderr.decode()
    assert len(done.stderr.decode().strip().splitlines()) == 1


@pytest.mark.parametrize("action", ["list", "test", "tables"])
def test_only_learn_writes_a_file(run: Run, action: str) -> None:
    done = run("signatures", action, "-o", "x.yaml")
    assert done.returncode == USAGE
    assert b"has no -o" in done.stderr
