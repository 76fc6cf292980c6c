"""The configuration section `attribution`: its sources, found by the names of their files, and where the sensor looks.

A source is a file of the folder `sources` with a `Config` and a `load`; its `kind` is the file's name. A new one needs
no entry anywhere else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cache, reduce
from operator import or_
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field, PrivateAttr, TypeAdapter, field_validator
from pydantic_core import CoreSchema, core_schema

from sensor.attribution.books.source import Name, SourceConfig
from sensor.model.address import parse_network
from sensor.model.section import LaterModels, Section

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


def module(kind: str) -> ModuleType:
    """The source of this kind."""
    return importlib.import_module(f"{__package__}.sources.{kind}")


@cache
def kinds() -> tuple[str, ...]:
    """The names of all sources, in order."""
    return tuple(
        sorted(path.stem for path in Path(__file__).with_name("sources").glob("*.py") if path.stem != "__init__")
    )


class PointConfig(Section):
    """Which VRF is seen on an interface, in a VLAN, or in both."""

    vrf: Name
    interface: Name | None = None
    vlan: Annotated[int, Field(ge=0, le=4095)] | None = None


@cache
def _adapter() -> TypeAdapter[SourceConfig]:
    models = reduce(or_, SourceModels.models())
    return TypeAdapter(cast("type[SourceConfig]", Annotated[models, Field(discriminator="kind")]))


class SourceModels(LaterModels):
    """A source is checked by the model of its kind. All that reads books comes with them."""

    @staticmethod
    def models() -> Sequence[type[SourceConfig]]:
        """The settings of each kind of source."""
        return [module(kind).Config for kind in kinds()]

    @staticmethod
    def __get_pydantic_core_schema__(_source: object, _handler: object) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(lambda given: _adapter().validate_python(given))

    @staticmethod
    def __get_pydantic_json_schema__(_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(_adapter().core_schema)


if TYPE_CHECKING:
    AnySource = SourceConfig
else:
    AnySource = Annotated[Any, SourceModels]


class AttributionSettings(Section):
    """Everything that attribution is configured with."""

    sources: list[AnySource] = Field(default_factory=list)
    points: list[PointConfig] = Field(default_factory=list)
    divisions: Name | None = None  # a file of `code,name` lines that goes before the shipped table
    prefixes: list[str] = Field(default_factory=list)  # the operator's own: how much of them books cover
    proxies: list[str] = Field(default_factory=list)  # networks of proxies whose PROXY headers are believed
    _places: dict[int | str, str] = PrivateAttr(default_factory=dict)

    @field_validator("prefixes", "proxies")
    @classmethod
    def _networks(cls, names: list[str]) -> list[str]:
        return [str(parse_network(name)) for name in names]

    def place(self, key: int | str) -> str:
        """Where a source, or a key, is configured."""
        return self._places.get(key, f"attribution.sources.{key}" if isinstance(key, int) else f"attribution.{key}")

    def rooted(
        self, path_of: Callable[[str, tuple[Any, ...]], str], place_of: Callable[[tuple[Any, ...]], str]
    ) -> AttributionSettings:
        """The same with the paths of a configuration file made whole, and with the places of what it names."""
        if not self.sources and not self.divisions:
            return self
        sources = []
        for number, source in enumerate(self.sources):
            given = {name: getattr(source, name) for name in source.FILE_KEYS if getattr(source, name)}
            whole = {name: path_of(text, ("attribution", "sources", number, name)) for name, text in given.items()}
            sources.append(source.model_copy(update=whole))
        divisions = self.divisions and path_of(self.divisions, ("attribution", "divisions"))
        settings = self.model_copy(update={"sources": sources, "divisions": divisions})
        places: dict[int | str, str] = {
            number: place_of(("attribution", "sources", number, "path")) for number in range(len(sources))
        }
        settings._places = {**places, "divisions": place_of(("attribution", "divisions"))}
        return settings
