"""`make deb`: one Debian package of what is installed in .venv, at the versions that were tested, and of deploy/.

    .venv/bin/python deploy/debian/build.py [--output build] [--bare]

No virtual environment is shipped: it would hold paths of the machine it was made on. The libraries lie in
/usr/lib/minewatch, and /usr/bin/minewatch runs Debian's own interpreter with the standard library and that folder only.
Needs the compiled core, dpkg-deb and strip.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

TREE = Path(__file__).resolve().parents[2]
DEPLOY = TREE / "deploy"
HERE = Path(__file__).parent
PACKAGES = ("sensor", "exporters", "signatures")
#: Left out of the package's code: the Rust sources, and what is made by running.
LEFT_OUT = shutil.ignore_patterns("core", "__pycache__", "*.pyc", "*.md")
#: What goes where: (pattern below deploy/, folder on the host).
PLACES = (
    ("systemd/*.service", "lib/systemd/system"),
    ("systemd/*.timer", "lib/systemd/system"),
    ("sysusers.d/*", "usr/lib/sysusers.d"),
    ("tmpfiles.d/*", "usr/lib/tmpfiles.d"),
    ("logrotate/*", "etc/logrotate.d"),
    ("minewatch.yaml", "etc/minewatch"),
    ("prometheus/*", "usr/share/minewatch/prometheus"),
    ("alertmanager/*", "usr/share/minewatch/alertmanager"),
    ("grafana/dashboards/*", "usr/share/minewatch/grafana/dashboards"),
    ("grafana/provisioning/datasources/*", "usr/share/minewatch/grafana/provisioning/datasources"),
    ("grafana/provisioning/dashboards/*", "usr/share/minewatch/grafana/provisioning/dashboards"),
    ("README.md", "usr/share/doc/minewatch"),
    ("systemd/*.example", "usr/share/doc/minewatch/examples"),
    ("debian/copyright", "usr/share/doc/minewatch"),
    ("debian/lintian-overrides", "usr/share/lintian/overrides"),
)
SCRIPTS = ("postinst", "prerm", "postrm")
COMMAND = """#!/usr/bin/python3 -IS
import sys

sys.path.insert(0, "/usr/lib/minewatch")

from sensor.cli.main import main  # noqa: E402

sys.exit(main())
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=TREE / "build")
    parser.add_argument(
        "--bare",
        action="store_true",
        help="without the libraries: what lintian can look at in seconds; it does not run",
    )
    options = parser.parse_args()
    output: Path = options.output
    if not list((TREE / "sensor").glob("_core*.so")):
        print(
            "make deb: the compiled core is not here, and a package without it would be far too slow: make core",
            file=sys.stderr,
        )
        return 1
    root = output / "deb"
    shutil.rmtree(root, ignore_errors=True)
    version = distribution("minewatch").version
    own(root / "usr/lib/minewatch")
    if not options.bare:
        libraries(root / "usr/lib/minewatch")
    host(root)
    documents(root, version)
    made = output / f"minewatch_{version}-1_{architecture()}.deb"
    control(root, f"{version}-1")
    pack = [
        "dpkg-deb",
        "--root-owner-group",
        "-Zgzip",
        "-z1",
        "--build",
    ]  # a third larger than xz, in a tenth of the time
    subprocess.run([*pack, str(root), str(made)], check=True, stdout=subprocess.DEVNULL)
    print(made)
    return 0


def own(target: Path) -> None:
    """Our packages. Only our libraries are stripped: strip breaks some of the wheels', rearranged when bundled."""
    for name in PACKAGES:
        shutil.copytree(TREE / name, target / name, ignore=LEFT_OUT)
    for library in (target / "sensor").rglob("*.so"):
        subprocess.run(["strip", "--strip-unneeded", str(library)], check=True)


def libraries(target: Path) -> None:
    """Every distribution that is needed, with its licence."""
    project = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [text for name in ("postgresql", "console", "kafka") for text in extras[name]]
    for needed in sorted(closure([*project["dependencies"], *wanted])):
        for file in distribution(needed).files or ():
            source = Path(str(file.locate()))
            if {"..", "__pycache__", "SelfTest", "tests"} & set(file.parts) or not source.is_file():
                continue  # commands, what is made by running, and tests
            place = target.joinpath(*file.parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)


def closure(requirements: list[str]) -> set[str]:
    """The distributions that are needed so that these requirements hold."""
    found, waiting = set[str](), [(Requirement(text), ("",)) for text in requirements]
    while waiting:
        requirement, wanted = waiting.pop()
        if requirement.marker is not None and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in wanted
        ):
            continue
        if requirement.name not in found:
            found.add(requirement.name)
            inner = ("", *requirement.extras)
            waiting += [(Requirement(text), inner) for text in distribution(requirement.name).requires or ()]
    return found


def host(root: Path) -> None:
    """The command and the files of deploy/."""
    write(root / "usr/bin/minewatch", COMMAND, 0o755)
    for pattern, folder in PLACES:
        for source in sorted(DEPLOY.glob(pattern)):
            place = root / folder / ("minewatch" if source.name == "lintian-overrides" else source.name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)


def documents(root: Path, version: str) -> None:
    """The manual page and the completions, made from the command itself, and the change logs."""
    sys.path[:0] = [str(TREE), str(DEPLOY)]
    import manual

    packed(root / "usr/share/man/man1/minewatch.1.gz", manual.page(version))
    manual.write_completions(root, root / "usr/lib/minewatch")
    packed(root / "usr/share/doc/minewatch/changelog.gz", (TREE / "CHANGELOG.md").read_text())
    packed(
        root / "usr/share/doc/minewatch/changelog.Debian.gz",
        (HERE / "changelog").read_text().replace("@VERSION@", f"{version}-1"),
    )


def control(root: Path, version: str) -> None:
    """Everything below DEBIAN/."""
    for path in sorted(root.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    major, minor = sys.version_info[:2]
    text = (HERE / "control").read_text()
    bytes_installed = sum(path.stat().st_size for path in files(root))
    values = {"VERSION": version, "ARCHITECTURE": architecture(), "SIZE": str(bytes_installed // 1024)}
    values["PYTHON"] = f"python3 (>= {major}.{minor}), python3 (<< {major}.{minor + 1})"
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}"
        for path in files(root)
    ]
    kept = [f"/{path.relative_to(root)}" for path in files(root) if path.relative_to(root).parts[0] == "etc"]
    debian = root / "DEBIAN"
    write(debian / "control", text)
    write(debian / "md5sums", "\n".join(sums) + "\n")
    write(debian / "conffiles", "\n".join(kept) + "\n")
    for name in SCRIPTS:
        write(debian / name, (HERE / name).read_text(), 0o755)


def files(root: Path) -> Iterator[Path]:
    yield from (
        path for path in sorted(root.rglob("*")) if path.is_file() and "DEBIAN" not in path.relative_to(root).parts
    )


def architecture() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
