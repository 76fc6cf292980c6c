"""bulletin.region must be a division that is, or was, in GB/T 2260: said with file and line, by whatever reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.daemon import configuration
from sensor.daemon.setup import ConfigurationSource, SetupError, load_setup
from sensor.settings.document import ConfigError


def written(folder: Path, region: str, more: str = "") -> Path:
    path = folder / "c.yaml"
    path.write_text(f"workers: 1\nbulletin:\n  region: {region}\n{more}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ("329900", "there is no division 329900 (GB/T 2260); 320000 is 江苏省"),
        ("99", "there is no division 99 (GB/T 2260)"),
        ("'3299'", "there is no division 3299 (GB/T 2260); 320000 is 江苏省"),
        ("江苏省", "'江苏省' must be the code of a division: 2, 4 or 6 digits (GB/T 2260)"),
        ("32050", "'32050' must be the code of a division: 2, 4 or 6 digits (GB/T 2260)"),
    ],
)
def test_what_is_no_division_is_named_with_file_and_line_by_check_start_and_reload(
    region: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, region)
    expected = f"{path}:3: bulletin.region: {reason}"
    for command in ("check", "run", "bulletin"):
        assert main([command, "-c", str(path)]) == 78
        assert capsys.readouterr().err == f"minewatch: {expected}\n"
    with pytest.raises(SetupError) as refused:  # what a reload loads
        load_setup(ConfigurationSource(path))
    assert refused.value.problems == [expected]
    assert refused.value.parts == {"config"}


def test_a_code_is_the_same_as_a_number_and_as_text(tmp_path: Path) -> None:
    for region in ("32", "'32'", "3205", "320505"):
        assert configuration.load(written(tmp_path, region)).bulletin.region == region.strip("'")


def test_an_abolished_one_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--configuration-only", "-c", str(written(tmp_path, "320584"))]) == 0
    assert "320584 江苏省苏州市吴江市 was abolished in 2012; 320509" in capsys.readouterr().out


def test_one_of_the_own_table_is_one_and_a_table_that_is_away_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "329900", "attribution:\n  divisions: own.csv\n")
    with pytest.raises(ConfigError) as refused:
        configuration.load(path)
    assert refused.value.problems == [f"{path}:5: attribution.divisions: {tmp_path}/own.csv: no such file or directory"]
    (tmp_path / "own.csv").write_text("329900,开发区\n", encoding="utf-8")
    assert configuration.load(path).bulletin.region == "329900"


def test_the_region_of_a_command_is_said_as_that_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bulletin", "--region", "329900", "-c", str(written(tmp_path, "32"))]) == 2
    assert "bulletin: there is no division 329900" in capsys.readouterr().err
