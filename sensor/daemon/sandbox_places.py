"""What a process of ours needs of any host: Python's own files, the resolver's, the time zones, the authorities of TLS.

Places that are not there are named all the same; the sandbox leaves them out.
"""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

import exporters
import sensor
import signatures

#: Programs and libraries; the names of hosts, users and zones; the authorities. None holds a secret: /etc and /etc/ssl
#: are not here as a whole.
SYSTEM = (
    "/usr", "/lib", "/lib64", "/nix/store", "/gnu/store", "/etc/ld.so.cache", "/etc/ld.so.conf",
    "/etc/ld.so.conf.d", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf",
    "/etc/services", "/etc/protocols",
    "/etc/passwd", "/etc/group", "/etc/localtime", "/etc/timezone", "/etc/os-release", "/etc/mime.types",
    "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates", "/etc/pki/tls/certs", "/etc/pki/ca-trust",
    "/etc/crypto-policies", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf",
    "/dev/urandom", "/dev/random", "/dev/zero", "/sys/class/net", "/sys/devices", "/sys/fs/cgroup",
    # What it holds of other processes is closed to whoever is in a Landlock domain (ptrace(2), access mode checking).
    "/proc",
)  # fmt: skip
WRITTEN = ("/dev/null",)
#: Where SQLite puts what does not fit its memory, in its own order (os_unix.c, unixTempFileDir).
SQLITE_VARIABLES, SQLITE_FOLDERS = ("SQLITE_TMPDIR", "TMPDIR"), ("/var/tmp", "/usr/tmp", "/tmp")


def read_places() -> list[Path]:
    """What is read: Python may import any module of its environment late."""
    packages = [Path(folder) for package in (sensor, exporters, signatures) for folder in package.__path__]
    roots = {package.parent.resolve() for package in packages} | {Path.cwd()}
    paths = [Path(entry).resolve() for entry in sys.path if entry]
    python = [Path(sys.prefix), Path(sys.base_prefix), *(path for path in paths if path not in roots)]
    given = [path for path in ssl.get_default_verify_paths() if path] + [os.environ.get("OPENSSL_CONF", "")]
    linked = Path("/etc/resolv.conf").resolve().parent
    return [
        *map(Path, SYSTEM),
        *packages,
        *(path for path in python if path != Path("/")),
        *(Path(path) for path in given if path.startswith("/")),
        *([linked] if linked != Path("/etc") else []),
    ]


def written_places() -> list[Path]:
    """What is written."""
    temporary = [os.environ.get(name, "") for name in SQLITE_VARIABLES] + list(SQLITE_FOLDERS)
    usable = (Path(name) for name in temporary if name and Path(name).is_dir() and os.access(name, os.W_OK | os.X_OK))
    return [*map(Path, WRITTEN), *list(usable)[:1]]
