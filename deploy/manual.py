"""The manual page and the completions of a package, made from the command line itself.

    .venv/bin/python deploy/manual.py FOLDER     writes minewatch.1, and a completion for each shell

Options and commands are the parser's. Exit statuses, files and examples stand here.
"""

from __future__ import annotations

import sys
from pathlib import Path

from argparse_manpage.manpage import Manpage

TREE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE))

from sensor.cli.completion import completion  # noqa: E402
from sensor.cli.parser import parser  # noqa: E402
from sensor.model import exit_codes  # noqa: E402

#: Where a completion is found by each shell, below the root, and by the command itself beside its own code.
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/minewatch",
    "zsh": "usr/share/zsh/vendor-completions/_minewatch",
    "fish": "usr/share/fish/vendor_completions.d/minewatch.fish",
}
EXIT_STATUS = {
    exit_codes.OK: "Ran to the end, mining found or not.",
    exit_codes.RUN_ERROR: "Some input could not be read to its end, or an output could not be written.",
    exit_codes.USAGE: "The command line is wrong, or names something that is not there.",
    exit_codes.BUSY: "Another process is this sensor.",
    exit_codes.CONFIG: "The configuration or a signature is wrong.",
    exit_codes.INTERRUPTED: "Interrupted; what was found until then is reported.",
}
FILES = {
    "/etc/minewatch/minewatch.yaml": "The configuration of the service. A command reads it with -c.",
    "/var/lib/minewatch/ledger.db": "The ledger of the service (ledger.url).",
    "/var/log/minewatch/": "Where the configuration that comes with the package writes events, if it is asked to.",
    "/usr/share/minewatch/": "Rules for Prometheus, a dashboard for Grafana.",
    "/usr/share/doc/minewatch/": "The operator's guide.",
}
EXAMPLES = {
    "Read captures, and keep what is found": "minewatch replay week/ --ledger sqlite:///ledger.db",
    "Listen as the service does": "minewatch run -c /etc/minewatch/minewatch.yaml",
    "Say every mistake of a configuration": "minewatch check -c /etc/minewatch/minewatch.yaml",
    "The open cases of a city, as JSON": "minewatch ledger list --division 320500 --json",
    "Move the one open case of an address on": 'minewatch ledger set 192.0.2.7 notified --why "letter 12"',
    "Whose an address was, and why": "minewatch explain 192.0.2.7:3333 --at 2026-03-02T08:00:04Z",
    "Last week's bulletin, in every form": "minewatch bulletin -o bulletins/",
}


def page(version: str) -> str:
    """The manual page in roff."""
    fields = {
        "project_name": "minewatch",
        "version": version,
        "manual_title": "minewatch",
        "description": "finds virtual-currency mining",
    }
    parts = [
        str(Manpage(parser(), _data=fields)).rstrip(),
        _section("EXIT STATUS", {str(code): meaning for code, meaning in EXIT_STATUS.items()}),
        _section("FILES", FILES),
        ".SH EXAMPLES",
        *(f"{_escaped(what)}:\n.PP\n.RS 4\n.nf\n{_escaped(line)}\n.fi\n.RE\n.PP" for what, line in EXAMPLES.items()),
    ]
    return "\n".join(parts) + "\n"


def write_completions(root: Path, package: Path) -> None:
    """Write each shell's completion below a root, and beside the command's code in its package."""
    for shell, place in COMPLETIONS.items():
        text = completion(shell)
        for path in (root / place, package / "sensor" / "cli" / f"completion.{shell}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _section(title: str, entries: dict[str, str]) -> str:
    lines = [f".TP\n.B {_escaped(name)}\n{_escaped(meaning)}" for name, meaning in entries.items()]
    return "\n".join([f".SH {title}", *lines])


def _escaped(text: str) -> str:
    """Text that roff takes for nothing but text."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{plain}" if plain.startswith(".") else plain


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    from sensor.model.version import VERSION

    (folder / "minewatch.1").write_text(page(VERSION), encoding="utf-8")
    for shell in COMPLETIONS:
        (folder / f"minewatch.{shell}").write_text(completion(shell), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
