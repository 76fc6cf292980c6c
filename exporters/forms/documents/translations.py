"""Translations: the code has English, the catalogues in `locale` (gettext's form) have other languages.

A sentence that a catalogue lacks stands in English; a test fails for it. Knows sentences and nothing of what they
are about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources

Translate = Callable[[str], str]
#: Our names of the languages, and those of HTML.
HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans-CN"}
#: Those of Babel, which writes dates.
BABEL_LOCALES = {"en": "en_GB", "zh": "zh_Hans_CN"}
LANGUAGES = tuple(HTML_LANGUAGES)


def translator(language: str) -> Translate:
    """What turns a sentence of the code into one of a language ("en", "zh")."""
    translations = catalogue(language)
    return lambda sentence: translations.get(sentence, sentence)


@cache
def catalogue(language: str, package: str = "exporters.forms.documents") -> dict[str, str]:
    """Every sentence that a language has in a package's `locale`; English needs none."""
    if language == "en":
        return {}
    from babel.messages.pofile import read_po  # of another language than English alone

    with resources.files(package).joinpath("locale", f"{language}.po").open("rb") as file:
        return {
            str(message.id): str(message.string)
            for message in read_po(file, locale=language)
            if message.id and message.string
        }
