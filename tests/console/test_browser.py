"""The pages in a real browser, on a desktop and a phone, light and dark, in both languages: axe-core finds nothing, and
nothing is wider than the screen."""

from __future__ import annotations

import functools
import html
import json
import os
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sensor.audit.store import AuditReader, audit_place
from sensor.console.bulletins.making import BulletinMaker
from sensor.console.bulletins.press import BulletinPress
from sensor.console.demonstration.ledger import make_demo_ledger
from sensor.console.demonstration.viewer import BANNER
from sensor.console.desk import Desk
from sensor.console.people.accounts import people_router
from sensor.console.people.audit import audit_router
from sensor.console.people.bulletins import bulletins_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE, DoorSignIn
from sensor.console.people.names import names_router
from sensor.console.people.tokens import tokens_router
from sensor.console.people.views import views_router
from sensor.console.web.app import make_app
from sensor.ledger import Ledger
from sensor.people.accounts import AccountPatch
from sensor.people.views import PersonalViews
from tests.console.invented_map import plate
from tests.console.province import client, desk_of, paths, viewer
from tests.console.test_entrance import Browser
from tests.console.test_persons import persons_pages
from tests.exporters import browser
from tests.people.desk import MACHINE, add, cookie_of, opened

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
    folder = tmp_path_factory.mktemp("map")
    return desk_of(ledger, NOW, banner=BANNER, plate=plate(folder, "320100", "320500", "320300", "320400", "330100"))


def whole(session: TestClient, path: str, page: str | None = None) -> str:
    """A page, or what a form was answered with, with its style in it, as the browser opens it from a file."""
    page = session.get(path).text if page is None else page
    found = SHEET.search(page)
    assert found is not None, path
    return page.replace(found[0], f"<style>{session.get(found[1]).text}</style>")


def pages(desk: Desk) -> list[str]:
    ledger = Ledger.open_to_read(str(desk.engine.url))
    found = [*paths(ledger), "/nothing", "/addresses?division=999999", "/findings?activity=probe", "/search?text=示例"]
    ledger.close()
    return found


#: Two that have nothing in common; `make desk-attack` looks at the others, too.
SOME = {"zh-phone-dark": ("zh", PHONE, browser.DARK), "en-desktop-light": ("en", DESKTOP, ())}
OTHERS = {"zh-desktop-light": ("zh", DESKTOP, ()), "en-phone-dark": ("en", PHONE, browser.DARK)}
LOOKED_AT = SOME | (OTHERS if os.environ.get("DESK_SCREENS") == "all" else {})
SCREENS = pytest.mark.parametrize(("language", "width", "flags"), list(LOOKED_AT.values()), ids=list(LOOKED_AT))


def faults_of(
    session: TestClient, path: str, folder: Path, width: int, flags: tuple[str, ...], page: str | None = None
) -> list[object]:
    """What axe-core has against a page, and how much wider than the screen it is."""
    if not browser.AXE.exists():
        pytest.skip("axe-core is not installed (make test installs it with npm)")
    scripts = f"{WIDTH}<script>{browser.AXE.read_text(encoding='utf-8')}</script>{browser.RUN_AXE}</body>"
    tree = browser.dom(whole(session, path, page).replace("</body>", scripts), folder, *flags, width=width)
    axes, widths = (re.search(rf'data-{name}="([^"]*)"', tree) for name in ("axe", "width"))
    assert axes is not None, path
    assert widths is not None, path
    answer, (needed, there) = json.loads(html.unescape(axes[1])), json.loads(html.unescape(widths[1]))
    assert answer["passes"] > 10
    return [path, answer["violations"], needed, there] if answer["violations"] or needed > there else []


@SCREENS
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    demo: Desk, tmp_path: Path, language: str, width: int, flags: tuple[str, ...]
) -> None:
    session = client(demo, viewer("lead", language=language))
    faults = [found for path in pages(demo) if (found := faults_of(session, path, tmp_path, width, flags))]
    assert not faults, faults


@SCREENS
def test_nor_on_the_pages_of_people(
    demo: Desk, tmp_path: Path, language: str, width: int, flags: tuple[str, ...]
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    shown = (
        ("root", ("/people", "/people/li", "/account")),
        ("zhao", ("/audit", "/audit?check=all")),
        ("li", ("/account/tokens",)),
    )
    faults = []
    with opened(url) as door:
        for login, role in (("root", "admin"), ("li", "officer"), ("zhao", "auditor")):
            add(door, login, role)
            patch = AccountPatch(language="zh" if language == "zh" else "en")
            door.accounts.change(MACHINE, login, patch, NOW)
        sign_in = DoorSignIn(door, secure=False, has_provider=True, clock=lambda: NOW)
        reader = functools.partial(AuditReader, audit_place(url))
        routers = (
            entrance_router(demo, sign_in), people_router(demo, sign_in), audit_router(demo, reader),
            tokens_router(demo, sign_in),
        )  # fmt: skip
        app = make_app(demo, sign_in, hosts=("testserver",), routers=routers)
        session = TestClient(app, follow_redirects=False)
        faults.append(faults_of(session, f"/sign-in?lang={language}", tmp_path, width, flags))
        for login, paths_of_role in shown:
            session = TestClient(app, follow_redirects=False)
            session.cookies.set(COOKIE, cookie_of(door, login, NOW))
            faults += [faults_of(session, path, tmp_path, width, flags) for path in paths_of_role]
    assert not any(faults), faults


@SCREENS
def test_nor_on_what_the_desk_does_for_one_of_its_people(
    province: Ledger, desk: Desk, tmp_path: Path, language: str, width: int, flags: tuple[str, ...]
) -> None:
    """Views and their forms, bulletins while they are made and ready, a person's name and its refusal."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    with opened(url) as door:
        add(door, "li", "lead", "320000")
        patch = AccountPatch(language="zh" if language == "zh" else "en")
        door.accounts.change(MACHINE, "li", patch, NOW)
        sign_in = DoorSignIn(door, secure=False, clock=lambda: NOW)
        personal = PersonalViews(door.store, door.trail)
        press = BulletinPress(BulletinMaker(desk).files, desk.clock)
        routers = (
            entrance_router(desk, sign_in), views_router(sign_in, personal), names_router(desk, sign_in),
            bulletins_router(desk, sign_in, press),
        )  # fmt: skip
        app = make_app(desk, sign_in, hosts=("testserver",), routers=routers, personal=personal)
        session = Browser(app, base_url="http://testserver", follow_redirects=False)
        session.cookies.set(COOKIE, cookie_of(door, "li", NOW))
        *_, person = persons_pages(province)
        token = session.token
        answers = {
            "view": session.send_form("/views", token=token, name="mine 我的", route="cases", query="state=new"),
            "bulletin": session.send_form("/bulletins", token=token, week="2023-W47", language="zh"),
            "name": session.send_form(f"{person}/person", token=token, reason="送达责令改正通知书，案件7"),
            "refused": session.send_form(f"{person}/person", token=token, reason="x"),
        }
        assert [answer.status_code for answer in answers.values()] == [303, 303, 200, 400]
        its_page = answers["bulletin"].headers["location"]
        paths_of_it = ["/overview", "/cases?state=new", "/account", "/bulletins", its_page, person]
        faults = [faults_of(session, path, tmp_path, width, flags) for path in paths_of_it]
        for name in ("name", "refused"):
            faults.append(faults_of(session, name, tmp_path, width, flags, answers[name].text))
        press.stop()
    assert not any(faults), faults
