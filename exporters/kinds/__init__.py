"""Exporters, one file a kind: a `Config`, and a `Sender` where events are delivered. The file's name is its key."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def kinds() -> dict[str, ModuleType]:
    """Every kind of exporter by its name: the files of this folder."""
    return {name: importlib.import_module(f"{__name__}.{name}") for _, name, _ in pkgutil.iter_modules(__path__)}
