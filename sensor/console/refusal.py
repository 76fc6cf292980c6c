"""Why a visit ends without its page: a status, and a sentence for whoever asked."""

from __future__ import annotations


class RefusalError(Exception):
    """The sentence is English; the page of the error translates it, and fills in what is in braces."""

    def __init__(self, status: int, sentence: str, **figures: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.figures = status, sentence, figures
