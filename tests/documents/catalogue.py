"""Every sentence that documents may say, as it stands in their code and templates."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_dir

FOLDER = Path(__file__).parents[2] / "exporters" / "forms" / "documents"
KEYWORDS = {"_": None, "N_": None}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


def sentences() -> dict[str, str]:
    """Every sentence with where it stands."""
    found = extract_from_dir(str(FOLDER), METHODS, keywords=KEYWORDS, options_map={"**.py": {"encoding": "utf-8"}})
    return {str(message): f"{name}:{line}" for name, line, message, _, _ in found}
