"""Of a flow that whoever polls has given up no more is handed on than its end."""

from __future__ import annotations

import pytest

from sensor.model.events import Chunk, Close, End, Hit, Open
from tests.core.captures import T0, Talk, pcap, timed

LINE = b'{"method":"mining.submit"}\n'
SECOND = 1_000_000_000


class Polled:
    """A core that reads one capture after the other, each to its end before the next."""

    def __init__(self, engine, **limits):
        self.engine = engine
        self.core = engine.core(**limits)
        self.start_ns = T0

    def read(self, frames):
        """The events of a capture that goes on where the one before ended."""
        self.core.attach(self.engine.file(pcap(timed(frames, self.start_ns))))
        self.start_ns += SECOND
        events = []
        while not any(isinstance(event, End) for event in events):
            events += self.core.poll(64, 20)
        return events

    def finish(self):
        """The last events, and the counters."""
        self.core.finish()
        events = []
        while not self.core.finished:
            events += self.core.poll(64, 20)
        stats = self.core.stats()
        self.core.close()
        return events, stats


def kinds(events, *flows):
    return [type(event) for event in events if not isinstance(event, End) and (not flows or event.flow in flows)]


def lines(talk, first):
    return [talk.data(0, (first + number) * len(LINE), LINE) for number in range(3)]


@pytest.mark.parametrize("workers", [1, 3])
def test_no_bytes_of_a_dismissed_flow_come_and_no_literal_opens_it_again(engine, workers):
    polled = Polled(engine, workers=workers)
    talks = [Talk(ports=(40_000 + number, 3_333)) for number in range(8)]
    events = polled.read([frame for talk in talks for frame in lines(talk, 0)])
    opened = {event.orig_port: event.flow for event in events if isinstance(event, Open)}
    given_up, others = opened[40_003], [flow for port, flow in opened.items() if port != 40_003]
    polled.core.dismiss(given_up)
    later = polled.read([frame for talk in talks for frame in lines(talk, 3)])
    later += polled.read([frame for talk in talks for frame in lines(talk, 6)])
    assert kinds(later, given_up) == []
    assert kinds(later, *others) == [Chunk] * 6 * 7
    last, stats = polled.finish()
    assert kinds(last, given_up) == [Close]
    assert (stats["candidates_dismissed"], stats["candidates_spent"], stats["candidates_opened"]) == (1, 1, 8)
    (closed,) = [event for event in last if isinstance(event, Close) and event.flow == given_up]
    assert (closed.packets, closed.gap_bytes) == ((9, 0), 0)


@pytest.mark.parametrize("numbers", [[0], [2], [1 << 63], [], [7, 2, 0]])
def test_what_no_candidate_has_changes_nothing(engine, numbers):
    polled, talk = Polled(engine), Talk()
    polled.read(lines(talk, 0))
    for number in numbers:
        polled.core.dismiss(number)
    assert kinds(polled.read(lines(talk, 3))) == [Chunk] * 3
    assert polled.finish()[1]["candidates_dismissed"] == 0


def test_a_flow_is_dismissed_once_and_the_next_of_its_ports_is_another(engine):
    polled, talk = Polled(engine), Talk()
    (opened,) = [event for event in polled.read(lines(talk, 0)) if isinstance(event, Open)]
    polled.core.dismiss(opened.flow)
    polled.core.dismiss(opened.flow)
    following = Talk(initial=(77_000, 99_000))
    events = polled.read([talk.rst(0, 3 * len(LINE)), *following.handshake(), *lines(following, 0)])
    assert kinds(events) == [Close, Open, Hit, Chunk, Chunk, Chunk]
    assert polled.finish()[1]["candidates_dismissed"] == 1
