"""Sentences that the sensor recorded, in another language: reasons of findings, of kinds of sites and of closed cases,
and why an address is whose.

Events and ledger hold the English sentence, which is the exact writing of a form (`N_` in the code) and its fields.
Both are found in it again here, the form is looked up in the catalogue, and the fields go into its translation. So
what was recorded by an older release is translated too, and what redaction took out of the sentence is not in its
translation either. A sentence of no form stays as it is.

Fields are data and stay as they are, but for those of a name in `SENTENCES`, whose text is a sentence or a code of its
own, and of one in `DETAILS`, a list of names with values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from exporters.forms.documents.labels import CATEGORIES, GRADES, SERVICES
from exporters.forms.documents.translations import catalogue

#: Package whose catalogue has the forms.
RECORDED = "sensor"
#: Fields that are sentences or codes, and fields that are lists such as `host pool.example, ports 3333`.
SENTENCES = frozenset({"reason", "grade", "least_grade", "category", "service", "answer", "row", "before", "role"})
DETAILS = frozenset({"detail", "scope"})
#: Fields that are whole numbers, by which forms are told apart that have the same texts between their fields.
NUMBERS = frozenset({"count", "number", "of", "days", "case", "most", "sources", "pools", "accepted"})
#: Sentences are no longer than this; what is longer was not recorded by a sensor and stays as it is.
MOST_CHARACTERS = 4_096
#: Digits of such a number.
MOST_DIGITS = 20
_FIELD = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class SentenceForm:
    """A form: the texts between its fields, the names of the fields, and its translation."""

    texts: tuple[str, ...]  # one more than names
    names: tuple[str, ...]
    translation: str

    def fields(self, sentence: str) -> dict[str, str] | None:
        """The fields of a sentence of this form; None for one of another. In time that grows with the sentence."""
        first, *between, last = self.texts
        end = len(sentence) - len(last)
        if not sentence.startswith(first) or not sentence.endswith(last):
            return None
        fields: dict[str, str] = {}
        start = len(first)
        for place, text in enumerate(between):
            at = sentence.find(text, start + 1, end)
            while at >= 0 and not self._goes_on(place + 1, sentence, at + len(text), end):
                at = sentence.find(text, at + 1, end)
            if at < 0:
                return None
            fields[self.names[place]] = sentence[start:at]
            start = at + len(text)
        fields[self.names[-1]] = sentence[start:end]
        return fields if start < end and all(map(_fits, fields.items())) else None

    def _goes_on(self, place: int, sentence: str, start: int, end: int) -> bool:
        """Whether the field of that place may begin there: a number has only digits before the next text."""
        if self.names[place] not in NUMBERS:
            return True
        stop = sentence.find(self.texts[place + 1], start, end) if place + 1 < len(self.names) else end
        return start < stop <= start + MOST_DIGITS and sentence[start:stop].isdecimal()


def _fits(field: tuple[str, str]) -> bool:
    name, text = field
    return name not in NUMBERS or text.isdecimal()


class RecordedSentences:
    """All forms of one language."""

    def __init__(self, translations: Mapping[str, str], codes: Mapping[str, str]) -> None:
        self._codes = codes
        self._whole = {form: text for form, text in translations.items() if not _FIELD.search(form)}
        forms = [_form(form, text) for form, text in translations.items() if _FIELD.search(form)]
        # A form around a sentence comes before those of the sentence, and the one that says most itself before others.
        self._forms = sorted(forms, key=lambda form: ("reason" not in form.names, -sum(map(len, form.texts))))

    def __call__(self, sentence: str) -> str:
        """The sentence in the language, or as it is where it is of no form."""
        if not sentence or len(sentence) > MOST_CHARACTERS:
            return sentence
        whole = self._whole.get(sentence)
        if whole is not None:
            return whole
        for form in self._forms:
            fields = form.fields(sentence)
            if fields is not None:
                return form.translation.format(**{name: self._field(name, text) for name, text in fields.items()})
        return sentence

    def _field(self, name: str, text: str) -> str:
        if name in SENTENCES:
            return self._codes.get(text) or self(text)
        return self.details(text) if name in DETAILS else text

    def details(self, text: str) -> str:
        """A list such as `host pool.example, ports 3333`, its names translated."""
        return ", ".join(map(self._detail, text.split(", ")))

    def _detail(self, part: str) -> str:
        """One name with its value, of which the name is translated."""
        name, blank, value = part.partition(" ")
        return f"{self._whole.get(name, name)}{blank}{value}"


def _form(form: str, translation: str) -> SentenceForm:
    parts = _FIELD.split(form)
    return SentenceForm(tuple(parts[::2]), tuple(parts[1::2]), translation)


@cache
def recorded(language: str) -> RecordedSentences:
    """What turns a recorded sentence into one of a language ("en", "zh"); English ones stay as they are."""
    translations = catalogue(language, RECORDED)
    if not translations:
        return RecordedSentences({}, {})
    labels = {**CATEGORIES, **SERVICES, **{code: label for code, (label, _) in GRADES.items()}}
    own = catalogue(language)
    return RecordedSentences(translations, {code: own[label] for code, label in labels.items()})
