"""The configuration: what is right is taken as it stands, what is wrong is told with file, line and key, all of it
at once.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sensor.daemon.configuration import Configuration, load
from sensor.settings.document import ConfigError


def problems(path: Path | None, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, overrides)
    return caught.value.problems


def written(folder: Path, text: str) -> Path:
    path = folder / "minewatch.yaml"
    path.write_text(text)
    return path


def test_without_a_file_the_defaults_hold() -> None:
    assert load() == Configuration()


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing\n")) == Configuration()


def test_values_of_a_file_are_taken(tmp_path: Path) -> None:
    config = load(written(tmp_path, "engine: reference\nworkers: 2\nlimits:\n  flows: 4096\n"))
    assert (config.engine, config.workers, config.limits.flows, config.limits.candidates) == (
        "reference",
        2,
        4096,
        16_384,
    )


def test_redaction_is_off_unless_asked_for_and_takes_no_other_word(tmp_path: Path) -> None:
    assert load().output.redact is False
    assert load(written(tmp_path, "output: {redact: true}\n")).output.redact is True
    (told,) = problems(written(tmp_path, "output:\n  redact: maybe\n"))
    assert "minewatch.yaml:2: output.redact" in told


def test_an_override_beats_the_file(tmp_path: Path) -> None:
    assert load(written(tmp_path, "limits: {flows: 4096}\n"), ["limits.flows=8192", "workers=3"]).limits.flows == 8192


def test_relative_paths_start_at_the_folder_of_the_file_and_typed_ones_where_one_is(tmp_path: Path) -> None:
    path = written(tmp_path, "signatures: {files: [own.yaml]}\noutput: {eve: out.json}\n")
    config = load(path)
    assert config.signatures.files == [str(tmp_path / "own.yaml")]
    assert config.output.eve == str(tmp_path / "out.json")
    assert load(path, ["output.eve=-"]).output.eve == "-"
    assert load(path, ["output.eve=x.json"]).output.eve == "x.json"


def test_an_unknown_key_is_told_with_file_line_and_the_nearest_valid_one(tmp_path: Path) -> None:
    path = written(tmp_path, "workers: 2\nlimits:\n  flow: 4096\n")
    assert problems(path) == [f"{path}:3: limits.flow: unknown key; did you mean limits.flows?"]


def test_a_key_in_the_wrong_section_names_the_right_one(tmp_path: Path) -> None:
    path = written(tmp_path, "candidates: 12\n")
    assert problems(path) == [f"{path}:1: candidates: unknown key; did you mean limits.candidates?"]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "workers: many\nengine: fast\nlimits:\n  flows: 1\n  candidates: 2.5\n")
    found = problems(path, "nonsense", "limits.fragments=0")
    assert len(found) == 6
    assert {text.split(": ")[0].removeprefix(str(path)) for text in found} >= {":1", ":2", ":4", ":5"}
    assert any(text.startswith("--set limits.fragments=0: limits.fragments: ") for text in found)
    assert any(text.startswith("--set nonsense: ") for text in found)


def test_a_number_in_quotes_is_not_a_number(tmp_path: Path) -> None:
    path = written(tmp_path, 'workers: "2"\n')
    assert problems(path)[0].startswith(f"{path}:1: workers: ")


def test_a_key_given_twice_is_a_mistake(tmp_path: Path) -> None:
    path = written(tmp_path, "workers: 2\nworkers: 3\n")
    assert problems(path) == [f"{path}:2: workers: the key stands here twice"]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [("workers: [1\n", 2, "YAML"), ("a: b: c\n", 1, "YAML"), ("- 1\n", 1, "list"), ("limits:\n\t- x\n", 2, "YAML")],
)
def test_broken_yaml_is_told_with_its_line(tmp_path: Path, text: str, line: int, word: str) -> None:
    path = written(tmp_path, text)
    (sentence,) = problems(path)
    assert sentence.startswith(f"{path}:{line}: ")
    assert word in sentence


def test_a_missing_file_and_one_that_is_not_text_are_told(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.yaml") == [f"{tmp_path / 'none.yaml'}: no such file or directory"]
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"workers: \xff\n")
    assert problems(path) == [f"{path}: not UTF-8 at byte 9"]


def test_yaml_cannot_build_objects(tmp_path: Path) -> None:
    path = written(tmp_path, "workers: !!python/object/apply:os.getpid []\n")
    assert "YAML" in problems(path)[0]


def test_the_dump_reads_back_as_the_same(tmp_path: Path) -> None:
    config = load(None, ["workers=4", "limits.flows=65536"])
    assert load(written(tmp_path, config.dump())) == config
    assert list(yaml.safe_load(config.dump())) == list(Configuration.model_fields)
