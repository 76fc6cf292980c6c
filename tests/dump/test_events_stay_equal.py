"""The events of every capture are those whose digests are stored: a change of meaning shows here and is told in
CHANGELOG.md.

python -m tests.dump.dump --store ../shared/captures ../shared/cases ../shared/hidden     stores them anew
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sensor.intake import engine
from tests.dump.dump import STORED, Dumper, captures_below, digest, own_captures

STORED_DIGESTS: dict[str, str] = json.loads(STORED.read_text())
SHARED = Path(__file__).parents[3] / "shared"
FOLDERS = [SHARED / name for name in ("captures", "cases", "hidden")]
FOUND = dict(captures_below(FOLDERS))
SILENT = digest([])
ENGINES = ["compiled", "reference"]


@pytest.fixture(scope="module", params=ENGINES)
def dumper(request: pytest.FixtureRequest) -> Dumper:
    try:
        return Dumper(request.param)
    except engine.EngineError as error:
        pytest.skip(str(error))


def test_the_projects_own_captures_give_the_stored_events(dumper: Dumper, tmp_path: Path) -> None:
    found = {name: digest(dumper.events(path)) for name, path in own_captures(tmp_path).items()}
    assert found == {name: STORED_DIGESTS.get(name, SILENT) for name in found}


@pytest.mark.shared
@pytest.mark.skipif(not FOLDERS[0].is_dir(), reason="the real captures are not here")
def test_the_real_captures_give_the_stored_events(dumper: Dumper) -> None:
    """A capture that is new in a folder of cases is not compared before it is stored; one of ordinary traffic is
    silent.
    """
    expected = {name: STORED_DIGESTS.get(name, SILENT if name.startswith("benign/") else None) for name in FOUND}
    wanted = {name: stored for name, stored in expected.items() if stored is not None}
    assert {name for name, stored in wanted.items() if digest(dumper.events(FOUND[name])) != stored} == set()
