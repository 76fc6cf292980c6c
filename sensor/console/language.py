"""The console's sentences: English stands in the code, Chinese in `locale`; what documents say is said by theirs."""

from __future__ import annotations

from functools import cache

from exporters.forms.documents.translations import LANGUAGES, Translate, catalogue

#: The first is what is shown unless another is asked for.
SHOWN_LANGUAGES = ("zh", "en")
assert set(SHOWN_LANGUAGES) == set(LANGUAGES)


@cache
def console_sentences(language: str) -> dict[str, str]:
    """Every sentence that a language has."""
    return {**catalogue(language), **catalogue(language, "sensor.console")}


def console_translator(language: str) -> Translate:
    """What turns a sentence of the code into one of a language."""
    known_sentences = console_sentences(language)
    return lambda sentence: known_sentences.get(sentence, sentence)
