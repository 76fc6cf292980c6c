"""What a sensor begins with: its own configuration, and the parcels that were in force before it ended. Where one of
them cannot be loaded any more, the sensor begins without it, and says so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sensor.daemon import configuration
from sensor.daemon.lease import identity_of
from sensor.daemon.sensor_id import state_folder
from sensor.daemon.setup import ConfigurationSource, Setup, SetupError, load_setup
from sensor.policy.inbox import ParcelOffer, PolicyInbox
from sensor.policy.keys import KeyFileError, PublicKey, read_publics
from sensor.policy.layer import ParcelLayer
from sensor.policy.settings import PolicySettings
from sensor.policy.shelf import PolicyShelf
from sensor.settings.document import ConfigError

#: Below the state folder.
FOLDER = "policy"


@dataclass(frozen=True, slots=True)
class FirstSetup:
    """What a sensor begins with."""

    setup: Setup
    source: ConfigurationSource  # with the parcels that are in force
    inbox: PolicyInbox | None = None  # None: it takes no parcels


def first_setup(source: ConfigurationSource) -> FirstSetup:
    """Load what a sensor begins with. Raises ConfigError with every mistake of its own files, and SensorIdError."""
    try:
        settings = configuration.load(source.path, source.overrides)
    except ConfigError:
        return FirstSetup(load_setup(source), source)  # says all that is wrong
    if settings.policy is None:
        return FirstSetup(load_setup(source), source)
    inbox = PolicyInbox(
        settings.policy,
        trusted_keys(settings.policy),
        identity_of(settings),
        PolicyShelf(state_folder(settings.ledger.url) / FOLDER),
        time.time_ns,
    )
    offers = inbox.stored()
    whole = replace(source, layers=(ParcelLayer([offer.files for offer in offers]),))
    try:
        setup = load_setup(whole)
    except SetupError:
        setup, whole, offers = _those_that_hold(source, inbox, offers)
    for offer in offers:
        inbox.resume(offer)
    return FirstSetup(setup, whole, inbox)


def trusted_keys(settings: PolicySettings) -> dict[bytes, PublicKey]:
    """The keys of a configuration, by what parcels call them. Raises SetupError."""
    try:
        return read_publics(settings.keys)
    except KeyFileError as error:
        raise SetupError({"config": [f"policy.keys: {error}"]}) from None


def _those_that_hold(
    source: ConfigurationSource, inbox: PolicyInbox, offers: Sequence[ParcelOffer]
) -> tuple[Setup, ConfigurationSource, list[ParcelOffer]]:
    """What can be loaded without the parcels that cannot; a mistake of the sensor's own files is raised."""
    setup, held = load_setup(source), list[ParcelOffer]()
    whole = source
    for offer in offers:
        tried = replace(source, layers=(ParcelLayer([each.files for each in (*held, offer)]),))
        try:
            setup, whole = load_setup(tried), tried
            held.append(offer)
        except SetupError as error:
            inbox.refuse(offer, f"at the start: {'; '.join(error.problems)}")
    return setup, whole, held
