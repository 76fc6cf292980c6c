"""The pages in a real browser, on a desktop and a phone, light and dark, in both languages: axe-core finds nothing, and
nothing is wider than the screen."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from sensor.console.demonstration.ledger import make_demo_ledger
from sensor.console.demonstration.viewer import BANNER
from sensor.console.desk import Desk
from sensor.ledger import Ledger
from tests.console.province import client, desk_of, paths, viewer
from tests.exporters import browser

NOW = 1_790_000_123 * 1_000_000_000
DESKTOP, PHONE = 1280, 500  # Chromium without a head takes no window narrower than 500
SHEET = re.compile(r'<link rel="stylesheet" href="(/style-\w+\.css)">')
WIDTH = """
<script>
const root = document.documentElement;
root.setAttribute("data-width", JSON.stringify([root.scrollWidth, root.clientWidth]));
</script>
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    ledger = Ledger.open_to_read(make_demo_ledger(tmp_path_factory.mktemp("demo"), NOW))
    return desk_of(ledger, NOW, banner=BANNER)


def whole(desk: Desk, path: str, language: str) -> str:
    """A page with its style in it, as the browser opens it from a file."""
    session = client(desk, viewer("lead", language=language))
    page = session.get(path).text
    found = SHEET.search(page)
    assert found is not None
    return page.replace(found[0], f"<style>{session.get(found[1]).text}</style>")


def pages(desk: Desk) -> list[str]:
    ledger = Ledger.open_to_read(str(desk.engine.url))
    found = [*paths(ledger), "/nothing", "/addresses?division=999999", "/findings?activity=probe", "/search?text=示例"]
    ledger.close()
    return found


@pytest.mark.parametrize(
    ("language", "width", "flags"),
    [("zh", DESKTOP, ()), ("en", DESKTOP, browser.DARK), ("zh", PHONE, browser.DARK), ("en", PHONE, ())],
    ids=["zh-desktop-light", "en-desktop-dark", "zh-phone-dark", "en-phone-light"],
)
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    demo: Desk, tmp_path: Path, language: str, width: int, flags: tuple[str, ...]
) -> None:
    if not browser.AXE.exists():
        pytest.skip("axe-core is not installed (make test installs it with npm)")
    axe = browser.AXE.read_text(encoding="utf-8")
    faults = {}
    for path in pages(demo):
        scripts = f"{WIDTH}<script>{axe}</script>{browser.RUN_AXE}</body>"
        tree = browser.dom(whole(demo, path, language).replace("</body>", scripts), tmp_path, *flags, width=width)
        axes, widths = (re.search(rf'data-{name}="([^"]*)"', tree) for name in ("axe", "width"))
        assert axes is not None, path
        assert widths is not None, path
        answer, (needed, there) = json.loads(html.unescape(axes[1])), json.loads(html.unescape(widths[1]))
        assert answer["passes"] > 10
        if answer["violations"] or needed > there:
            faults[path] = (answer["violations"], needed, there)
    assert not faults, faults
