"""English sentences that are left in what is to be Chinese."""

from __future__ import annotations

import html
import re

#: Three words of English one after another make a sentence; names of messages, machines and pools are shorter.
ENGLISH = re.compile(r"(?<![\w.-])[A-Za-z][a-z']+(?: [a-z][a-z']+){2,}(?![\w.-])")
#: Names that are longer: of a registrant in a book, of a program in `signatures`.
NAMES = ("Example broadband carrier", "cgminer or an ASIC firmware derived from it")


def english(text: str) -> list[str]:
    """The English sentences of a text."""
    for name in NAMES:
        text = text.replace(name, "")
    return list(ENGLISH.findall(text))


def page_text(page: str) -> str:
    """What a page shows, without what was said on the wire."""
    for part in (
        r"<style>.*?</style>",
        r"<code.*?</code>",
        r'<dd class="code">.*?</dd>',
        r'<bdi class="[^"]*">.*?</bdi>',
    ):
        page = re.sub(part, " \n", page, flags=re.DOTALL)
    labels = "\n".join(re.findall(r'(?:aria-label|data-label|title)="([^"]*)"', page))
    return html.unescape(re.sub(r"<[^>]*>", "\n", page) + labels)
