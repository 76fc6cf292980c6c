"""The console of a ledger for whoever signs in: its accounts, its audit and its pages, put together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sensor.cli.frame import CommandError, exit_on, say
from sensor.cli.people import opened_door
from sensor.model.exit_codes import CONFIG, RUN_ERROR, USAGE

if TYPE_CHECKING:
    from sensor.console.desk import Desk
    from sensor.console.server import Listening
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger

NOBODY = "console: nobody could manage accounts: minewatch people add NAME --role admin"


def serve_desk(settings: Configuration, where: Listening, desk_of: Callable[[Configuration, Ledger], Desk]) -> None:
    """Serve until interrupted. Raises CommandError."""
    from sensor.audit.store import AuditReader, audit_place
    from sensor.console.app import make_app
    from sensor.console.people.accounts import people_router
    from sensor.console.people.audit import audit_router
    from sensor.console.people.entrance import entrance_router
    from sensor.console.people.gate import DoorSignIn
    from sensor.console.server import serve
    from sensor.ledger import Ledger, LedgerError
    from sensor.people.opening import open_oidc

    if not where.on_loopback and not where.secure:
        raise CommandError(
            USAGE,
            f"console: {where.address} is asked over a network, where passwords and sessions would be read by others: "
            "give --certificate and --key, or listen on 127.0.0.1 behind a server that speaks TLS",
        )
    with opened_door(settings, "console", to_read=True) as door, ExitStack() as closing:
        if not any(account.is_active_admin for account in door.accounts.all()):
            raise CommandError(CONFIG, NOBODY)
        with exit_on(LedgerError, code=RUN_ERROR):
            ledger = Ledger.open_to_read(settings.ledger.url)
        closing.callback(ledger.close)
        provider = open_oidc(settings.people.oidc, door.store, door.trail)
        desk = desk_of(settings, ledger)
        sign_in = DoorSignIn(door, secure=where.secure, has_provider=provider is not None)
        place = audit_place(settings.ledger.url, settings.audit.url)
        routers = [
            entrance_router(desk, sign_in),
            people_router(desk, sign_in),
            audit_router(desk, lambda: AuditReader(place)),
        ]
        if provider is not None:
            from sensor.console.people.provider import provider_router

            closing.callback(provider.close)
            routers.append(provider_router(sign_in, provider))
        say(f"console: {where.url} (stop with Ctrl-C)")
        serve(make_app(desk, sign_in, hosts=where.names, secure=where.secure, routers=routers), where)
