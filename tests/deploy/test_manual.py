"""The manual page has every command, option and exit status; the completions know second words and states."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.cli.completion import completion
from sensor.cli.main import main
from sensor.cli.parser import parser
from sensor.model import exit_codes
from tests.deploy.conftest import DEPLOY

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, str(DEPLOY / "manual.py"), str(folder)], check=True)
    return folder


def commands(whole: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every command and action below a parser."""
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield inner
                yield from commands(inner)


def test_the_page_has_every_command_and_option(made: Path) -> None:
    text = (made / "minewatch.1").read_text(encoding="utf-8").replace("\\-", "-")
    for command in commands(parser()):
        assert f"COMMAND \\fI\\,'{command.prog}'" in text, command.prog
        for action in command._actions:
            assert all(
                f"\\fB{option}\\fR" in text for option in action.option_strings if option not in ("-h", "--help")
            )


def test_the_page_has_exit_statuses_files_and_examples_that_parse(made: Path) -> None:
    text = (made / "minewatch.1").read_text(encoding="utf-8").replace("\\-", "-")
    status = text.partition(".SH EXIT STATUS")[2].partition(".SH")[0]
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert {int(code) for code in re.findall(r"^\.B (\d+)$", status, re.MULTILINE)} == codes
    assert "/etc/minewatch/minewatch.yaml" in text.partition(".SH FILES")[2].partition(".SH")[0]
    examples = re.findall(r"^\.nf\n(.*)\n\.fi$", text.partition(".SH EXAMPLES")[2], re.MULTILINE)
    assert len(examples) > 5
    for line in examples:
        words = re.findall(r'"[^"]*"|\S+', line)
        assert words[0] == "minewatch"
        parser().parse_args([part.strip('"') for part in words[1:]])


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not here: apt-get install man-db groff")
def test_man_has_nothing_to_complain_about(made: Path) -> None:
    shown = subprocess.run(
        ["man", "--warnings", "-l", str(made / "minewatch.1")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "100"},
    )
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_has_every_command_and_the_states(made: Path, shell: str) -> None:
    text = (made / f"minewatch.{shell}").read_text(encoding="utf-8")
    assert text == completion(shell)
    for command in commands(parser()):
        assert command.prog.split()[-1] in text
    assert "under-check" in text
    if program := shutil.which(shell):
        assert subprocess.run([program, "-n", str(made / f"minewatch.{shell}")], check=False).returncode == 0


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("minewatch le", "ledger"),
        ("minewatch ledger ", "list"),
        ("minewatch ledger list --st", "--state"),
        ("minewatch ledger list --state und", "under-check"),
        ("minewatch ledger set 7 not", "notified"),
        ("minewatch ledger sensors re", "retire"),
        ("minewatch signatures ", "test"),
        ("minewatch completion f", "fish"),
    ],
)
def test_bash_and_fish_complete_second_words_and_states(made: Path, line: str, expected: str) -> None:
    asked = f"""
        . {made}/minewatch.bash
        words=({line}); [[ "{line}" == *' ' ]] && words+=("")
        COMP_WORDS=("${{words[@]}}") COMP_CWORD=$((${{#words[@]}} - 1)) COMP_LINE="{line}" COMP_POINT={len(line)}
        "$(complete -p minewatch | sed 's/.*-F \\([^ ]*\\).*/\\1/')" minewatch "${{COMP_WORDS[COMP_CWORD]}}" ""
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=False)
    assert expected in [word.strip() for word in done.stdout.splitlines()], done.stdout + done.stderr
    if fish := shutil.which("fish"):
        asked = f"source {made}/minewatch.fish; complete -C '{line}'"
        done = subprocess.run([fish, "-N", "-c", asked], capture_output=True, text=True, check=False)
        assert expected in [word.split("\t")[0] for word in done.stdout.splitlines()], done.stdout + done.stderr


def test_the_command_prints_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    assert "complete" in capsys.readouterr().out


def test_without_shtab_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "zsh"]) == 1
    assert (
        capsys.readouterr().err
        == "minewatch: completion: shtab is not installed: pip install 'minewatch[completion]'\n"
    )
