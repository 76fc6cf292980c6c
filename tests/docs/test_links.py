"""Links between documents lead somewhere. Links to other hosts are not fetched."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.markdown import ROOT, anchors, documents, links, name_of


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_link_inside_the_tree_leads_to_a_file_and_to_a_heading_of_it(document: Path) -> None:
    broken = []
    for link in links(document):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (document.parent / unquote(parts.path)).resolve() if parts.path else document
        if not target.exists() or not target.is_relative_to(ROOT):
            broken.append(f"{link}: no such file")
        elif parts.fragment and parts.fragment not in anchors(target):
            broken.append(f"{link}: no such heading")
    assert not broken


def test_every_page_is_reached_from_the_first() -> None:
    reached = {ROOT / "README.md"}
    waiting = list(reached)
    while waiting:
        document = waiting.pop()
        for link in links(document):
            target = (document.parent / urlsplit(link).path).resolve()
            if target.suffix == ".md" and target not in reached and not urlsplit(link).scheme:
                reached.add(target)
                waiting.append(target)
    assert {name_of(path) for path in documents()} == {name_of(path) for path in reached}
