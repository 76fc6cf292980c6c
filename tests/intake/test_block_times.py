"""Times of blocks are read as they stand in a file; what cannot be used has file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sensor.intake.block_times import BlockFileError, read_block_times

SECOND = 1_000_000_000


@pytest.mark.parametrize("packed", [False, True])
def test_the_first_column_is_read_in_order(packed: bool, tmp_path: Path) -> None:
    text = b"# blocks\n1700000120,2\n\n1700000000.5,1,2023-11-14\n"
    path = tmp_path / "blocks"
    path.write_bytes(gzip.compress(text) if packed else text)
    assert read_block_times(str(path)) == [1_700_000_000 * SECOND + SECOND // 2, 1_700_000_120 * SECOND]


@pytest.mark.parametrize("line", ["yesterday", "nan", "-1", "1e300", "inf", "2026-01-01"])
def test_a_line_without_a_time_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "blocks.csv"
    path.write_text(f"1700000000\n{line}\n")
    with pytest.raises(BlockFileError, match=r"blocks.csv:2: not a time in seconds since 1970"):
        read_block_times(str(path))


def test_a_file_without_blocks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blocks.csv"
    path.write_text("# nothing\n")
    with pytest.raises(BlockFileError, match="no block in it"):
        read_block_times(str(path))


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(BlockFileError, match="no such file"):
        read_block_times(str(tmp_path / "none"))
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(b"1700000000\n" * 1_000)[:30])
    with pytest.raises(BlockFileError, match=r"cut\.gz: "):
        read_block_times(str(cut))
