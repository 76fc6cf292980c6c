"""How `make docs` builds the site: every Markdown document of the tree, as it is. A broken link is an error.

The source is the tree itself, so that the documents' links to each other hold on the site as they do in a repository's
viewer.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

TREE = Path(__file__).resolve().parents[1]

project = "minewatch"
author = "minewatch maintainers"
version = release = re.findall(r'VERSION = "(.*)"', (TREE / "sensor" / "model" / "version.py").read_text())[0]

extensions = ["myst_parser"]
root_doc = "README"
source_suffix = {".md": "markdown"}
include_patterns = [
    "*.md",
    "docs/*.md",
    "deploy/README.md",
    "deploy/compose/README.md",
    "deploy/kubernetes/README.md",
    "exporters/README.md",
    "sensor/attribution/README.md",
    "signatures/README.md",
]
exclude_patterns = [".*", "build", "dist", "tests", "sensor/core", "docs/images"]
nitpicky = True
myst_heading_anchors = 4
myst_all_links_external = False
# Examples of configuration and terminals are not always whole programs.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"minewatch {version}"
html_copy_source = False
html_show_sphinx = False

#: The site's table of contents, from the index of the documents.
INDEX = TREE / "docs" / "README.md"
REDIRECT = """<!doctype html>
<meta charset="utf-8"><title>minewatch</title><meta http-equiv="refresh" content="0; url=README.html">
"""


def contents() -> str:
    """The table of contents: a part for each paragraph of the index that ends with a colon, with its links."""
    parts = []
    text = INDEX.read_text(encoding="utf-8")
    for caption, entries in re.findall(r"^(\w+).*:\n\n((?:(?:- |  ).*\n)+)", text, re.MULTILINE):
        links = re.findall(r"\[([^\]]+)\]\(([^)#]+)\.md\)", entries)
        lines = [f"{title} <{Path('/docs', name).as_posix().replace('/docs/../', '/')}>" for title, name in links]
        parts.append("\n".join(["```{toctree}", f":caption: {caption}", ":hidden:", "", *lines, "```", ""]))
    return "\n" + "\n".join(["```{toctree}\n:hidden:\n\n/docs/README\n```\n", *parts])


def add_contents(_app: Any, name: str, source: list[str]) -> None:
    """Give the first page the table of contents; in the file it would show as code elsewhere."""
    if name == root_doc:
        source[0] += contents()


def add_index(app: Any, error: Exception | None) -> None:
    """Let index.html lead to the first page."""
    if error is None:
        (Path(app.outdir) / "index.html").write_text(REDIRECT)


def setup(app: Any) -> dict[str, bool]:
    """Connect the two."""
    app.connect("source-read", add_contents)
    app.connect("build-finished", add_index)
    return {"parallel_read_safe": True}
