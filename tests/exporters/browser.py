"""A page in Debian's Chromium without a head: what its tree is once everything in it has had its chance to run.

Chromium touches no network here: pages are files, what it would do by itself is switched off, and as root it runs in a
namespace without a route.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[2] / "build/axe/node_modules/axe-core/axe.min.js"
FLAGS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
    ),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--virtual-time-budget=10000"),
)
DARK = ("--blink-settings=preferredColorScheme=0", "--force-dark-mode")
#: The page's own policy would stop a test's script, too; what is left must be harmless by itself.
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
RUN_AXE = """
<script>
axe.run(document, {resultTypes: ["violations"]}).then(found => {
  const where = node => node.target.join(" ") + ": " + node.failureSummary;
  const told = found.violations.map(one => [one.id, one.impact, one.nodes.slice(0, 5).map(where)]);
  document.documentElement.setAttribute("data-axe", JSON.stringify({passes: found.passes.length, violations: told}));
});
</script>
"""


@cache
def chromium() -> str | None:
    """The browser's path."""
    return shutil.which("chromium")


@cache
def alone() -> tuple[str, ...]:
    """What stands before a command that is to have no network; nothing where that is not allowed."""
    program = shutil.which("unshare")
    if program is None or subprocess.run([program, "--net", "true"], capture_output=True, check=False).returncode:
        return ()
    return (program, "--net")


def dom(page: str, folder: Path, *flags: str, width: int = 1280) -> str:
    """The tree of a page, as text, after its scripts (if any) have run."""
    browser = chromium()
    if browser is None:
        pytest.skip("chromium is not installed (make debian-packages)")
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    where = [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},1000", "--dump-dom", path.as_uri()]
    done = subprocess.run([*alone(), browser, *FLAGS, *flags, *where], capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8", "replace")


def violations(page: str, folder: Path, *flags: str, width: int = 1280) -> list[Any]:
    """What axe-core has against a page."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (make test installs it with npm)")
    checked = POLICY.sub("", page).replace(
        "</body>", f"<script>{AXE.read_text(encoding='utf-8')}</script>{RUN_AXE}</body>"
    )
    tree = dom(checked, folder, *flags, width=width)
    found = re.search(r'data-axe="([^"]*)"', tree)
    assert found is not None, "axe-core gave no answer"
    answer = json.loads(html.unescape(found[1]))
    assert answer["passes"] > 10
    return list(answer["violations"])
