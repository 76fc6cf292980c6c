"""What of the Python is compiled: the modules that run for every message, by mypyc; all else stands in pyproject.toml.

The same sources run as they are, two to three times as slowly, where there is no C compiler or where MINEWATCH_PLAIN
is set to anything but the empty text and 0. A build says which it made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

#: Folders of what runs for each message, and single modules of others. Left out are models of pydantic, settings that
#: go to other processes (a compiled frozen dataclass cannot be unpickled), and what runs once a session or less.
ROOMS = ("sensor/session", "sensor/names")
MODULES = {
    "sensor/line": "activity attempt_summary attempts beginning ended flow_facts flow_summary listed_connections "
    "named_flows open_flow pipeline sealed_flows touched verdict",
    "sensor/dialects": "conversation excerpt flights nodes sniff",
    "sensor/dialects/readers": "http http_head json_document json_lines",
    "sensor/signatures": "language located member_tests paths proofs rule_index secret_text take work",
    "sensor/estimate": "book tally timeline windows",
}
#: The library that holds all of them; each module beside its source only leads there.
LIBRARY = "sensor._hot"


def why_plain() -> str | None:
    """Why nothing is compiled here, or None."""
    if os.environ.get("MINEWATCH_PLAIN", "") not in ("", "0"):
        return "MINEWATCH_PLAIN is set"
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.c"
        source.write_text("#include <Python.h>\nint probe(void) { return PY_MAJOR_VERSION; }\n")
        command = [*compiler, "-c", f"-I{sysconfig.get_path('include')}", str(source), "-o", f"{folder}/probe.o"]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError as error:
            return f"{compiler[0]} cannot be run: {error.strerror}"
    if done.returncode:
        return f"{compiler[0]} cannot compile against Python.h"
    return None


def compiled() -> list[Extension]:
    """The extensions to build, or none."""
    why = why_plain()
    if why is not None:
        print(f"minewatch: plain modules only, slower: {why}", file=sys.stderr)
        return []
    from mypyc.build import mypycify

    rooms = [str(path) for room in ROOMS for path in Path(room).glob("*.py") if path.name != "__init__.py"]
    modules = [f"{room}/{name}.py" for room, names in MODULES.items() for name in names.split()]
    # Types of libraries that a build does not install are Any; `make check` looks at all of them.
    options = ["--ignore-missing-imports", "--follow-imports=silent"]
    options += ["--no-warn-unused-ignores", "--no-warn-return-any"]
    paths = sorted(rooms + modules)
    sources = "build/mypyc"
    extensions = mypycify(
        [*options, *paths], opt_level="2", debug_level="0", multi_file=True, group_name=LIBRARY, target_dir=sources
    )
    for extension in extensions:
        # Headers lie where the library's package does, and sources look for them in the folder above it only.
        extension.include_dirs.append(f"{sources}/{LIBRARY.split('.')[0]}")
    return extensions


class BuildInThreads(build_ext):
    """The C sources of one extension are compiled on all processors; setuptools compiles one after the other.

    No library is looked for where this Python lies: a package is for other machines.
    """

    def build_extensions(self) -> None:
        self.compiler.linker_so = [word for word in self.compiler.linker_so if not word.startswith("-Wl,-rpath")]
        one_by_one = self.compiler.compile

        def at_once(sources: list[str], **options: Any) -> list[str]:
            with ThreadPool() as pool:
                return [path for made in pool.map(lambda one: one_by_one([one], **options), sources) for path in made]

        self.compiler.compile = at_once
        super().build_extensions()


#: What only asks for names and versions, or packs sources, compiles nothing.
extensions = [] if {"egg_info", "dist_info", "sdist"} & set(sys.argv) else compiled()
# What is compiled here is of one version of Python; the Rust core alone is of all from 3.11 on.
options = {} if extensions else {"bdist_wheel": {"py_limited_api": "cp311"}}
setup(ext_modules=extensions, cmdclass={"build_ext": BuildInThreads}, options=options)
