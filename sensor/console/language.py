"""The console's sentences: English stands in the code, Chinese in `locale`; what documents and the page of a replay say
is said by theirs, and what the sensor recorded is translated from the forms of its sentences."""

from __future__ import annotations

from functools import cache

from exporters.forms.documents.languages import REPORT, Language, language_of
from exporters.forms.documents.translations import LANGUAGES, Translate

#: The first is what is shown unless another is asked for.
SHOWN_LANGUAGES = ("zh", "en")
assert set(SHOWN_LANGUAGES) == set(LANGUAGES)


@cache
def console_language(language: str) -> Language:
    """A language with all that the console says."""
    return language_of(language, REPORT, "sensor.console")


def console_translator(language: str) -> Translate:
    """What turns a sentence of the code into one of a language."""
    return console_language(language).translate
