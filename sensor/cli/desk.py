"""The console of a ledger for whoever signs in: its accounts, its audit and its pages, put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli.case_filter import divisions_of
from sensor.cli.frame import CommandError, exit_on, grounds_of, say, site_weights_of
from sensor.cli.people import opened_door
from sensor.cli.people_tidy import tidied
from sensor.model.exit_codes import CONFIG, RUN_ERROR, USAGE
from sensor.model.figures import Rates

if TYPE_CHECKING:
    from fastapi import APIRouter
    from starlette.types import ASGIApp

    from sensor.console.atlas.plate import MapPlate
    from sensor.console.desk import Desk
    from sensor.console.people.gate import DoorSignIn
    from sensor.console.web.server import Listening
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger
    from sensor.ledger.store.beside import StorePlace
    from sensor.model.audit_head import AuditHead

#: Seconds between two looks for bulletins whose time is over.
SWEEP_S = 60.0
NOBODY = "console: nobody could manage accounts: minewatch people add NAME --role admin"
OPEN_NETWORK = (
    "console: {address} is asked over a network, where passwords and sessions would be read by others: give "
    "--certificate and --key, or listen on 127.0.0.1 behind a server that speaks TLS"
)


def plate_of_settings(settings: Configuration) -> MapPlate | None:
    """The operator's map, read and checked; None where there is none. Raises CommandError."""
    from sensor.console.atlas.geojson import MapError
    from sensor.console.atlas.plate import read_plate

    its = settings.console.map
    if its.file is None or its.approval is None:
        return None
    try:
        return read_plate(Path(its.file), its.approval, divisions_of(settings), datetime.now(settings.ledger.zone).year)
    except MapError as error:
        raise CommandError(CONFIG, f"console.map.file: {its.file}: {error}") from None


def desk_of(settings: Configuration, ledger: Ledger, plate: MapPlate | None = None, banner: str | None = None) -> Desk:
    """What the pages are made of; those of a demonstration, which has a banner, have no captures."""
    from sensor.console.desk import Desk

    bulletin, evidence = settings.bulletin, settings.evidence.folder
    return Desk(
        ledger.engine,
        divisions_of(settings),
        settings.ledger.zone,
        site_weights_of(settings),
        Rates(bulletin.co2_kg_per_kwh, bulletin.surcharge_yuan_per_kwh),
        grounds_of(settings),
        evidence=None if evidence is None or banner is not None else Path(evidence),
        plate=plate,
        banner=banner,
    )


def _bulletins(desk: Desk, sign_in: DoorSignIn, place: StorePlace, closing: ExitStack) -> APIRouter:
    """The routes of bulletins, which end with the console, and are forgotten in time."""
    from sensor.audit.store import AuditError, AuditReader
    from sensor.console.bulletins.making import BulletinMaker
    from sensor.console.bulletins.press import BulletinPress
    from sensor.console.people.bulletins import bulletins_router
    from sensor.console.people.daily import DailyWork

    def audit_head() -> AuditHead | None:
        try:
            reader = AuditReader(place)
            try:
                return reader.head(desk.clock())
            finally:
                reader.close()
        except AuditError as error:
            say(f"console: the head of the audit is not on a bulletin: {error}")
            return None

    press = BulletinPress(BulletinMaker(desk, audit_head).files, desk.clock)
    closing.callback(press.stop)
    closing.callback(DailyWork(press.sweep, SWEEP_S).stop)
    return bulletins_router(desk, sign_in, press)


@contextmanager
def opened_desk(settings: Configuration, where: Listening) -> Iterator[ASGIApp]:
    """The application, until it is served no more. Raises CommandError."""
    from sensor.audit.store import AuditReader, audit_place
    from sensor.console.interface.answers import ProgramAnswers
    from sensor.console.interface.gate import TokenGate
    from sensor.console.interface.rate import RequestRate
    from sensor.console.interface.router import interface_router
    from sensor.console.office import CaseOffice
    from sensor.console.people.accounts import people_router
    from sensor.console.people.audit import audit_router
    from sensor.console.people.casework import casework_router
    from sensor.console.people.daily import DailyWork
    from sensor.console.people.entrance import entrance_router
    from sensor.console.people.gate import DoorSignIn
    from sensor.console.people.names import names_router
    from sensor.console.people.tokens import tokens_router
    from sensor.console.people.view_rows import ViewRows
    from sensor.console.people.views import views_router
    from sensor.console.web.app import make_app
    from sensor.console.web.preparation import prepare
    from sensor.ledger import Ledger, LedgerError
    from sensor.ledger.casework import CaseClerk
    from sensor.ledger.replay import files_of
    from sensor.people.opening import open_oidc
    from sensor.people.views import PersonalViews

    if where.on_open_network:
        raise CommandError(USAGE, OPEN_NETWORK.format(address=where.address))
    plate = plate_of_settings(settings)
    with opened_door(settings, "console", to_read=True) as door, ExitStack() as closing:
        if not any(account.is_active_admin for account in door.accounts.all()):
            raise CommandError(CONFIG, NOBODY)
        with exit_on(LedgerError, code=RUN_ERROR):
            ledger = Ledger.open_to_read(settings.ledger.url)
        closing.callback(ledger.close)
        care = DailyWork(lambda: tidied(settings, door))
        closing.callback(care.stop)
        provider = open_oidc(settings.people.oidc, door.store, door.trail)
        clerk = CaseClerk.beside_readers(settings.ledger.url, files_of(settings.ledger))
        closing.callback(clerk.close)
        with exit_on(LedgerError, code=RUN_ERROR):
            if clerk.files is not None:
                clerk.files.sweep()
        office = CaseOffice(clerk, door.accounts.all)
        desk = dataclasses.replace(desk_of(settings, ledger, plate), office=office)
        sign_in = DoorSignIn(door, secure=where.secure, has_provider=provider is not None, has_proxy=where.behind_tls)
        personal = PersonalViews(door.store, door.trail)
        place = audit_place(settings.ledger.url, settings.audit.url)
        routers = [
            entrance_router(desk, sign_in),
            people_router(desk, sign_in),
            tokens_router(desk, sign_in),
            names_router(desk, sign_in),
            views_router(sign_in, personal),
            audit_router(desk, lambda: AuditReader(place)),
            _bulletins(desk, sign_in, place, closing),
            interface_router(ProgramAnswers(desk, door.trail, sign_in.clock)),
        ]
        if provider is not None:
            from sensor.console.people.provider import provider_router

            closing.callback(provider.close)
            routers.append(provider_router(sign_in, provider))
        accounts = sorted(door.accounts.all(), key=lambda account: -(account.signed_in_ns or 0))
        prepare(desk, (account.viewer for account in accounts if account.viewer.sees_data and not account.disabled))
        witness = ViewRows(door.trail, sign_in.clock)
        routers.append(casework_router(desk, sign_in, office, witness))
        programs = TokenGate(door.tokens, sign_in.clock, sign_in.address_of, RequestRate())
        yield make_app(
            desk,
            sign_in,
            hosts=where.names,
            secure=where.secure,
            routers=routers,
            witness=witness,
            programs=programs,
            personal=personal,
        )
