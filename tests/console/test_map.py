"""The operator's map: what is wrong with a file is one sentence, it is small, and it shows no more than the bars do."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from sensor.attribution.books.divisions import Divisions
from sensor.cli.desk import plate_of_settings
from sensor.cli.frame import CommandError
from sensor.cli.main import main
from sensor.console.atlas import geojson
from sensor.console.atlas.geojson import DivisionShape, MapError, read_shapes
from sensor.console.atlas.plate import MAX_POINTS, plate_of, read_plate
from sensor.console.pages import overview
from sensor.daemon import configuration
from sensor.ledger import Ledger
from sensor.model.exit_codes import CONFIG
from tests.console.invented_map import (
    APPROVAL,
    HOSTILE_NAME,
    YEAR,
    collection,
    feature,
    plate,
    square,
    squares,
    written,
)
from tests.console.province import END, HANGZHOU, SUZHOU, XUZHOU, client, desk_of, made_ledger, viewer
from tests.ledger.mining import DAY

COUNTIES = ("320505", "320506", "320311", "330106", "330110", "110228")
REGION = re.compile(r'<g class="division"><title>(.*?)</title><g class="([\w-]+)"')


ONE = json.dumps(squares("320505"))
MISTAKES: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "no JSON at line 1"),
    "empty": ("", "no JSON"),
    "no UTF-8": (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
    "deep": ("[" * 200_000, "nested too deeply"),
    "deep in a feature": (ONE.replace("[110, 30]", "[" * 100_000 + "]" * 100_000, 1), "nested too deeply"),
    "NaN": (ONE.replace("110", "NaN", 1), "NaN"),
    "infinite": (ONE.replace("110", "-Infinity", 1), "Infinity"),
    "many digits": (ONE.replace("110", "9" * 5_000, 1), "a number that is too long"),
    "huge": (ONE.replace("110", "1e999", 1), "not on Earth"),
    "off the world": (collection(feature("320505", square(180.5, 30))), "320505 has a position that is not on Earth"),
    "two members": (ONE.replace('"type"', '"type": "x", "type"', 1), "two members of one name"),
    "a list": ([], "no FeatureCollection"),
    "no features": (collection(), "has no features"),
    "a number for a feature": (collection(7), "feature 1 is no Feature"),
    "no code": (collection(feature(None)), "feature 1 has no code"),
    "truth for a code": (collection(feature(True)), "feature 1 has no code"),
    "HTML for a code": (collection(feature(HOSTILE_NAME)), "feature 1 has no code"),
    "unknown code": (collection(feature("999999")), "999999"),
    "unknown number": (collection(feature(329999)), "329999"),
    "provinces alone": (squares("320000"), "no city and no county"),
    "no shape": (collection({**feature("320505"), "geometry": None}), "no Polygon"),
    "a point": (collection({**feature("320505"), "geometry": {"type": "Point", "coordinates": [1, 2]}}), "no Polygon"),
    "no rings": (collection(feature("320505", 7)), "fewer than 4 positions"),
    "text for coordinates": (
        collection({**feature("320505"), "geometry": {"type": "MultiPolygon", "coordinates": "no"}}),
        "no lists",
    ),
    "open ring": (collection(feature("320505", square(1, 1)[:-1])), "ring"),
    "truth for degrees": (collection(feature("320505", [[True, 1]] * 4)), "not on Earth"),
    "one degree": (collection(feature("320505", [[1]] * 4)), "no longitude and latitude"),
}


@pytest.mark.parametrize("content", MISTAKES.values(), ids=list(MISTAKES))
def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path: Path, content: tuple[Any, str]) -> None:
    with pytest.raises(MapError) as error:
        read_plate(written(tmp_path, content[0]), APPROVAL, Divisions(), YEAR)
    sentence = str(error.value)
    assert content[1] in sentence
    assert "\n" not in sentence
    assert len(sentence) < 200


def test_a_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, squares("320505", "320506"))
    for bound, value, sentence in (
        ("MAX_FEATURES", 2, "3 features; 2 are the most"),
        ("MAX_POSITIONS", 14, "more than 14 positions"),
        ("MAX_BYTES", 1, "larger than"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(geojson, bound, value)
            with pytest.raises(MapError, match=sentence):
                read_shapes(path, Divisions(), YEAR)
    assert [shape.code for shape in read_shapes(path, Divisions(), YEAR)] == ["320505", "320506", "100000"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, sentence in (
        (tmp_path, "is no file"),
        (tmp_path / "pipe", "is no file"),
        (tmp_path / "x", "no such"),
        (Path("a\0b"), "null"),
    ):
        with pytest.raises(MapError, match=sentence):
            read_shapes(path, Divisions(), YEAR)


def test_all_polygons_of_a_division_are_drawn_with_their_holes(tmp_path: Path) -> None:
    whole = [[square(110, 30, 4), square(111, 31)], [square(116, 30)]]
    shape = {"type": "MultiPolygon", "coordinates": whole}
    content = collection({**feature(320505), "geometry": shape, "bbox": [110, 30, 117, 34]})
    (drawn,) = read_plate(written(tmp_path, content), APPROVAL, Divisions(), YEAR).shapes
    assert drawn.code == "320505"
    assert drawn.path.count("M") == 3
    assert len(corners(drawn.path)) == 12


def test_a_map_is_refused_at_the_start_with_the_key_and_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, squares("999999"))
    assert main(["console", "--set", f"console.map.file={path}"]) == CONFIG
    mistake = capsys.readouterr().err
    assert "console.map.approval" in mistake
    assert "审图号" in mistake
    keys = [f"console.map.file={path}", f"console.map.approval=审图号：{APPROVAL}"]
    for content in (squares("999999"), None):
        path.unlink() if content is None else written(tmp_path, content)
        with pytest.raises(CommandError) as error:
            plate_of_settings(configuration.load(None, keys))
        assert error.value.code == CONFIG
        assert error.value.sentences[0].startswith(f"console.map.file: {path}: ")
    written(tmp_path, squares("320505"))
    found = plate_of_settings(configuration.load(None, keys))
    assert found is not None
    assert found.approval == APPROVAL
    assert plate_of_settings(configuration.load(None, [])) is None


def test_however_many_positions_few_points_are_drawn_and_neighbours_stay_side_by_side() -> None:
    dice = random.Random(7)
    border = [(110.0, 30 + at / 20_000 + dice.random() / 5_000) for at in range(20_000)]
    left = DivisionShape("320505", [[(109.0, 30.0), *border, (109.0, 31.0), (109.0, 30.0)]])
    right = DivisionShape("320506", [[(111.0, 30.0), *border, (111.0, 31.0), (111.0, 30.0)]])
    islet = DivisionShape("320507", [[(111.5, 30.5), (111.5, 30.50001), (111.50001, 30.5), (111.5, 30.5)]])
    drawn = plate_of([left, right, islet], APPROVAL).shapes
    points = [corners(shape.path) for shape in drawn]
    assert sum(map(len, points)) <= MAX_POINTS
    assert len(set(points[0]) & set(points[1])) >= min(map(len, points[:2])) - 4
    assert len(points[2]) == 4
    noise = [(dice.uniform(110, 130), dice.uniform(20, 40)) for _each in range(40_000)]
    with pytest.raises(MapError, match="simplify it"):
        plate_of([DivisionShape("320505", [[*noise, noise[0]]])], APPROVAL)


def corners(path: str) -> list[tuple[int, int]]:
    found = []
    for ring in path.rstrip("z").split("z"):
        first, _l, rest = ring.removeprefix("M").partition("l")
        x, y = map(int, first.split())
        found.append((x, y))
        numbers = iter(map(int, rest.split()))
        for dx, dy in zip(numbers, numbers, strict=True):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found


def regions(text: str) -> dict[str, tuple[str, str]]:
    """Of each division of the map its text and its look."""
    found = [(*title.split(": ", 1), look) for title, look in REGION.findall(text)]
    return {name: (figure, look) for name, figure, look in found}


def bars(text: str) -> str:
    return text.partition('class="figure map"')[2].partition("</figure>")[2]


@pytest.mark.parametrize("codes", [(), (SUZHOU,), ("320000",), ("330100",)], ids=["all", "county", "province", "city"])
def test_the_map_has_figures_of_the_viewers_bars_alone(
    province: Ledger, tmp_path: Path, codes: tuple[str, ...]
) -> None:
    desk = desk_of(province, plate=plate(tmp_path, *COUNTIES))
    text = client(desk, viewer("officer", *codes, language="en")).get("/overview").text
    bare = client(desk_of(province), viewer("officer", *codes, language="en")).get("/overview").text
    assert "<figcaption>Map" in text
    assert APPROVAL in text
    assert HOSTILE_NAME not in text
    assert "style=" not in text
    assert 'class="figure map"' not in bare
    figures = {name: its for name, its in regions(text).items() if its[1].startswith("tone-")}
    assert figures
    for name, (figure, _look) in figures.items():
        assert name in bars(text)
        best, _space, span = figure.removesuffix(")").partition(" kWh (") if "kWh" in figure else figure.partition(" (")
        assert best in bare
        assert span.rstrip(")") in bare
    assert len({look for _figure, look in figures.values()}) <= 5
    whose = 6 if not codes else {"320505": 1, "320000": 3, "330100": 2}[codes[0]]
    assert text.count('<path d="') == 7
    assert len(re.findall(r'<g class="foreign">(?:<path [^>]*>)*</g>', text)) == 1
    outside = re.search(r'<g class="foreign"><g class="foreign">(.*?)</g>', text)
    assert outside is not None
    assert outside[1].count("<path") == 6 - whose
    assert "title" not in outside[1]


def test_what_has_no_bar_has_no_figure_and_a_pattern_of_its_own(
    province: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_DIVISIONS", 1)
    desk = desk_of(province, plate=plate(tmp_path, *COUNTIES))
    found = regions(client(desk, viewer("officer", language="en")).get("/overview").text)
    looks = sorted(look for _text, look in found.values())
    assert looks == ["tone-5", *["unfigured"] * (len(found) - 1)]
    assert {text for text, look in found.values() if look == "unfigured"} == {"mining was seen, no figure in the list"}


def test_a_viewers_map_does_not_depend_on_what_others_have(province: Ledger, tmp_path: Path) -> None:
    its = plate(tmp_path, *COUNTIES)
    with made_ledger(tmp_path, 0, 1) as own:
        pages = [
            client(desk_of(ledger, plate=its), viewer("officer", SUZHOU)).get("/overview").text
            for ledger in (own, province)
        ]
    assert "审图号：" in pages[0]
    assert pages[0] == pages[1]
    nobody = client(desk_of(province, plate=its), viewer("officer", "440000")).get("/overview").text
    assert "审图号" not in nobody


def test_not_seen_and_not_watched_are_patterns_of_their_own(province: Ledger, tmp_path: Path) -> None:
    its = plate(tmp_path, "320505", "330110", "330200", HANGZHOU, XUZHOU)
    watched = client(desk_of(province, plate=its), viewer("officer", language="en")).get("/overview").text
    later = desk_of(province, END + 60 * DAY, plate=its)
    idle = client(later, viewer("officer", language="en")).get("/overview?week=2023-W50").text
    assert {look for _text, look in regions(idle).values()} == {"unwatched"}
    assert "quiet" in {look for _text, look in regions(watched).values()}
    for text, look, sentence in ((watched, "quiet", "no mining is known there"), (idle, "unwatched", "not watched")):
        assert f'<g class="{look}" fill="url(#map-{look})">' in text
        assert f'<pattern id="map-{look}"' in text
        legend = re.search(r'<ul class="legend">(.*?)</ul>', text)
        assert legend is not None
        assert sentence in legend[1]
    assert "unwatched" not in watched.partition("</defs>")[2].partition("</figure>")[0].replace("map-unwatched", "")
