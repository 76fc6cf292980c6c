"""The section `exporters` of the configuration: for each kind (a file's name) one instance, or a list of named ones.

It checks each against the kind's own `Config` and says every mistake with file, line and key. Adding a kind is
adding its file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from exporters.kinds import kinds
from exporters.settings import PATH, ExporterSettings
from sensor.settings.config import Rooting
from sensor.settings.document import ConfigDocument, ConfigKey

Model = TypeVar("Model", bound=BaseModel)
SECTION = "exporters"
STDOUT = "-"


def read_section(document: ConfigDocument, folder: Path | None) -> dict[str, list[Any]]:
    """Take the section out of a document; its settings by kind. Mistakes are added to the document's problems.

    Relative paths are meant from `folder`, those of a `--set` from where the command runs.
    """
    section = document.values.pop(SECTION)
    if section is None:
        return {}
    if not isinstance(section, dict):
        document.problems.append(f"{document.place((SECTION,))}: {SECTION}: must be kinds and their settings")
        return {}
    modules = kinds()
    settings: dict[str, list[Any]] = {}
    for kind, given in section.items():
        key: ConfigKey = (SECTION, str(kind))
        if kind not in modules:
            document.problems.append(
                f"{document.place(key)}: {SECTION}.{kind}: unknown kind; {_nearest(str(kind), modules)}"
            )
            continue
        instances = (
            [((*key, number), instance) for number, instance in enumerate(given)]
            if isinstance(given, list)
            else [(key, given)]
        )
        checked = [_instance(document, place, values, modules[kind].Config, folder) for place, values in instances]
        settings[kind] = [instance for instance in checked if instance is not None]
        document.problems += _unnamed(document, key, settings[kind])
    return settings


def _instance(
    document: ConfigDocument, key: ConfigKey, given: object, config: type[ExporterSettings], folder: Path | None
) -> ExporterSettings | None:
    try:
        settings = config.model_validate({} if given is None else given)
    except ValidationError as error:
        for item in error.errors():
            where = (*key, *item["loc"])
            message = f"{item['msg'][0].lower()}{item['msg'][1:]}".removeprefix("value error, ")
            if item["type"] == "extra_forbidden":
                message = f"unknown key; {_nearest(str(where[-1]), _section(config, item['loc']).model_fields)}"
            document.problems.append(f"{document.place(where)}: {'.'.join(map(str, where))}: {message}")
        return None
    if folder is None:
        return settings

    def rooting(path: str, place: ConfigKey) -> str:
        """Relative paths start at the folder of the file."""
        return path if document.place(place).startswith("--set") else str(folder / path)

    return with_rooted_paths(settings, rooting, key)


def with_rooted_paths(section: Model, rooting: Rooting, key: ConfigKey) -> Model:
    """A section, whose key is given, with every path of a file made whole."""
    changed: dict[str, Any] = {}
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            changed[name] = with_rooted_paths(value, rooting, (*key, name))
        elif info.json_schema_extra == PATH and isinstance(value, str) and value != STDOUT:
            changed[name] = rooting(value, (*key, name))
    return section.model_copy(update=changed)


def _unnamed(document: ConfigDocument, key: ConfigKey, settings: list[Any]) -> Iterator[str]:
    """Several of one kind need names of their own, which stay: the name is that of the cursor in the outbox."""
    names = [getattr(instance, "name", None) for instance in settings]
    for number, name in enumerate(names):
        if len(names) > 1 and (name is None or name in names[:number]):
            where = (*key, number)
            mistake = "name is missing" if name is None else f"the name {name} stands here twice"
            place = f"{document.place(where)}: {'.'.join(map(str, where))}"
            yield f"{place}: {mistake}; each of several needs one of its own"


def _section(config: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """The section an unknown key stands in."""
    for name in place[:-1]:
        info = config.model_fields.get(str(name))
        if info is None or not (isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)):
            break
        config = info.annotation
    return config


def _nearest(name: str, names: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
