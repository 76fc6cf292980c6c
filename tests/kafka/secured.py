"""TLS and SASL with a real broker: who has the password and trusts the certificate delivers and reads; who does not is
refused with the reason, and nothing counts as delivered.
"""

from __future__ import annotations

import re
from pathlib import Path

from exporters.destination import Unreachable
from exporters.kinds.kafka import Config, Sender
from sensor.model.wire import QueuedReport
from tests.delivery.receivers import certificates
from tests.kafka.broker import broker

#: Parts of a reason that are another place in every run.
PLACE = re.compile(r"localhost|sasl_ssl://|error:")
SCRAM = "SCRAM-SHA-512"
USER, PASSWORD = "sensor-17", "correct horse battery"


def secured(folder: Path, _: bool) -> dict[str, str]:
    """What each way to come is answered."""
    found = certificates(folder)
    wrong = folder / "wrong"
    wrong.mkdir()
    others = certificates(wrong)
    password = folder / "password"
    figures: dict[str, str] = {}
    with broker(_listener(found), f"{SCRAM}=[name={USER},password={PASSWORD}]") as brokers:
        place = f"localhost:{brokers.secured_port}"
        sasl = {"mechanism": SCRAM, "username": USER, "password_file": str(password)}
        given = {
            "brokers": [place],
            "topic": "secured",
            "timeout_s": 5.0,
            "sasl": sasl,
            "tls": {"ca": str(found["ca"])},
        }
        password.write_text(PASSWORD)
        for number, mechanism in enumerate((SCRAM, "PLAIN"), 1):
            sender = Sender(Config.model_validate({**given, "sasl": {**sasl, "mechanism": mechanism}}))
            sender.send_reports([QueuedReport(number, 1, "10.0.0.1", "{}")])
            sender.close()
            figures[f"with the password, over TLS, {mechanism}"] = "delivered"
        figures["an authority that did not sign the broker"] = refused({**given, "tls": {"ca": str(others["ca"])}})
        password.write_text("wrong horse")
        figures["a wrong password"] = refused(given)
    assert PASSWORD not in str(figures)
    assert "wrong horse" not in str(figures)
    return figures


def refused(given: dict[str, object]) -> str:
    """Why a report cannot be sent so."""
    sender = Sender(Config.model_validate(given))
    try:
        sender.send_reports([QueuedReport(9, 1, "10.0.0.1", "{}")])
    except Unreachable as error:
        parts = str(error).replace("|", "/").split(": ")
        return f"refused: {': '.join(part for part in parts if not PLACE.match(part))[:60]}"
    finally:
        sender.close()
    raise AssertionError("it was delivered")


def _listener(found: dict[str, Path]) -> str:
    store = found["key"].with_name("store.pem")
    store.write_text(found["key"].read_text() + found["certificate"].read_text())
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return f"""
sasl.enabled.mechanisms=PLAIN,{SCRAM}
listener.name.secured.{SCRAM.lower()}.sasl.jaas.config={scram}
listener.name.secured.plain.sasl.jaas.config={login}
listener.name.secured.ssl.keystore.type=PEM
listener.name.secured.ssl.keystore.location={store}
"""
