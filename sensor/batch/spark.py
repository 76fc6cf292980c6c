"""Tasks read by a cluster of Apache Spark. It hands out paths, has a task read again whose executor was lost, and
brings results back; which of them counts, `merge` decides.

Nothing of the cluster is set here: its master, its executors and what they have installed are Spark's own settings. A
setting made here would go before them all; without any, Spark takes this host, with a thread for each processor.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

from sensor.batch.task import CaptureTask, ReadingPlan, TaskResult, failed, packed, read_task


class SparkError(Exception):
    """Spark cannot be started here; the text is one sentence."""


def require_spark() -> None:
    """Raises SparkError where the library or Java is missing."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise SparkError("pyspark is not installed: pip install 'minewatch[spark]'") from None
    home = os.environ.get("JAVA_HOME")
    if shutil.which(str(Path(home) / "bin" / "java") if home else "java") is None:
        where = (
            f"JAVA_HOME={home} has no bin/java" if home else "there is no java on the PATH, and JAVA_HOME is not set"
        )
        raise SparkError(f"Spark needs Java 17 or newer: {where}")


def read_by_spark(plan: ReadingPlan, tasks: Sequence[CaptureTask]) -> Generator[TaskResult, None, None]:
    """The result of each task. If Spark gives up, every task has failed, with its reason. Raises SparkError."""
    require_spark()
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext

    if not tasks:
        return
    try:
        context = SparkContext.getOrCreate(SparkConf().setAppName("minewatch"))
    except Exception as error:
        raise SparkError(f"Spark cannot be started: {_reason(error)}") from None
    try:
        work = context.parallelize(tasks, len(tasks)).map(partial(read_task, packed(plan)))
        yield from work.collect()
    except Py4JError as error:
        for task in tasks:
            yield failed(task, f"Spark gave up: {_reason(error)}")
    finally:
        context.stop()


def _reason(error: Exception) -> str:
    """The first line of what Spark says, which goes on for pages."""
    java = getattr(error, "java_exception", None)
    text = str(java.getMessage() if java is not None else error).strip()
    return text.splitlines()[0] if text else type(error).__name__
