"""The console in a real browser over HTTP, in a namespace whose only network is its own host: every page comes whole,
in its own style, under its own policy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.test_command import ROOT, free_port
from tests.exporters import browser

#: Runs the demonstration and opens pages of it, each by a browser of its own; prints their trees.
RUN = """
ip link set lo up
test -z "$(ip route show table all | grep -v 'dev lo')" || exit 3
python="$1" port="$2" folder="$3"; shift 3
"$python" -m sensor.cli console --demo --listen "127.0.0.1:$port" >"$folder/log" 2>&1 &
console=$!
trap 'kill $console' EXIT
for _try in $(seq 200); do
    grep -q Ctrl-C "$folder/log" && break
    sleep 0.1
done
for path in /overview '/findings?columns=miner,pool' '/nodes?lang=en'; do
    echo "== $path"
    "$@" --user-data-dir="$folder/profile" --dump-dom "http://127.0.0.1:$port$path"
done
"""


def test_pages_come_whole_where_there_is_no_route(tmp_path: Path) -> None:
    chromium = browser.chromium()
    if chromium is None:
        pytest.skip("chromium is not installed (make debian-packages)")
    if not browser.alone():
        pytest.skip("a namespace without a route needs root")
    words = [*browser.alone(), "sh", "-c", RUN, "run", sys.executable, str(free_port()), str(tmp_path), chromium]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*words, *browser.FLAGS], cwd=ROOT, env=environment, capture_output=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2_000:]
    _nothing, *pages = re.split(r"^== .*$", done.stdout.decode("utf-8", "replace"), flags=re.MULTILINE)
    for page, expected in zip(pages, ("苏州示例铸造有限公司", "198.51.100.16", "/Satoshi:27.0.0/"), strict=True):
        assert expected in page
        assert page.rstrip().endswith("</html>")
