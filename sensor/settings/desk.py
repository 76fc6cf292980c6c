"""The sections of the configuration that are of people: the audit, the accounts of the console, and its map.

Shapes and bounds of values; knows nothing of what is done with them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from sensor.model.ledger_url import ledger_url_mistake, shown_ledger_url
from sensor.model.section import Section
from sensor.settings.https import is_safe_url
from sensor.settings.sections import Text


def _store_url(url: str) -> str:
    mistake = ledger_url_mistake(url)
    if mistake is not None:
        raise ValueError(f"{shown_ledger_url(url)}: {mistake}")
    return url


#: Algorithms of keys of which the provider alone has the private half (RFC 7518 section 3.1).
SignatureAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
USUAL_ALGORITHMS: tuple[SignatureAlgorithm, ...] = ("RS256", "ES256")
StoreUrl = Annotated[str, AfterValidator(_store_url)]


class AuditSettings(Section):
    """The audit: where its rows are (none: beside the ledger), by which hash they are chained, with which key its
    anchors are signed, the file that each anchor is added to, and for how many days rows are kept: six months at least
    (Cybersecurity Law of China, article 21, of logs).
    """

    url: StoreUrl | None = None
    hash: Literal["sha256", "sm3"] = "sha256"
    key: Text | None = None
    anchors: Text | None = None
    keep_days: Annotated[int, Field(ge=183, le=36_500)] = 3_650


class OidcSettings(Section):
    """Signing in at a provider of OpenID Connect (none: by passwords alone): its issuer, how this console is known
    there, the file with the secret for it, the URL of the console's own call-back, and the claim that is a login here.
    """

    issuer: Text | None = None
    client_id: Text | None = None
    secret_file: Text | None = None
    redirect_url: Text | None = None
    claim: Text = "preferred_username"
    algorithms: Annotated[list[SignatureAlgorithm], Field(min_length=1)] = Field(
        default_factory=lambda: list(USUAL_ALGORITHMS)
    )
    ca: Text | None = None

    @field_validator("issuer", "redirect_url")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_url(url):
            raise ValueError("must be https://HOST..., or http:// on this machine alone")
        return url

    @model_validator(mode="after")
    def _whole(self) -> OidcSettings:
        if self.issuer is not None:
            for name in ("client_id", "secret_file", "redirect_url"):
                if getattr(self, name) is None:
                    raise ValueError(f"an issuer needs {name}, too")
        return self


class PeopleSettings(Section):
    """The accounts of the console: where they are (none: beside the ledger), after how long without a page, and after
    how long in any case, whoever signed in has to do so again; and for how many days is kept what is over: closed
    accounts, tokens and sessions that ended, networks of sign-ins.
    """

    url: StoreUrl | None = None
    idle_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12
    closed_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    tokens_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    sessions_days: Annotated[int, Field(ge=1, le=30)] = 30
    places_days: Annotated[int, Field(ge=1, le=90)] = 90
    oidc: OidcSettings = OidcSettings()


def _approval(text: str) -> str:
    if not text.isprintable() or not any(char.isdigit() for char in text):
        raise ValueError("must be the number as it is printed on the map, e.g. GS(2099)0001号")
    return text.removeprefix("审图号").lstrip(":： ")


class MapSettings(Section):
    """The map of divisions on the overview (none: bars alone): its GeoJSON file, and the number under which it was
    approved (审图号): maps that are shown to others need it (地图管理条例, decree 664 of the State Council), and
    nobody here can check it.
    """

    file: Text | None = None
    approval: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_approval)] | None = None

    @model_validator(mode="after")
    def _approved(self) -> MapSettings:
        if self.file is not None and self.approval is None:
            raise ValueError("a map needs console.map.approval, too: the number under which it was approved (审图号)")
        return self


class ConsoleSettings(Section):
    """What the console shows beside what the ledger has."""

    map: MapSettings = MapSettings()
