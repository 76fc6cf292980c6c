"""What a later report withdraws of an earlier one, and that every exporter's form says so."""

from __future__ import annotations

import dataclasses

import pytest

from exporters.forms.alert import _annotations
from exporters.forms.event import dumps, encode
from exporters.forms.syslog import SyslogFormat
from sensor.ledger.write.lifecycle import HeldFinding, advance
from sensor.model.finding import Finding
from sensor.model.naming import Correction, MinedName, correction
from sensor.model.record import event_id
from tests.session.dialogue import only

KADENA = MinedName("kadena", "KDA", "blake2s", "proven")
KAWPOW = MinedName("kawpow", "RVN", "kawpow", "assumed")
UNKNOWN = MinedName("stratum", None, None, None)


def mined() -> Finding:
    return only(
        """
        C {"id":1,"method":"mining.subscribe","params":["kawpowminer/1.2.4"]}
        S {"id":1,"result":[null,"41c8"],"error":null}
        C {"id":2,"method":"mining.authorize","params":["plant.k1","x"]}
        S {"id":2,"result":true,"error":null}
        """
    )


@pytest.mark.parametrize(
    ("before", "now", "withdrawn"),
    [
        (KADENA, KAWPOW, Correction("kadena", "KDA", "blake2s")),
        (KADENA, UNKNOWN, Correction("kadena", "KDA", "blake2s")),
        (UNKNOWN, KAWPOW, None),
        (KAWPOW, KAWPOW, None),
        (KAWPOW, KAWPOW._replace(algorithm="firopow", coin="FIRO"), Correction(None, "RVN", "kawpow")),
        (
            MinedName("equihash", None, "equihash", "assumed"),
            MinedName("equihash", None, "equihash/200,9", "proven"),
            None,
        ),
        (MinedName("cryptonote", None, "rx/0", "proven"), MinedName("cryptonote", None, "cn/r", "proven"), None),
    ],
)
def test_only_what_was_said_and_no_longer_holds_is_withdrawn(
    before: MinedName, now: MinedName, withdrawn: Correction | None
) -> None:
    assert correction(before, now) == withdrawn


def test_the_ledger_corrects_once_what_it_has_told() -> None:
    right = mined()
    wrong = dataclasses.replace(right, dialect="kadena", coin="KDA", algorithm="blake2s", algorithm_basis="assumed")
    told, _ = advance(None, wrong, is_open=True, suppressed=None)
    assert told.finding.corrects is None
    held, is_event = advance(told, right, is_open=True, suppressed=None)
    assert (is_event, held.finding.corrects) == (True, Correction("kadena", "KDA", "blake2s"))
    again, is_event = advance(held, right, is_open=True, suppressed=None)
    assert (is_event, again) == (False, held)
    unheard, _ = advance(HeldFinding(wrong, "too few shares"), right, is_open=True, suppressed=None)
    assert unheard.finding.corrects is None


def test_every_form_says_what_is_withdrawn() -> None:
    right = mined()
    corrected = dataclasses.replace(right, corrects=Correction("kadena", "KDA", "blake2s"))
    assert '"corrects":{"dialect":"kadena","coin":"KDA","algorithm":"blake2s"}' in dumps(encode(corrected))
    assert "corrects" not in dumps(encode(right))
    assert b'correction="yes"' in SyslogFormat("local0", "host", "32473", 65_000).encode(corrected)
    assert _annotations(corrected)["withdrawn"] == "kadena, KDA, blake2s"
    assert event_id(corrected) != event_id(right)
