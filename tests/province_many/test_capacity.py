"""The table of capacity is what the figures beside it come to."""

from __future__ import annotations

from tests.province_many.capacity import PAGE, SENSORS, CapacityRow, page_with_table, size_text


def test_the_page_has_the_table_as_it_is_reckoned() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page_with_table(text) == text


def test_every_row_has_more_of_everything_than_the_one_before() -> None:
    rows = [CapacityRow(sensors) for sensors in SENSORS]
    for name in ("addresses", "findings", "reports", "topic_bytes", "database_bytes"):
        values = [getattr(row, name) for row in rows]
        assert values == sorted(values)


def test_sizes_are_told_to_two_digits_and_never_less() -> None:
    assert [size_text(count) for count in (999, 1.2e6, 1.01e9, 123e9, 1e12)] == [
        *("1 KB", "2 MB", "2 GB", "130 GB", "1 TB")
    ]
