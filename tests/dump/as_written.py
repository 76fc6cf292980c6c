"""Runs a module with all of ours as they are written, also where compiled ones lie beside them:
`python -m tests.dump.as_written MODULE [ARGUMENT ...]`.

Python looks for extensions first and for sources after them; here it is the other way round.
"""

from __future__ import annotations

import runpy
import sys
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from importlib.util import find_spec


def prefer_sources() -> None:
    """What is imported from here on is a source where there is one."""
    loaders = ((SourceFileLoader, SOURCE_SUFFIXES), (ExtensionFileLoader, EXTENSION_SUFFIXES))
    sys.path_hooks.insert(0, FileFinder.path_hook(*loaders))
    sys.path_importer_cache.clear()
    found = find_spec("sensor.session.session")
    if found is None or not str(found.origin).endswith(".py"):
        raise SystemExit(f"sources were asked for, and {found} came")


if __name__ == "__main__":
    prefer_sources()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
