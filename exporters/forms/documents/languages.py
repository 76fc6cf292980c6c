"""A language as documents, pages and commands ask for it: their own sentences, those that the sensor recorded, counts
with their nouns, names of grades. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from exporters.forms.documents.labels import GRADES
from exporters.forms.documents.recorded_sentences import RecordedSentences, recorded
from exporters.forms.documents.translations import HTML_LANGUAGES, Translate, catalogue
from sensor.model.evidence import Grade

#: Package whose catalogue has the sentences of the page of a replay and of findings' cells.
REPORT = "exporters.forms.report"


@dataclass(frozen=True)
class Language:
    """One language."""

    name: str  # "en", "zh"
    translate: Translate  # sentences of the code
    recorded: RecordedSentences  # what turns sentences of the sensor into its own

    @property
    def html(self) -> str:
        """Its name in HTML."""
        return HTML_LANGUAGES[self.name]

    def number(self, count: int, singular: str, plural: str) -> str:
        """The form for one or for any other number, with the number as `{count}` in it."""
        return self.translate(singular if count == 1 else plural).format(count=f"{count:,}")

    def label(self, code: str, labels: dict[str, str]) -> str:
        """A code in words; in English the code itself, as events and options have it."""
        return code if self.name == "en" else self.translate(labels.get(code, code))

    def details(self, text: str) -> str:
        """A list such as `host pool.example, ports 3333`, its names translated."""
        return self.recorded.details(text)

    def grade(self, grade: Grade) -> str:
        """The name of a grade; in English its label."""
        return grade.label if self.name == "en" else self.translate(GRADES[grade.label][0])


@cache
def language_of(name: str, *packages: str) -> Language:
    """The language of a name ("en", "zh"), with the catalogues of these packages beside that of documents; the later
    goes before the earlier."""
    assert name in HTML_LANGUAGES
    sentences = dict(catalogue(name))
    for package in packages:
        sentences |= catalogue(name, package)
    return Language(name, lambda sentence: sentences.get(sentence, sentence), recorded(name))


ENGLISH = language_of("en")
