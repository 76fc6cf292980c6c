"""The language of a page: its own sentences, those that the sensor recorded, and counts with their nouns. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from exporters.forms.documents.labels import GRADES
from exporters.forms.documents.recorded_sentences import recorded
from exporters.forms.documents.translations import HTML_LANGUAGES, Translate, catalogue
from sensor.model.evidence import Grade

#: Package whose catalogue has the sentences of the page and of findings' cells, beside those of documents.
PAGE = "exporters.forms.report"


@dataclass(frozen=True)
class ReportLanguage:
    """One language."""

    name: str  # "en", "zh"
    translate: Translate  # sentences of the code
    recorded: Translate  # sentences of the sensor

    @property
    def html(self) -> str:
        """Its name in HTML."""
        return HTML_LANGUAGES[self.name]

    def number(self, count: int, singular: str, plural: str) -> str:
        """The form for one or for any other number, with the number as `{count}` in it."""
        return self.translate(singular if count == 1 else plural).format(count=f"{count:,}")

    def grade(self, grade: Grade) -> str:
        """The name of a grade; in English its label, as events have it."""
        return grade.label if self.name == "en" else self.translate(GRADES[grade.label][0])


@cache
def report_language(name: str) -> ReportLanguage:
    """The language of that name. Raises KeyError for one that is none."""
    assert name in HTML_LANGUAGES
    sentences = {**catalogue(name), **catalogue(name, PAGE)}
    return ReportLanguage(name, lambda sentence: sentences.get(sentence, sentence), recorded(name))


ENGLISH = report_language("en")
