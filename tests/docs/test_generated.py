"""A generated part of a page is put between its two marks, and nothing else of the page changes."""

from __future__ import annotations

import pytest

from tests.docs.markdown import filled

MARKS = ("<!-- begin -->", "<!-- end -->")


def test_what_is_around_the_marks_stays_and_a_second_time_changes_nothing() -> None:
    page = "before\n<!-- begin -->\n\nold\n\n<!-- end -->\nafter\n"
    new = filled(page, MARKS, "new\n")
    assert new == "before\n<!-- begin -->\n\nnew\n\n<!-- end -->\nafter\n"
    assert filled(new, MARKS, "new") == new


@pytest.mark.parametrize("page", ["", "<!-- begin -->\nold", "old\n<!-- end -->", "<!-- end -->\n<!-- begin -->"])
def test_a_page_without_both_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="no lines"):
        filled(page, MARKS, "new")
