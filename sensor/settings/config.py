"""The configuration: one YAML file, overrides of single keys, and every mistake in it named at once with file, line and
key.

It knows the shape and the bounds of each value and nothing about what is done with them. Relative paths in a file
are meant from the folder of that file. Sections that other parts own are fields of a subclass
(`sensor/daemon/configuration.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError

from sensor.model.section import Section
from sensor.model.sensor import valid_sensor_id
from sensor.settings.desk import AuditSettings, ConsoleSettings, PeopleSettings
from sensor.settings.document import ConfigDocument, ConfigError, ConfigKey, override, read, report
from sensor.settings.sections import (
    BehaviourSettings,
    BulletinSettings,
    CaptureSettings,
    EstimateSettings,
    EvidenceSettings,
    FindingsSettings,
    JournalSettings,
    LedgerSettings,
    LimitSettings,
    NamesSettings,
    OutputSettings,
    SignatureSettings,
    StatusSettings,
    VerifySettings,
)

#: Of status.socket: one for each sensor, in the runtime folder.
AUTO = "auto"
#: Makes a path of a file whole: the text, and the key it stands at.
Rooting = Callable[[str, ConfigKey], str]


def _sensor_id(text: str) -> str:
    if not valid_sensor_id(text):
        raise ValueError("must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit")
    return text


class SensorSettings(Section):
    """Everything that can be configured."""

    sensor_id: Annotated[str, AfterValidator(_sensor_id)] | None = None
    #: What this sensor's clock is ahead of the true time, in milliseconds, where that is known.
    clock_offset_ms: Annotated[int, Field(ge=-86_400_000, le=86_400_000)] = 0
    engine: Literal["auto", "compiled", "reference"] = "auto"
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    #: Whether the daemon gives up what it does not need, where the kernel lets it.
    sandbox: bool = True
    limits: LimitSettings = LimitSettings()
    signatures: SignatureSettings = SignatureSettings()
    names: NamesSettings = NamesSettings()
    verify: VerifySettings = VerifySettings()
    estimate: EstimateSettings = EstimateSettings()
    behaviour: BehaviourSettings = BehaviourSettings()
    output: OutputSettings = OutputSettings()
    capture: CaptureSettings = CaptureSettings()
    findings: FindingsSettings = FindingsSettings()
    ledger: LedgerSettings = LedgerSettings()
    bulletin: BulletinSettings = BulletinSettings()
    audit: AuditSettings = AuditSettings()
    people: PeopleSettings = PeopleSettings()
    console: ConsoleSettings = ConsoleSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    journal: JournalSettings = JournalSettings()
    status: StatusSettings = StatusSettings()
    exporters: dict[str, list[Any]] = Field(
        default_factory=dict
    )  # by kind: the settings of each instance, of the kind's own type

    def dump(self) -> str:
        """The configuration in force as YAML."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False)

    def rooted(self, rooting: Rooting, place: Callable[[ConfigKey], str]) -> Self:  # noqa: ARG002 (for the subclass)
        """The same with every path of a file made whole; `place` says where a key stands."""
        names, lists = enumerate(self.signatures.files), enumerate(self.names.lists)
        capture = {name: getattr(self.capture, name) for name in ("folder", "memory")}
        changes = {
            "signatures": SignatureSettings(
                files=[rooting(name, ("signatures", "files", index)) for index, name in names]
            ),
            "names": NamesSettings(lists=[rooting(name, ("names", "lists", index)) for index, name in lists]),
            "output": self.output.model_copy(update={"eve": _whole(rooting, self.output.eve, ("output", "eve"))}),
            "evidence": self.evidence.model_copy(
                update={"folder": _whole(rooting, self.evidence.folder, ("evidence", "folder"))}
            ),
            "capture": self.capture.model_copy(
                update={name: _whole(rooting, path, ("capture", name)) for name, path in capture.items()}
            ),
            "status": self._rooted_status(rooting),
            "behaviour": self.behaviour.model_copy(
                update={
                    "blocks": {
                        coin: rooting(name, ("behaviour", "blocks", coin))
                        for coin, name in self.behaviour.blocks.items()
                    }
                }
            ),
            "ledger": self.ledger.model_copy(update={"url": _rooted_url(self.ledger.url, rooting)}),
            "audit": self._rooted_audit(rooting),
            "people": self._rooted_people(rooting),
            "console": self._rooted_console(rooting),
        }
        return self.model_copy(update=changes)

    def _rooted_audit(self, rooting: Rooting) -> AuditSettings:
        files = {name: _whole(rooting, getattr(self.audit, name), ("audit", name)) for name in ("key", "anchors")}
        return self.audit.model_copy(update={"url": _rooted_store(self.audit.url, rooting), **files})

    def _rooted_people(self, rooting: Rooting) -> PeopleSettings:
        oidc, key = self.people.oidc, ("people", "oidc")
        files = {name: _whole(rooting, getattr(oidc, name), (*key, name)) for name in ("secret_file", "ca")}
        store = _rooted_store(self.people.url, rooting)
        return self.people.model_copy(update={"url": store, "oidc": oidc.model_copy(update=files)})

    def _rooted_console(self, rooting: Rooting) -> ConsoleSettings:
        its = self.console.map
        file = _whole(rooting, its.file, ("console", "map", "file"))
        return ConsoleSettings(map=its.model_copy(update={"file": file}))

    def _rooted_status(self, rooting: Rooting) -> StatusSettings:
        path = self.status.socket
        return self.status if path == AUTO else StatusSettings(socket=_whole(rooting, path, ("status", "socket")))


class ConfigLayer(Protocol):
    """Values that lie over those of the file, and files of their own."""

    def __call__(self, document: ConfigDocument) -> None:
        """Put them over a document, each with its place; mistakes are added to the document's problems."""

    def shown(self, sentence: str) -> str:
        """A sentence in which its files have the names that whoever gave them knows."""


C = TypeVar("C", bound=SensorSettings)
#: Takes a section out of a document and gives its settings; mistakes are added to the document's problems.
SectionReader = Callable[[ConfigDocument, Path | None], Any]
#: Looks at valid settings as a whole, with the place of a key; a sentence for each mistake.
SettingsCheck = Callable[[C, Callable[[ConfigKey], str]], Sequence[str]]


def load(
    model: type[C],
    path: Path | None = None,
    overrides: Sequence[str] = (),
    readers: Mapping[str, SectionReader] | None = None,
    checks: Sequence[SettingsCheck[C]] = (),
    layers: Sequence[ConfigLayer] = (),
) -> C:
    """Read a file (or only the defaults), put `layers` and then `key=value` overrides over it, and check all of it.

    `readers` check sections that the model does not describe, by name; each is called only if its section is there.
    `checks` look at what the shape cannot tell, once all shapes are right.
    Raises ConfigError with every mistake.
    """
    document = read(path) if path else ConfigDocument()
    for layer in layers:
        layer(document)
    for text in overrides:
        override(document, text)
    given = {
        name: reader(document, path and path.parent)
        for name, reader in (readers or {}).items()
        if name in document.values
    }
    try:
        config = model.model_validate(document.values).model_copy(update=given)
    except ValidationError as error:
        report(document, model, error)
    if document.problems:
        raise ConfigError(document.problems)
    if path is not None:
        config = _in_folder(config, path.parent, document)
    problems = [problem for check in checks for problem in check(config, document.place)]
    if problems:
        raise ConfigError(problems)
    return config


def _in_folder(config: C, folder: Path, document: ConfigDocument) -> C:
    """Paths of the file are meant from its folder."""

    def rooting(name: str, key: ConfigKey) -> str:
        return name if name in ("-", "") or document.place(key).startswith("--set") else str(folder / name)

    return config.rooted(rooting, document.place)


def _whole(rooting: Rooting, path: str | None, key: ConfigKey) -> str | None:
    return None if path is None else rooting(path, key)


def _rooted_store(url: str | None, rooting: Rooting) -> str | None:
    return None if url is None else _rooted_url(url, rooting)


def _rooted_url(url: str, rooting: Rooting) -> str:
    """A relative file of SQLite (`sqlite:///name`) starts at the folder, too."""
    scheme, slashes, name = url.partition(":///")
    if scheme != "sqlite" or not slashes or not name or name.startswith(("/", ":")):
        return url
    return f"sqlite:///{Path(rooting(name, ('ledger', 'url'))).absolute()}"
