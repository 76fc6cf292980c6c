"""Whoever keeps the audit sees each page and each file before it is sent, and can keep it from being sent."""

from __future__ import annotations

import pytest

from sensor.console.desk import Desk
from sensor.console.refusal import RefusalError
from sensor.console.web.witness import PageView
from sensor.ledger import Ledger
from tests.console.province import SUZHOU, client, paths, viewer
from tests.console.test_pages import route_of


class Notes:
    """Keeps what it sees."""

    def __init__(self) -> None:
        self.views: list[PageView] = []

    def saw(self, view: PageView) -> None:
        self.views.append(view)


class Full:
    """Cannot write."""

    def saw(self, view: PageView) -> None:
        raise RefusalError(503, "The audit cannot be written, so {route} is not shown.", route=view.route)


def test_each_page_is_seen_once_with_who_asked_what(desk: Desk, province: Ledger) -> None:
    notes = Notes()
    who = viewer("officer", SUZHOU, language="en")
    browser = client(desk, who, witness=notes)
    for path in paths(province):
        answer = browser.get(path)
        seen = [view for view in notes.views if view.route == route_of(path)]
        assert len(seen) == (1 if answer.status_code == 200 else 0) or path.startswith("/search"), path
        assert all(view.viewer == who for view in seen)
    browser.get("/addresses?address=10.0.0.0%2F8&grade=speaks")
    assert notes.views[-1].asked == {"address": "10.0.0.0/8", "grade": "speaks"}
    assert sorted(notes.views[-1].identities) == ["10.0.0.1", "10.0.1.1"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_an_export_is_seen_with_all_of_its_rows(desk: Desk, form: str) -> None:
    notes = Notes()
    client(desk, viewer("lead"), witness=notes).get(f"/addresses?format={form}")
    (view,) = notes.views
    assert (len(view.identities), view.asked["format"]) == (7, form)
    assert view.file_name is not None
    assert view.file_name.endswith(form)


def test_what_cannot_be_noted_is_not_shown(desk: Desk, province: Ledger) -> None:
    browser = client(desk, viewer("lead", language="en"), witness=Full())
    for path in [*paths(province), "/findings?format=csv"]:
        answer = browser.get(path)
        assert answer.status_code == 503
        assert "The audit cannot be written" in answer.text
        assert "10.0." not in answer.text
