"""The console's catalogue has every sentence that it says, none besides, and each with its figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from exporters.forms.documents.translations import catalogue
from sensor.console.language import SHOWN_LANGUAGES
from sensor.console.web.render import LANGUAGE_NAMES
from tests.documents.catalogue import KEYWORDS, METHODS

FOLDER = Path(__file__).parents[2] / "sensor" / "console"
FIGURES = re.compile(r"{\w+}")
OTHERS = tuple(language for language in SHOWN_LANGUAGES if language != "en")


def sentences() -> set[str]:
    options = {"**.py": {"encoding": "utf-8"}}
    return {str(found[2]) for found in extract_from_dir(str(FOLDER), METHODS, keywords=KEYWORDS, options_map=options)}


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_missing_and_none_is_left_over(language: str) -> None:
    own, documents = catalogue(language, "sensor.console"), catalogue(language)
    assert sentences() - set(documents) == set(own)


@pytest.mark.parametrize("language", OTHERS)
def test_every_translation_has_the_figures_of_its_sentence(language: str) -> None:
    for sentence, translation in catalogue(language, "sensor.console").items():
        assert sorted(FIGURES.findall(sentence)) == sorted(FIGURES.findall(translation)), sentence
        assert re.search(r"[\u4e00-\u9fff]", translation), sentence


def test_the_catalogue_is_whole() -> None:
    for path in (FOLDER / "locale").glob("*.po"):
        with path.open("rb") as file:
            assert all(message.string and (not message.fuzzy or not message.id) for message in read_po(file))


def test_languages_have_names_and_chinese_comes_first() -> None:
    assert SHOWN_LANGUAGES[0] == "zh"
    assert set(LANGUAGE_NAMES) == set(SHOWN_LANGUAGES)
