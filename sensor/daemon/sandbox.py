"""Gives up what the daemon does not need: files, system calls, capabilities. What was given up does not come back.

A reload may use what the start was allowed. What needs more is refused with its key, and asks for a restart.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sensor.daemon.configuration import Configuration
from sensor.daemon.journal import Journal
from sensor.daemon.sandbox_needs import PathNeed, needed_paths, needed_ports
from sensor.daemon.sandbox_places import read_places, written_places
from sensor.intake.engine import Confine
from sensor.settings.document import ConfigKey

RESOLVER_PORT = 53
#: Folders with much that is not ours: of these only the file itself is read, so that it must not be replaced.
WIDE = frozenset(map(Path, ("/", "/etc", "/home", "/root", "/var", "/var/lib", "/opt", "/srv", "/run", "/mnt")))
#: Files of the system that matter while the sensor runs, and that their owners replace.
WATCHED = tuple(map(Path, ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf")))
LATER = "it takes effect only after a restart"


@dataclass
class Sandbox:
    """What is in force; before `enter`, and where it is off, nothing."""

    state: str = "off"  # for people: "off", "none: why", or its parts
    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    ports: frozenset[int] | None = None  # None: any
    _single: dict[Path, tuple[int, int]] = field(default_factory=dict)  # files that stand for themselves alone

    def mistakes(self, config: Configuration, place: Callable[[ConfigKey], str]) -> list[str]:
        """A sentence for everything that this configuration needs and the sandbox does not let it have."""
        return list(self._mistakes(config, place))

    def replaced(self) -> list[Path]:
        """Files that were replaced since the start, so that they can no longer be read."""
        return [path for path, number in self._single.items() if _number(path) not in (number, None)]

    def _mistakes(self, config: Configuration, place: Callable[[ConfigKey], str]) -> Iterator[str]:
        if not (self.read or self.write):
            return
        for need in needed_paths(config):
            granted = self.write if need.write else (*self.read, *self.write)
            path = need.path if need.folder or not need.write else need.path.parent  # files are made anew
            if path.exists() and not _beneath(path, granted):
                verb = "written" if need.write else "read"
                yield f"{_at(place, need.key)}: {need.path}: the sandbox does not let it be {verb}; {LATER}"
        for key, port in needed_ports(config):
            if self.ports is not None and port not in self.ports:
                yield f"{_at(place, key)}: the sandbox does not let port {port} be connected to; {LATER}"


def enter(
    config: Configuration, file: Path | None, confine: Confine | None, more: Sequence[Path], journal: Journal
) -> Sandbox:
    """Restrict this process for good, and say what is in force. Called before it has threads.

    `file` is the configuration file, `confine` the core's function (None: there is none), `more` is written, too.
    """
    if not config.sandbox:
        journal.warning("sandbox: off (sandbox: off): this process may do whatever its user may")
        return Sandbox()
    if confine is None:
        journal.warning("sandbox: none: it needs the compiled core, which is not built")
        return Sandbox("none: no compiled core")
    needs = [*needed_paths(config), *([PathNeed((), file.absolute())] if file is not None else [])]
    read, write, single = _places(needs, more)
    ports = {RESOLVER_PORT, *(need.port for need in needed_ports(config))}
    listens, threads = bool(config.capture.interfaces), len(list(Path("/proc/self/task").iterdir()))
    try:
        landlock, has_ports, all_threads, seccomp, dropped = confine(
            [os.fspath(path) for path in read], [os.fspath(path) for path in write], sorted(ports), listens,
            _capabilities(config, (*read, *write)),
        )  # fmt: skip
    except (RuntimeError, OSError) as error:
        journal.warning(f"sandbox: none: {error}")
        return Sandbox("none: refused by the kernel")
    parts = [f"Landlock {landlock}"] * bool(landlock) + ["seccomp"] * seccomp
    state = ", ".join(parts) or "none: not in this kernel"
    journal.info(f"sandbox: {state}") if len(parts) == 2 else journal.warning(f"sandbox: {state} and nothing else")
    if landlock and not all_threads and threads > 1:
        journal.warning(f"sandbox: {threads - 1} threads that began before it are not bound by Landlock")
    if not dropped:
        journal.warning("sandbox: the capabilities stay as they are: the kernel does not let them be given up")
    if not landlock:
        return Sandbox(state)
    return Sandbox(
        state, tuple(map(_real, read)), tuple(map(_real, write)), frozenset(ports) if has_ports else None, single
    )


def _places(
    needs: Iterable[PathNeed], more: Iterable[Path]
) -> tuple[list[Path], list[Path], dict[Path, tuple[int, int]]]:
    """What may be read, what may be written, and which files of it stand for themselves alone."""
    read, write = read_places(), written_places()
    single = [*WATCHED]
    for need in needs:
        if need.write:
            write.append(need.path if need.folder else need.path.absolute().parent)
        elif need.folder or need.path.is_dir():
            read.append(need.path)
        else:
            # A link leads elsewhere tomorrow, and a file is replaced by another of its name: the folders of both.
            folders = {need.path.absolute().parent, need.path.resolve().parent}
            wide = {folder for folder in folders if folder.resolve() in WIDE}
            read += [*(folders - wide), need.path]
            single += [need.path] if wide else []
    numbers = {path: number for path in single if (number := _number(path)) is not None}
    return read, [*write, *more], numbers


def _capabilities(config: Configuration, places: Iterable[Path]) -> list[str]:
    """Those that are kept of those there are: to open packet sockets, and, of root, to use files of other users."""
    names = ["CAP_NET_RAW"] if config.capture.interfaces else []
    if os.geteuid() != 0:
        return names
    if config.capture.folder is not None:  # whoever fills it
        names.append("CAP_DAC_READ_SEARCH")
    if any(path.exists() and path.stat().st_uid != 0 for path in places):
        names += ["CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"]
    return names


def _beneath(path: Path, granted: Iterable[Path]) -> bool:
    real = _real(path)
    return any(real.is_relative_to(place) for place in granted)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _number(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _at(place: Callable[[ConfigKey], str], key: ConfigKey) -> str:
    return f"{place(key)}: {'.'.join(map(str, key))}"
