"""A replay in tasks tells what one sitting tells, byte for byte, whoever reads the tasks, in whatever order they come
back, and however often; and what could not be read is said with its file."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.forms.event import dumps, encode
from sensor import signatures
from sensor.batch.groups import borders, refused, tasks_of
from sensor.batch.merge import DIFFERENT, UNREAD, TaskResults
from sensor.batch.processes import ATTEMPTS, read_in_processes
from sensor.batch.task import (
    OTHER_SIGNATURES,
    CaptureTask,
    ReadingPlan,
    TaskReader,
    TaskResult,
    packed,
    read_task,
    signatures_key,
)
from sensor.intake import engine
from sensor.intake.sources import Problem
from sensor.line.replay import ReplayResult, replay
from sensor.model.time import PlausibleTime
from tests.batch.captures import CUT_EVERY, archive
from tests.cli.conftest import ROOT

SITES = 2 * CUT_EVERY
#: Counters that say what was read later, by whose clock flows left the table, and how far threads had come.
OF_THE_RUN = {"flows_expired", "ticks"}


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return archive(tmp_path_factory.mktemp("archive"), SITES)


@pytest.fixture(scope="module")
def plan() -> ReadingPlan:
    return ReadingPlan(str(Path.cwd()), engine.load().name, {"workers": 1}, signatures_key((), ()))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tasks(captures: list[Path]) -> list[CaptureTask]:
    return tasks_of([str(path) for path in captures], range(len(captures)), "folder")


@pytest.fixture(scope="module")
def results(plan: ReadingPlan, tasks: list[CaptureTask]) -> list[TaskResult]:
    reader = TaskReader(plan)
    return [reader.read(task) for task in tasks]


@functools.cache
def table() -> signatures.SignatureSet:
    return signatures.load()


def sitting(paths: Sequence[Path]) -> ReplayResult:
    return replay([str(path) for path in paths], table(), engine.load(), {"workers": 1})


def lines(outcome: ReplayResult) -> list[str]:
    return [dumps(encode(record)) for record in outcome.records]


def merged(tasks: Sequence[CaptureTask], results: Sequence[TaskResult]) -> ReplayResult:
    collected = TaskResults(tasks)
    for result in results:
        collected.add(result)
    return collected.outcome([source for task in tasks for source in task.sources])


def test_tasks_of_independent_captures_tell_what_one_sitting_tells(
    captures: list[Path], tasks: list[CaptureTask], results: list[TaskResult]
) -> None:
    whole, parts = sitting(captures), merged(tasks, results)
    assert len(whole.findings) == SITES
    assert lines(parts) == lines(whole)
    assert parts.records == whole.records
    own = {name: count for name, count in parts.counters.items() if name.startswith("tasks")}
    assert own == {
        "tasks": SITES,
        "tasks_unread": 0,
        "tasks_repeated": 0,
        "tasks_borders": 0,
        "tasks_same_events": 0,
        "tasks_divided_findings": 0,
        "tasks_divided_connections": 0,
    }
    left_out = OF_THE_RUN | set(own)
    assert {name: count for name, count in parts.counters.items() if name not in left_out} == {
        name: count for name, count in whole.counters.items() if name not in left_out
    }
    assert parts.lines == dict(whole.lines)
    assert (parts.sources, parts.problems, parts.capture_loss) == (whole.sources, [], whole.capture_loss)


def test_a_connection_goes_on_from_capture_to_capture_within_a_group(tasks: list[CaptureTask]) -> None:
    pair = next(task for task in tasks if len(task.sources) == 2)
    assert [Path(source).name for source in pair.sources] == ["first.pcap", "then.pcap"]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 30))
def test_the_order_of_completion_and_repetitions_change_nothing(
    tasks: list[CaptureTask], results: list[TaskResult], chance: random.Random, again: int
) -> None:
    arriving = [*results, *(dataclasses.replace(chance.choice(results)) for _ in range(again))]
    chance.shuffle(arriving)
    first, other = merged(tasks, results), merged(tasks, arriving)
    assert lines(other) == lines(first)
    assert other.counters.pop("tasks_repeated") == again
    assert other.counters == {name: count for name, count in first.counters.items() if name != "tasks_repeated"}
    assert (other.problems, other.lines, other.sources) == (first.problems, first.lines, first.sources)


def test_an_event_that_two_tasks_tell_stands_once(tasks: list[CaptureTask], results: list[TaskResult]) -> None:
    copied = dataclasses.replace(results[0], number=1)
    outcome = merged(tasks[:2], [results[0], copied])
    assert lines(outcome) == lines(merged(tasks[:1], results[:1]))
    assert outcome.counters["tasks_same_events"] == len(results[0].records)


def test_two_results_of_a_task_that_differ_are_said(tasks: list[CaptureTask], results: list[TaskResult]) -> None:
    other = dataclasses.replace(results[0], records=())
    outcome = merged(tasks[:1], [results[0], other])
    assert lines(outcome) == lines(merged(tasks[:1], results[:1]))
    assert outcome.problems == [Problem(source, DIFFERENT) for source in tasks[0].sources]


def test_a_task_without_a_result_is_said(tasks: list[CaptureTask], results: list[TaskResult]) -> None:
    outcome = merged(tasks[:2], results[:1])
    assert outcome.problems == [Problem(source, UNREAD) for source in tasks[1].sources]
    assert outcome.counters["tasks_unread"] == 1


def test_what_several_tasks_have_parts_of_is_counted(captures: list[Path], plan: ReadingPlan) -> None:
    pair = [str(path) for path in captures if path.parent == captures[CUT_EVERY].parent]
    assert len(pair) == 2
    alone = tasks_of(pair, [None, None], "file")
    outcome = merged(alone, [TaskReader(plan).read(task) for task in alone])
    assert outcome.counters["tasks_divided_connections"] == 1
    assert outcome.counters["tasks_borders"] == 1
    whole = sitting([Path(source) for source in pair])
    assert lines(outcome) != lines(whole)


def test_captures_of_a_folder_are_one_task_in_order_of_time() -> None:
    sources = ["b/2.pcap", "a/1.pcap", "b/1.pcap", "b/none.pcap", "a/2.pcap"]
    by_folder = tasks_of(sources, [20, 3, 10, None, 3], "folder")
    assert [task.sources for task in by_folder] == [("b/1.pcap", "b/2.pcap", "b/none.pcap"), ("a/1.pcap", "a/2.pcap")]
    by_file = tasks_of(sources, [20, 3, 10, None, 3], "file")
    assert [task.sources for task in by_file] == [(source,) for source in sources]
    assert [task.number for task in by_file] == list(range(5))
    assert (borders(by_folder), borders(by_file)) == (0, 3)


def test_a_time_that_cannot_be_is_told_by_the_captures_of_the_same_folder() -> None:
    day, now = 86_400 * 10**9, 1_772_438_400 * 10**9
    plausible = PlausibleTime.as_of(now)
    sources = ["a/1", "b/1", "a/2", "a/3"]
    assert refused(sources, [now - day, now - 30 * day, now - day, now - day], plausible) == {}
    assert list(refused(sources, [now - day, now, now - 30 * day, now - day], plausible)) == [2]
    assert list(refused(sources, [1, now, now, None], plausible)) == [0]
    assert refused(["a/1"], [1], plausible) == refused(["a/1", "b/1"], [1, 1], plausible) == {}


def test_a_worker_with_other_signatures_reads_nothing(plan: ReadingPlan, tasks: list[CaptureTask]) -> None:
    other = dataclasses.replace(plan, signatures_key="another")
    assert read_task(packed(other), tasks[0]).problems == tuple(
        Problem(source, OTHER_SIGNATURES) for source in tasks[0].sources
    )


def test_what_a_worker_has_not_is_said_of_each_capture(
    plan: ReadingPlan, tasks: list[CaptureTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for other, reason in (
        (dataclasses.replace(plan, folder=str(tmp_path / "none")), f"{tmp_path}/none: no such file or directory"),
        (dataclasses.replace(plan, signature_files=("none.yaml",)), "none.yaml: cannot be read"),
        (dataclasses.replace(plan, host_lists=("none.txt",)), "none.txt: cannot be read"),
    ):
        (problem,) = read_task(packed(other), tasks[0]).problems
        assert problem.source == tasks[0].sources[0]
        assert reason in problem.reason


def test_signatures_have_another_name_when_a_file_or_a_list_changes(tmp_path: Path) -> None:
    own, hosts = tmp_path / "own.yaml", tmp_path / "hosts.txt"
    own.write_text("# one\n")
    hosts.write_text("pool.example\n")
    names = [signatures_key(files, lists) for files in ((), (str(own),)) for lists in ((), (str(hosts),))]
    own.write_text("# two\n")
    names.append(signatures_key((str(own),), ()))
    hosts.write_text("other.example\n")
    names.append(signatures_key((), (str(hosts),)))
    assert len(set(names)) == len(names)


# Processes.


class KillingPlan(ReadingPlan):
    """A plan whose workers die of captures that are called deadly, always or once: unpacking it arms them."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _arm, (tuple(getattr(self, field.name) for field in dataclasses.fields(ReadingPlan)),)


def _arm(values: tuple[Any, ...]) -> ReadingPlan:
    from sensor.batch import task as module

    whole = module.replay

    def deadly(sources: Sequence[str], *words: Any, **given: Any) -> ReplayResult:
        for path in map(Path, sources):
            mark = path.with_suffix(".read")
            if path.stem == "deadly" or (path.stem == "once" and not mark.exists()):
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return whole(sources, *words, **given)

    module.replay = deadly  # type: ignore[assignment]
    return ReadingPlan(*values)


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_any_number_of_processes_tells_the_same(
    plan: ReadingPlan, tasks: list[CaptureTask], results: list[TaskResult], processes: int
) -> None:
    found = list(read_in_processes(plan, tasks, processes))
    assert sorted(result.number for result in found) == [task.number for task in tasks]
    assert lines(merged(tasks, found)) == lines(merged(tasks, results))


def test_a_capture_that_kills_its_worker_takes_nothing_else_with_it(
    plan: ReadingPlan, tasks: list[CaptureTask], results: list[TaskResult], tmp_path: Path
) -> None:
    deadly = tmp_path / "deadly.pcap"
    shutil.copy(tasks[0].sources[0], deadly)
    poisoned = [
        *tasks[:4],
        CaptureTask(4, (str(deadly),)),
        *(dataclasses.replace(task, number=5) for task in tasks[4:5]),
    ]
    killing = KillingPlan(*(getattr(plan, field.name) for field in dataclasses.fields(plan)))
    outcome = merged(poisoned, list(read_in_processes(killing, poisoned, 2)))
    reason = f"its worker was ended by signal 9, {ATTEMPTS} times: nothing of it was read"
    assert outcome.problems == [Problem(str(deadly), reason)]
    assert lines(outcome) == lines(merged(tasks[:5], results[:5]))


def test_a_task_whose_worker_died_is_read_again_and_tells_the_same(
    plan: ReadingPlan, tasks: list[CaptureTask], results: list[TaskResult], tmp_path: Path
) -> None:
    once = tmp_path / "once.pcap"
    shutil.copy(tasks[0].sources[0], once)
    renamed = [CaptureTask(0, (str(once),)), *tasks[1:6]]
    killing = KillingPlan(*(getattr(plan, field.name) for field in dataclasses.fields(plan)))
    outcome = merged(renamed, list(read_in_processes(killing, renamed, 2)))
    assert once.with_suffix(".read").exists()
    assert not outcome.problems
    name = '"pcap_filename":"once.pcap"'
    plain = [line.replace(name, '"pcap_filename":"capture.pcap"') for line in lines(outcome)]
    assert plain == lines(merged(tasks[:6], results[:6]))


def test_whoever_stops_asking_leaves_no_process(plan: ReadingPlan, tasks: list[CaptureTask]) -> None:
    import multiprocessing

    arriving = read_in_processes(plan, tasks, 2)
    next(arriving)
    assert len(multiprocessing.active_children()) == 2
    arriving.close()
    assert not multiprocessing.active_children()


# The command.


def command(folder: Path, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "sensor.cli", "replay", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder, env=variables, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done


def test_the_command_gives_the_same_bytes_in_tasks(captures: list[Path], tmp_path: Path) -> None:
    folder = captures[0].parents[1]
    whole = command(tmp_path, folder, "--eve", "-").stdout
    assert whole.count("\n") == SITES
    for words in (("-j", "1"), ("-j", "3"), ("--tasks", "folder")):
        done = command(tmp_path, folder, "--engine", "processes", *words, "--eve", "-")
        assert (done.stdout, done.stderr) == (whole, "")
    tables = []
    parquet = ("--parquet", "findings.parquet") if importlib.util.find_spec("pyarrow") else ()
    for suffix in ("whole", "tasks"):
        engines = ("--engine", "processes", "-j", "2") if suffix == "tasks" else ()
        command(tmp_path, folder, "-q", *engines, "--report", f"{suffix}.html", "--stix", f"{suffix}.json", *parquet)
        tables.append((tmp_path / "findings.parquet").read_bytes() if parquet else b"")
    assert tables[0] == tables[1]
    assert (tmp_path / "tasks.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert (tmp_path / "tasks.html").read_bytes() == (tmp_path / "whole.html").read_bytes()


def test_the_command_says_what_is_divided(captures: list[Path], tmp_path: Path) -> None:
    folder = captures[CUT_EVERY].parent
    words = ("--engine", "processes", "-j", "2", "-q", "--set", "output.stats=true", "--eve", "-")
    alone = command(tmp_path, folder, *words, "--tasks", "file")
    borders, divided = alone.stderr.splitlines()
    assert borders.startswith("minewatch: 1 borders between captures of one folder are borders of tasks")
    assert "1 connections stand in several tasks" in divided
    counters = json.loads(alone.stdout.splitlines()[-1])["stats"]["counters"]
    assert (counters["tasks"], counters["tasks_divided_connections"]) == (2, 1)
    assert command(tmp_path, folder, *words).stderr == ""


def test_what_cannot_be_read_is_said_and_is_the_exit_code_of_a_replay(captures: list[Path], tmp_path: Path) -> None:
    good, torn, letter = captures[0], tmp_path / "torn.pcap", tmp_path / "letter.pcap"
    torn.write_bytes(captures[1].read_bytes()[:-7])
    letter.write_text("Dear all,\n")
    names = (good, torn, letter, tmp_path / "none.pcap", tmp_path / "*.cap")
    whole = command(tmp_path, *names, "--eve", "-", code=1)
    for by in ("file", "folder"):
        done = command(tmp_path, *names, "--eve", "-", "--engine", "processes", "--tasks", by, "-j", "2", code=1)
        problems = [sentence for sentence in done.stderr.splitlines() if "borders" not in sentence]
        assert (done.stdout, problems) == (whole.stdout, whole.stderr.splitlines())
        assert len(problems) == 4
        assert ("borders" in done.stderr) == (by == "file")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--engine", "processes", "--ledger", "sqlite:///x.db", "a.pcap"), "--engine processes: not with --ledger"),
        (("--engine", "processes", "-"), "--engine processes: standard input is no file"),
        (("--tasks", "file", "a.pcap"), "--tasks file: only with --engine processes"),
    ],
)
def test_what_tasks_cannot_do_is_refused(words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = command(tmp_path, *words, code=2)
    assert done.stderr.startswith(f"minewatch: {sentence}")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_an_interrupt_keeps_what_was_found_and_says_the_rest(captures: list[Path], tmp_path: Path) -> None:
    """Whenever it comes: here while the first worker starts, or a little later."""
    line = [sys.executable, "-m", "sensor.cli", "replay", "--engine", "processes", "-j", "1", "--eve", "-"]
    with subprocess.Popen(
        [*line, str(captures[0].parents[1])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # a job in the background of a shell starts with interrupts ignored, and its children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        deadline = time.monotonic() + 30
        while not (workers := started_by(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert workers
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    unread = {text.removeprefix("minewatch: ").removesuffix(f": {UNREAD}") for text in err.splitlines()}
    assert unread <= {str(path) for path in captures}
    assert len(out.splitlines()) + len({Path(path).parent for path in unread}) == SITES
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def started_by(pid: int) -> list[int]:
    """The workers of a command (proc(5): the first field behind the name and the state is the parent)."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            is_worker = b"spawn_main" in (place / "cmdline").read_bytes()
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if is_worker and parent == pid:
            found.append(int(place.name))
    return found
