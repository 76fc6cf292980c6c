"""The form of documents: lines of at most 120 columns, a short README, fresh generated parts, one version."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sensor.model.version import VERSION
from tests.docs.markdown import ROOT, documents, name_of

MAX_COLUMNS = 120
MAX_README_LINES = 200
MAX_PICTURE_BYTES = 300_000


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_lines_have_at_most_120_columns(document: Path) -> None:
    lines = document.read_text(encoding="utf-8").splitlines()
    assert [f"{number}: {len(line)}" for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS] == []


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_README_LINES
    assert [line.split("#")[0].strip() for line in lines if line.startswith("    make ")] == ["make demo", "make test"]
    assert lines.index("    make test     # set up, all checks and all tests") < 10


def test_pictures_are_small() -> None:
    assert [path.name for path in (ROOT / "docs" / "images").iterdir() if path.stat().st_size > MAX_PICTURE_BYTES] == []


def test_the_generated_parts_are_not_stale() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "reference.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_page_of_docs_stands_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages == set(re.findall(r"\]\(([a-z-]+\.md)\)", index))


def test_every_framing_is_described() -> None:
    described = (ROOT / "signatures" / "README.md").read_text(encoding="utf-8")
    framings = {path.stem for path in (ROOT / "signatures" / "framings").glob("*.yaml")}
    assert {name for name in framings if f"`{name}`" not in described and f"{name}.yaml" not in described} == set()


def test_the_version_stands_in_one_place_and_the_changelog_ends_with_it() -> None:
    releases = re.findall(
        r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert releases[0][0] == VERSION
    assert releases == sorted(releases, key=lambda release: release[1], reverse=True)
    for name in ("pyproject.toml", "sensor/core/Cargo.toml", "deploy/debian/changelog", "deploy/debian/control"):
        assert not re.search(r'^version\s*[:=]\s*"?\d', (ROOT / name).read_text(), re.MULTILINE | re.IGNORECASE), name


def test_the_changelog_has_the_parts_of_its_form_in_their_order() -> None:
    kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    for part in re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.*)$", part, re.MULTILINE)
        assert headings == [kind for kind in kinds if kind in headings]


def test_workflows_forms_and_hooks_are_yaml_that_names_what_there_is() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    commands = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert "make test" in commands
    forms = sorted(path.stem for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert forms == ["bug", "config", "missed-dialect", "wrong-accusation"]
    for name in forms:
        form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text())
        entries = [entry["id"] for entry in form.get("body", []) if entry["type"] != "markdown"]
        assert len(entries) == len(set(entries))
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repository["repo"] for repository in hooks["repos"]} == {"local"}
