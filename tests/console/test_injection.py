"""Names that anybody may choose (machines, agents, logins, pools, holders) stay text on pages and in files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from python_calamine import CalamineWorkbook

from sensor.console.desk import Desk
from sensor.ledger import Ledger
from sensor.model.text import valid_utf8
from tests.console.province import LANGUAGES, client, desk_of, miner, paths, viewer
from tests.exporters.test_report import NASTY, Tree

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠A", " =1", "|calc", "%0A=1")
NAMES = (*NASTY, *FORMULAS, '<link rel=attachment href="file:///etc/passwd">', "<svg onload=alert(1)>")
LISTS = ("enterprises", "sites", "addresses", "findings", "cases", "pools")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A ledger in which every name that can be chosen is nasty."""
    import dataclasses

    writer = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/ledger.db")
    for at, name in enumerate(NAMES):
        hostile_finding = miner(at % 2)
        answer = hostile_finding.attribution
        assert answer is not None
        assert answer.enterprise is not None
        assert answer.site is not None
        whose = dataclasses.replace(answer.enterprise, name=name, enterprise_id=f"name:{at}", aliases=(name,))
        site = dataclasses.replace(answer.site, address=f"{name} {at}", division_name=name)
        claim = dataclasses.replace(answer.claims[0], enterprise=whose, site=site, source=name, allocation=name)
        answer = dataclasses.replace(answer, enterprise=whose, site=site, claims=(claim,), reasons=(name,))
        piece = dataclasses.replace(hostile_finding.evidence[0], excerpt=name, detail={"message": name})
        texts = {"login": name, "worker": name, "workers": (name,), "agent": name, "software": name}
        listed = valid_utf8(name)  # of our own signatures, which have no lone surrogates
        more = {"pool_host": name, "coin": listed, "device": listed, "reasons": (name,), "evidence": [piece]}
        flow = dataclasses.replace(hostile_finding.flows[0], source=name, login=name, worker=name)
        flow.key = dataclasses.replace(flow.key, src_ip=f"10.7.0.{at}", flow_id=9_000_000 + at)
        changed = {"finding_id": f"f{at}", "miner_ip": f"10.7.0.{at}", "attribution": answer, "flows": [flow]}
        writer.record([dataclasses.replace(hostile_finding, **texts, **more, **changed)], hostile_finding.first_ns)
    for case in writer.reader.cases():
        writer.note_case(case.case_id, case.opened_ns, who=NAMES[0], why=NAMES[1])
    yield desk_of(writer)
    writer.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_text_on_every_page(hostile: Desk, language: str) -> None:
    browser = client(hostile, viewer("lead", language=language))
    ledger = Ledger.open_to_read(str(hostile.engine.url))
    singles = [f"/findings/f{at}" for at in range(len(NAMES))]
    for path in [*paths(ledger), *singles, *(f"/{name}" for name in LISTS)]:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        tree = Tree(answer.text)  # every element is closed in its turn
        assert not {"script", "img", "iframe", "object"} & set(tree.elements), path
        assert not [name for name, _ in tree.attributes if name.startswith("on")], path
        assert not [href for href in tree.values("href") if not href.startswith(("/", "#"))], path
        assert not set("\u202e\u200f\x1b\x00") & set(answer.text), path
        assert "49" not in " ".join(tree.text).split(), "a template ran"
    ledger.close()


@pytest.mark.parametrize("text", NAMES)
def test_what_is_asked_for_is_text_too(hostile: Desk, text: str) -> None:
    browser = client(hostile, viewer("lead", language="en"))
    typed = valid_utf8(text)
    for path, name in (("/search", "text"), ("/enterprises", "name"), ("/findings", "wallet"), ("/findings", typed)):
        answer = browser.get(path, params={name: typed})
        tree = Tree(answer.text)
        assert answer.status_code in (200, 400)
        assert not {"script", "img", "iframe", "object"} & set(tree.elements)


@pytest.mark.parametrize("name", LISTS)
def test_no_cell_of_a_csv_is_a_formula(hostile: Desk, name: str) -> None:
    data = client(hostile, viewer("lead")).get(f"/{name}?format=csv").content
    assert data.startswith(b"\xef\xbb\xbf")
    cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
    assert len(cells) > 10
    begins = ("=", "+", "@", "\t", "\r", "＝", "＋", "－", "＠", "|", "%")
    assert not [cell for cell in cells if cell.strip(" ").startswith(begins)]
    assert not [cell for cell in cells if cell.startswith("-") and not cell[1:].replace(".", "").isdigit()]


@pytest.mark.parametrize("name", LISTS)
def test_no_cell_of_a_workbook_is_a_formula_or_a_link(hostile: Desk, name: str) -> None:
    import zipfile

    data = client(hostile, viewer("lead")).get(f"/{name}?format=xlsx").content
    assert CalamineWorkbook.from_filelike(io.BytesIO(data)).sheet_names
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        for part in book.namelist():
            text = book.read(part)
            assert b"<f>" not in text
            assert b"hyperlink" not in text.lower() or part.startswith(("docProps", "[Content", "xl/theme"))


def test_a_downloads_name_is_ours(hostile: Desk) -> None:
    browser = client(hostile, viewer("lead"))
    for name in LISTS:
        for form in ("csv", "xlsx", "json"):
            answer = browser.get(f"/{name}?format={form}")
            disposition = answer.headers["content-disposition"]
            assert disposition.startswith(f"attachment; filename*=UTF-8''minewatch-{name}-")
            assert disposition.endswith(f".{form}")
            assert "html" not in answer.headers["content-type"]
