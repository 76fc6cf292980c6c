"""The first figures of accounts are made when the console starts, so that nobody waits for them."""

from __future__ import annotations

import pytest

from sensor.console.web.preparation import prepare
from sensor.console.week_cache import FiguresCache
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.store.errors import LedgerError
from tests.console.province import client, desk_of, viewer


def test_an_overview_that_was_prepared_is_shown_without_making_its_figures(
    province: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(province, cache=FiguresCache())  # type: ignore[arg-type]
    nowhere = viewer("officer", "999999")  # an account of a division that does not exist stops nothing
    prepare(desk, [nowhere, viewer("officer", "320505"), viewer("lead")]).join(30)

    def unprepared(*_given: object) -> None:
        raise AssertionError("its figures were made again")

    monkeypatch.setattr(DeskReader, "summary", unprepared)
    monkeypatch.setattr(DeskReader, "periods", unprepared)
    for who in (viewer("reader", "320505"), viewer("lead", language="en")):
        assert client(desk, who).get("/overview").status_code == 200


def test_a_ledger_that_cannot_be_read_is_said_and_ends_it(
    province: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreadable(*_given: object) -> None:
        raise LedgerError("ledger: not now")

    monkeypatch.setattr(DeskReader, "newest_ns", unreadable)
    prepare(desk_of(province), [viewer("lead")]).join(30)  # type: ignore[arg-type]
    assert "ledger: not now" in capsys.readouterr().err
