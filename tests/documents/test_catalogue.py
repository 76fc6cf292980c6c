"""The Chinese catalogue has every sentence that documents say, none besides, and each with its figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from exporters.forms.documents.labels import CATEGORIES, CLASSES, REASONS, STATES, VERDICTS
from exporters.forms.documents.translations import LANGUAGES, catalogue, translator
from sensor.attribution.formats.codes import CATEGORIES as BOOKS
from sensor.cases.site_class import KINDS
from sensor.cases.states import STATES as CASES
from tests.documents.catalogue import FOLDER, sentences

OTHERS = tuple(language for language in LANGUAGES if language != "en")
FIGURES = re.compile(r"{\w+}")


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_missing_and_none_is_left_over(language: str) -> None:
    said, known = sentences(), catalogue(language)
    assert not {sentence: place for sentence, place in said.items() if sentence not in known}
    assert not set(known) - set(said)


@pytest.mark.parametrize("language", OTHERS)
def test_every_translation_has_the_figures_of_its_sentence(language: str) -> None:
    for sentence, translation in catalogue(language).items():
        assert sorted(FIGURES.findall(sentence)) == sorted(FIGURES.findall(translation)), sentence
        if language == "zh" and not FIGURES.sub("", sentence).strip().isupper():
            assert re.search(r"[\u4e00-\u9fff，。；：]|^{", translation), sentence


@pytest.mark.parametrize("path", sorted(Path(FOLDER / "locale").glob("*.po")), ids=lambda path: path.name)
def test_catalogues_are_whole(path: Path) -> None:
    with path.open("rb") as file:
        for message in read_po(file):
            assert message.string
            assert not message.fuzzy or not message.id


def test_english_is_what_the_code_says() -> None:
    assert translator("en")("Enterprises") == "Enterprises"
    assert translator("zh")("Enterprises") != "Enterprises"


def test_every_code_has_words() -> None:
    assert set(STATES) == set(CASES)
    assert set(CLASSES) == {*KINDS, "unclear"}
    assert {value for value in BOOKS.values() if value} <= set(CATEGORIES)
    assert len(VERDICTS) == 3
    assert all(REASONS.values())
