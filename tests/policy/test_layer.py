"""Parcels as a layer over the configuration: what they add and replace, what they must not say, and that each mistake
has the parcel's file and line. The check is the one that a reload makes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.daemon.setup import ConfigurationSource, Setup, load_setup
from sensor.model.policy import ParcelKind
from sensor.policy.layer import SECTIONS, ParcelLayer, UnpackedParcel, check_content
from sensor.policy.refusal import ParcelError
from sensor.settings.document import ConfigError
from tests.policy.made import POOLS

CUSTOMERS = "customer,prefix\nExample Ltd,192.0.2.0/24\n"
#: Sections of a configuration that a centre must not touch: places, brokers, secrets, the host.
FORBIDDEN = [
    "sensor_id: other",
    "sandbox: false",
    "limits: {flows: 16}",
    "signatures: {files: [/etc/passwd]}",
    "names: {lists: [/etc/passwd]}",
    "attribution: {sources: []}",
    "ledger: {url: 'sqlite:////tmp/x.db'}",
    "exporters: {eve: {path: /tmp/x}}",
    "policy: {brokers: ['x:1'], keys: ['ed25519:x']}",
    "capture: {exclude: {networks: [0.0.0.0/0]}}",
    "evidence: {folder: /tmp}",
    "output: {name_persons: true}",
    "status: {socket: /tmp/x}",
    "people: {url: x}",
    "console: {}",
    "behaviour: {blocks: {XMR: /etc/passwd}}",
    "invented: {x: 1}",
]


def unpacked(folder: Path, kind: ParcelKind, version: int = 7, **files: str | bytes) -> UnpackedParcel:
    """A parcel's files in a folder; `_yaml` at the end of a name stands for `.yaml`."""
    its = folder / f"{kind}-{version}"
    its.mkdir(exist_ok=True)
    names = []
    for name, content in files.items():
        stem, _, ending = name.rpartition("_")
        names.append(f"{stem}.{ending}")
        (its / names[-1]).write_bytes(content if isinstance(content, bytes) else content.encode())
    return UnpackedParcel(kind, version, its, tuple(names))


def loaded(folder: Path, own: str, *parcels: UnpackedParcel, overrides: tuple[str, ...] = ()) -> Setup:
    """What a sensor with this configuration loads."""
    path = folder / "minewatch.yaml"
    path.write_text(own)
    return load_setup(ConfigurationSource(path, overrides, (ParcelLayer(parcels),)))


def mistakes(folder: Path, own: str, *parcels: UnpackedParcel) -> list[str]:
    """What is wrong with it."""
    with pytest.raises(ConfigError) as refused:
        loaded(folder, own, *parcels)
    return refused.value.problems


def test_tables_are_added_to_the_sensors_own(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_bytes(
        POOLS.replace(b"name: own", b"name: mine").replace(b"pool.example", b"a.example")
    )
    parcel = unpacked(tmp_path, "tables", pools_yaml=POOLS, hosts_csv="host\nmine.b.example\n")
    setup = loaded(tmp_path, "signatures: {files: [own.yaml]}\n", parcel)
    names = [table.name for table in setup.signatures.tables]
    assert {"own", "mine"} <= set(names)
    assert setup.signatures.pools.lookup("mine.b.example") is not None
    assert setup.config.signatures.files == [str(tmp_path / "own.yaml"), str(parcel.folder / "pools.yaml")]


def test_policy_replaces_key_by_key_and_the_allow_list_is_added(tmp_path: Path) -> None:
    own = (
        "findings:\n  least_grade: speaks\n  update_s: 60\n  allow:\n    - {network: 10.0.0.0/8, reason: laboratory}\n"
    )
    policy = "findings:\n  least_grade: accepted\n  allow:\n    - {network: 192.0.2.0/24, reason: museum}\n"
    setup = loaded(tmp_path, own, unpacked(tmp_path, "policy", policy_yaml=policy))
    findings = setup.config.findings
    assert (findings.least_grade, findings.update_s) == ("accepted", 60)
    assert [entry.reason for entry in findings.allow] == ["laboratory", "museum"]
    overridden = loaded(
        tmp_path, own, unpacked(tmp_path, "policy", policy_yaml=policy), overrides=("findings.least_grade=verified",)
    )
    assert overridden.config.findings.least_grade == "verified"


def test_books_are_added_and_their_files_are_those_of_the_parcel(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(CUSTOMERS)
    source = "{kind: inventory, path: %s, columns: {organisation: customer, network: prefix}}"
    own = f"attribution: {{sources: [{source % 'own.csv'}]}}\n"
    files = {"books_yaml": f"sources:\n  - {source % 'more.csv'}\n", "more_csv": CUSTOMERS.replace("192", "198")}
    setup = loaded(tmp_path, own, unpacked(tmp_path, "books", **files))
    assert [Path(each.path).name for each in setup.config.attribution.sources] == ["own.csv", "more.csv"]
    assert setup.attribution is not None


@pytest.mark.parametrize("path", ["/etc/passwd", "../own.csv", "*.csv", "none.csv"])
def test_books_must_not_name_files_outside_of_the_parcel(path: str, tmp_path: Path) -> None:
    listed = f"sources:\n  - {{kind: registry, format: delegated, path: '{path}'}}\n"
    found = mistakes(tmp_path, "{}", unpacked(tmp_path, "books", books_yaml=listed))
    assert found == [f"policy: books 7: books.yaml:2: sources.0.path: {path!r} is no file of the parcel"]


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ("sources: {}\n", "must have a list of sources, and nothing else"),
        ("sources: []\nledger: {}\n", "must have a list of sources, and nothing else"),
        ("sources:\n  - 7\n", "books.yaml:2: sources.0: needs a kind of book"),
        ("sources:\n  - {kind: none}\n", "books.yaml:2: sources.0: needs a kind of book"),
        ("sources: [\n", "books.yaml:2: not valid YAML"),
    ],
)
def test_a_list_of_books_that_is_none_is_refused(listed: str, sentence: str, tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "{}", unpacked(tmp_path, "books", books_yaml=listed))
    assert found.startswith("policy: books 7: ")
    assert sentence in found


@pytest.mark.parametrize("text", FORBIDDEN)
def test_a_parcel_of_policy_says_nothing_of_the_host(text: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, "{}", unpacked(tmp_path, "policy", policy_yaml=text + "\n"))
    assert any("policy: policy 7: policy.yaml:1: " in problem for problem in found), found
    assert any("a parcel of policy must not say this" in problem or "keys and values" in problem for problem in found)


def test_what_a_parcel_may_say_is_named_section_by_section() -> None:
    assert set(SECTIONS) == {"findings", "verify", "estimate", "behaviour"}
    assert not {section.partition(":")[0] for section in FORBIDDEN} & (set(SECTIONS) - {"behaviour"})


def test_every_mistake_of_a_parcel_has_its_file_and_line(tmp_path: Path) -> None:
    policy = (
        "findings:\n  least_grade: best\n  allow:\n    - {network: x, reason: y}\nverify:\n  first: 0\nestimate: [1]\n"
    )
    own = "findings:\n  allow:\n    - {network: 10.0.0.0/8, reason: laboratory}\n"
    found = mistakes(tmp_path, own, unpacked(tmp_path, "policy", policy_yaml=policy))
    assert "policy: policy 7: policy.yaml:7: estimate: must be keys and values" in found
    found = mistakes(tmp_path, own, unpacked(tmp_path, "policy", policy_yaml=policy.replace("estimate: [1]\n", "")))
    places = [problem.rpartition(": findings")[0].rpartition(": verify")[0] or problem for problem in found]
    assert any(problem.startswith("policy: policy 7: policy.yaml:2: findings.least_grade") for problem in found), places
    assert any(problem.startswith("policy: policy 7: policy.yaml:4: findings.allow.1") for problem in found), found
    assert any(problem.startswith("policy: policy 7: policy.yaml:6: verify.first") for problem in found), found


def test_a_mistake_in_a_table_or_a_book_of_a_parcel_is_named_as_the_centre_knows_it(tmp_path: Path) -> None:
    broken = unpacked(tmp_path, "tables", pools_yaml=POOLS.replace(b"suffix", b"sufix"), hosts_csv="x")
    found = mistakes(tmp_path, "{}\n", broken)
    assert any(problem.startswith("policy: tables 7: pools.yaml:5: pools[0].sufix: ") for problem in found), found
    assert any(problem.startswith("policy: tables 7: hosts.csv:1: ") for problem in found), found
    listed = "sources:\n  - {kind: inventory, path: own.csv, columns: {organisation: customer, network: prefix}}\n"
    found += mistakes(tmp_path, "{}\n", unpacked(tmp_path, "books", books_yaml=listed, own_csv="customer\nx\n"))
    assert any("policy: books 7: own.csv" in problem for problem in found), found
    assert not any(str(tmp_path) in problem for problem in found), found


def test_a_mistake_of_the_sensors_own_file_stays_its_own(tmp_path: Path) -> None:
    (found,) = mistakes(
        tmp_path, "findings: 7\n", unpacked(tmp_path, "policy", policy_yaml="findings: {least_grade: accepted}\n")
    )
    assert found.startswith(f"{tmp_path}/minewatch.yaml:1: findings")


def test_a_signature_that_clashes_with_a_shipped_one_is_refused_with_its_place(tmp_path: Path) -> None:
    kaspa = (Path(__file__).parents[2] / "signatures" / "dialects" / "kaspa.yaml").read_bytes()
    found = mistakes(tmp_path, "{}", unpacked(tmp_path, "signatures", mine_yaml=kaspa))
    assert any("is already taken by" in problem for problem in found)


def test_a_shipped_signature_is_replaced_by_a_higher_revision_alone(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "signatures" / "dialects" / "kaspa.yaml").read_text()
    revision = int(text.partition("\nrev: ")[2].partition("\n")[0])
    newer = text.replace(f"\nrev: {revision}\n", f"\nrev: {revision + 1}\n")
    parcel = unpacked(tmp_path, "signatures", kaspa_yaml=newer)
    setup = loaded(tmp_path, "{}\n", parcel)
    (kaspa,) = [dialect for dialect in setup.signatures.dialects if dialect.name == "kaspa"]
    assert (kaspa.header.rev, kaspa.header.file) == (revision + 1, str(parcel.folder / "kaspa.yaml"))
    assert len(setup.signatures.dialects) == len(loaded(tmp_path, "{}\n").signatures.dialects)
    other = newer.replace("\nid: ", "\nid: 9")  # another number is another signature
    assert mistakes(tmp_path, "{}\n", unpacked(tmp_path, "signatures", 8, kaspa_yaml=other))


def test_a_withdrawn_parcel_leaves_what_is_installed(tmp_path: Path) -> None:
    nothing = UnpackedParcel("tables", 9, tmp_path, ())
    assert loaded(tmp_path, "{}\n", nothing).config == loaded(tmp_path, "{}\n").config


def test_signatures_are_parsed_anew_only_where_a_parcel_brings_some(tmp_path: Path) -> None:
    path = tmp_path / "minewatch.yaml"
    path.write_text("{}\n")
    before = load_setup(ConfigurationSource(path))
    policy = unpacked(tmp_path, "policy", policy_yaml="findings: {least_grade: accepted}\n")
    tables = unpacked(tmp_path, "tables", pools_yaml=POOLS)
    light = load_setup(ConfigurationSource(path, (), (ParcelLayer([policy]),)), before, same_signatures=True)
    whole = load_setup(ConfigurationSource(path, (), (ParcelLayer([policy, tables]),)), before, same_signatures=True)
    assert light.signatures is before.signatures
    assert whole.signatures is not before.signatures
    assert light.suppression is not before.suppression


@pytest.mark.parametrize(
    "text",
    [
        '"kind": dialect\ndescription: "\nkind: pools"\n',
        '? kind\n: dialect\nreferences: ["\nkind: pools"]\n',
        '# x\rkind: dialect\ntitle: "\nkind: pools"\n',
        'kind: pools\n"kind": dialect\n',
    ],
    ids=["quoted", "complex", "carriage-return", "twice"],
)
def test_no_rules_come_as_a_table_however_their_kind_is_written(text: str) -> None:
    with pytest.raises(ParcelError):
        check_content("tables", {"sneak.yaml": text.encode()})
    check_content("tables", {"pools.yaml": POOLS})
