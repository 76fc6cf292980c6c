"""The accounts of a configuration, opened; and its provider, if it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporters.destination import Unusable
from exporters.settings import secret_of
from sensor.audit.trail import AuditTrail
from sensor.model.time import HOUR_NS, MINUTE_NS
from sensor.people.door import PeopleDoor
from sensor.people.passwords import PasswordHashes
from sensor.people.sessions import SessionRules
from sensor.people.store import PeopleError, PeopleStore, people_place
from sensor.settings.desk import OidcSettings, PeopleSettings

if TYPE_CHECKING:
    from sensor.people.oidc import OidcDoor


def open_door(
    ledger_url: str, settings: PeopleSettings, trail: AuditTrail, hashes: PasswordHashes | None = None
) -> PeopleDoor:
    """Everything that is asked of accounts; close it before the trail. Raises PeopleError."""
    times = SessionRules(settings.idle_minutes * MINUTE_NS, settings.session_hours * HOUR_NS)
    return PeopleDoor(PeopleStore(people_place(ledger_url, settings.url)), trail, times, hashes)


def open_oidc(settings: OidcSettings, store: PeopleStore, trail: AuditTrail) -> OidcDoor | None:
    """Signing in at the configured provider; None without one. The provider is asked when somebody signs in. Raises
    PeopleError for a secret that cannot be read."""
    if settings.issuer is None:
        return None
    from sensor.people.oidc import OidcClient, OidcDoor
    from sensor.people.provider import OidcProvider, https_fetch

    try:
        secret = secret_of("people.oidc.secret_file", settings.secret_file)
    except Unusable as error:
        raise PeopleError(str(error)) from None
    client = OidcClient(
        settings.client_id or "", secret, settings.redirect_url or "", settings.claim, tuple(settings.algorithms)
    )
    return OidcDoor(store, trail, OidcProvider(settings.issuer, https_fetch(settings.ca)), client)
