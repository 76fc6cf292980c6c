"""Tasks read by processes of this host: each has one at a time, and what it was at when it ended is known.

A process that dies takes nothing with it but its task, which another one reads again; a second time the task has
failed, with the reason. Results come in the order in which they are ready.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from typing import Any

from sensor.batch.task import CaptureTask, ReadingPlan, TaskResult, failed, packed, read_task

#: How often a task is read whose process dies.
ATTEMPTS = 2
#: Seconds that a process has to end when it is told to.
END_SECONDS = 5.0


def read_in_processes(
    plan: ReadingPlan, tasks: Sequence[CaptureTask], processes: int
) -> Generator[TaskResult, None, None]:
    """The result of each task once. Whoever stops asking ends the processes."""
    context = multiprocessing.get_context("spawn")
    waiting = deque((task, 1) for task in tasks)
    plan_bytes = packed(plan)
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.task is not None for worker in workers):
            for _ in range(min(processes, len(waiting)) - len(workers)):
                workers.append(_Worker(context, plan_bytes))
            for worker in workers:
                if worker.task is None and waiting:
                    worker.begin(*waiting.popleft())
            ready = wait([worker.connection for worker in workers if worker.task is not None])
            for worker in [worker for worker in workers if worker.connection in ready]:
                result = worker.result()
                if result is not None:
                    yield result
                    continue
                workers.remove(worker)
                assert worker.task is not None
                if worker.attempt < ATTEMPTS:
                    waiting.appendleft((worker.task, worker.attempt + 1))
                else:
                    yield failed(worker.task, f"its worker {worker.ending()}, {ATTEMPTS} times: nothing of it was read")
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """One process and the task that it is at."""

    def __init__(self, context: SpawnContext, plan_bytes: bytes) -> None:
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, plan_bytes), daemon=True)
        self._process.start()
        theirs.close()
        self.task: CaptureTask | None = None
        self.attempt = 0

    def begin(self, task: CaptureTask, attempt: int) -> None:
        """Hand over a task. A process that is gone is noticed by its result."""
        self.task, self.attempt = task, attempt
        with suppress(OSError):
            self.connection.send(task)

    def result(self) -> TaskResult | None:
        """The result of the task, which is over with it; None where the process died, and is gone now."""
        try:
            result: TaskResult = self.connection.recv()
        except (EOFError, OSError):
            self._collect()
            return None
        self.task = None
        return result

    def ending(self) -> str:
        """How the process ended, as the end of a sentence."""
        code = self._process.exitcode or 0
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self.task is not None:
            self._process.terminate()
        self._collect()

    def _collect(self) -> None:
        """Wait until the process is gone."""
        self.connection.close()
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(connection: Connection[Any, Any], plan_bytes: bytes) -> None:
    """A worker's life: tasks in, results out, until nobody has any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all its processes; the one that asked decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while True:
            connection.send(read_task(plan_bytes, connection.recv()))
    except (EOFError, OSError):
        return


def _end_with_parent() -> None:
    """Nobody is left to take results: do not go on for hours."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
