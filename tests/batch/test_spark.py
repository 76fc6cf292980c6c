"""What is said where Spark is not there; and where it is, that it tells what one sitting tells.

A cluster whose executor is killed is `make spark`'s (tests/batch/spark_cluster.py).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.batch.captures import archive
from tests.cli.conftest import ROOT

#: This host with two threads as a cluster; and the path, with Spark where the tests have it.
LOCAL = {"PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false pyspark-shell"}
PATHS = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
HAS_SPARK = importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None


def command(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, **environment}
    line = [sys.executable, "-m", "sensor.cli", "replay", *words]
    return subprocess.run(line, capture_output=True, text=True, cwd=folder, env=variables, timeout=300, check=False)


def test_without_pyspark_it_is_said_what_to_install_and_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyspark.py").write_text("raise ImportError('not here')")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    done = command(tmp_path, "--engine", "spark", "a.pcap", "--eve", "eve.json", PYTHONPATH=path)
    sentence = "minewatch: --engine spark: pyspark is not installed: pip install 'minewatch[spark]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)
    assert not (tmp_path / "eve.json").exists()


@pytest.mark.parametrize(
    ("home", "sentence"),
    [
        ("", "there is no java on the PATH, and JAVA_HOME is not set"),
        ("/none", "JAVA_HOME=/none has no bin/java"),
    ],
)
def test_without_java_it_is_said_what_is_needed(tmp_path: Path, home: str, sentence: str) -> None:
    (tmp_path / "pyspark.py").write_text("")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    done = command(tmp_path, "--engine", "spark", "a.pcap", PYTHONPATH=path, PATH=str(tmp_path), JAVA_HOME=home)
    assert done.returncode == 1
    assert done.stderr == f"minewatch: --engine spark: Spark needs Java 17 or newer: {sentence}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--ledger", "sqlite:///x.db", "a.pcap"), "--engine spark: not with --ledger"),
        (("-",), "--engine spark: standard input is no file"),
        (("-j", "2", "a.pcap"), "--engine spark: not with -j"),
    ],
)
def test_what_a_cluster_cannot_do_is_refused(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    done = command(tmp_path, "--engine", "spark", *words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"minewatch: {sentence}")


@pytest.mark.skipif(not HAS_SPARK, reason="pyspark or Java is not installed")
def test_spark_tells_what_one_sitting_tells_and_what_it_could_not_read(tmp_path: Path) -> None:
    archive(tmp_path / "archive", 10)
    (tmp_path / "archive" / "letter.pcap").write_text("Dear all,\n")
    whole = command(tmp_path, "archive", "--eve", "-")
    done = command(tmp_path, "archive", "--eve", "-", "--engine", "spark", PYTHONPATH=PATHS, **LOCAL)
    assert (done.returncode, done.stdout) == (whole.returncode, whole.stdout) == (1, whole.stdout)
    assert whole.stderr in done.stderr


#: Reads two captures by a plan whose workers die of one of them, and prints what is said of each.
DEADLY = """
import dataclasses, sys
from pathlib import Path
from sensor.batch.groups import tasks_of
from sensor.batch.spark import read_by_spark
from sensor.batch.task import ReadingPlan, signatures_key
from sensor.intake.engine import load
from tests.batch.test_partitioned import KillingPlan

plan = KillingPlan(str(Path.cwd()), load().name, {"workers": 1}, signatures_key((), ()))
for result in read_by_spark(plan, tasks_of(sys.argv[1:], [None, None], "file")):
    print(len(result.records), *result.problems, flush=True)
"""


@pytest.mark.skipif(not HAS_SPARK, reason="pyspark or Java is not installed")
def test_a_run_that_spark_gives_up_names_every_capture(tmp_path: Path) -> None:
    paths = archive(tmp_path, 2)
    deadly = paths[1].rename(paths[1].with_stem("deadly"))
    line = [sys.executable, "-c", DEADLY, str(paths[0]), str(deadly)]
    variables = {**os.environ, **LOCAL, "PYTHONPATH": PATHS, "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, env=variables, timeout=300, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith(f"0 {paths[0]}: Spark gave up: ")
    assert second.startswith(f"0 {deadly}: Spark gave up: ")


@pytest.mark.skipif(not HAS_SPARK, reason="pyspark or Java is not installed")
def test_a_cluster_that_is_none_is_said(tmp_path: Path) -> None:
    archive(tmp_path, 1)
    master = {"PYSPARK_SUBMIT_ARGS": "--master nonsense --conf spark.ui.enabled=false pyspark-shell"}
    done = command(tmp_path, "site-0000", "--engine", "spark", PYTHONPATH=PATHS, **master)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("minewatch: --engine spark: Spark cannot be started: ")
    assert "Traceback" not in done.stderr
