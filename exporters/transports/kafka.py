"""How brokers of Kafka are reached: by which names, with TLS and SASL, and by which topic. Shared by the exporter and
by what collects.

Its library (librdkafka, behind confluent-kafka) is an extra and is imported when it is needed. Files of certificates
and secrets are read when a client is made, so that a start fails where one cannot be read, and nothing is opened later.
"""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from exporters.destination import Unusable
from exporters.settings import PATH, Tls, secret_of
from sensor.model.section import Section
from sensor.model.wire import VERSION

NOT_INSTALLED = "its library is not installed: pip install 'minewatch[kafka]'"
#: The longest name of a topic is 249 characters, with the version behind it.
TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
TOPIC = "minewatch.reports"
#: How long a broken connection is left alone at most, in milliseconds: resuming is to take seconds.
RECONNECT_MS = 2_000


class Sasl(Section):
    """A name and a password; the password stands in a file."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: Annotated[str, Field(min_length=1)]
    password_file: str = Field(json_schema_extra=PATH)


class KafkaSettings(Section):
    """Which brokers and which topic. The version of the wire form stands behind the topic's name, as in
    minewatch.reports.v1."""

    brokers: Annotated[list[str], Field(min_length=1)]
    topic: TopicName = TOPIC
    transport: Literal["tls", "tcp"] = "tls"
    tls: Tls = Tls()
    sasl: Sasl | None = None

    @field_validator("brokers")
    @classmethod
    def _places(cls, brokers: list[str]) -> list[str]:
        for broker in brokers:
            host, colon, port = broker.rpartition(":")
            if not host or not colon or not (port.isascii() and port.isdigit()) or not 0 < int(port[:9]) < 65_536:
                raise ValueError(f"{broker[:80]!r} must be host:port, as kafka.example.org:9093")
            if "," in broker or any(character.isspace() for character in broker):
                raise ValueError(f"{broker[:80]!r} must be one host:port")
        return brokers

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> KafkaSettings:
        if self.sasl is not None and self.sasl.mechanism == "PLAIN" and self.transport != "tls":
            raise ValueError("sasl: PLAIN sends the password as it is: use transport tls, or a SCRAM mechanism")
        return self

    @property
    def versioned_topic(self) -> str:
        """The topic of this version of the wire form."""
        return f"{self.topic}.v{VERSION}"

    @property
    def shown(self) -> str:
        """The brokers, for sentences."""
        return ", ".join(self.brokers)


def library() -> ModuleType:
    """The client's library. Raises Unusable where it is not installed."""
    try:
        import confluent_kafka
    except ImportError:
        raise Unusable(NOT_INSTALLED) from None
    return confluent_kafka


def client_settings(settings: KafkaSettings) -> dict[str, Any]:
    """What every client of these brokers is made with. Raises Unusable."""
    common: dict[str, Any] = {
        "bootstrap.servers": ",".join(settings.brokers),
        "client.id": "minewatch",
        "reconnect.backoff.max.ms": RECONNECT_MS,
        "security.protocol": ("SASL_" if settings.sasl else "")
        + ("SSL" if settings.transport == "tls" else "PLAINTEXT"),
    }
    if settings.transport == "tls":
        common |= _tls(settings.tls)
    if settings.sasl is not None:
        common |= {
            "sasl.mechanism": settings.sasl.mechanism,
            "sasl.username": settings.sasl.username,
            "sasl.password": secret_of("sasl.password_file", settings.sasl.password_file),
        }
    return common


def is_summary(error: Any) -> bool:
    """Whether an error only says that no broker is left: those before it say why."""
    return bool(error.code() == library().KafkaError._ALL_BROKERS_DOWN)


def silent_logger() -> logging.Logger:
    """Where the library's own log goes: nowhere. What is wrong is said by errors, once."""
    logger = logging.getLogger("minewatch.kafka")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger


def _tls(tls: Tls) -> dict[str, Any]:
    """Certificates as text; those of the system where no authority is named. Raises Unusable."""
    tls.context()  # says what is wrong with them
    found: dict[str, Any] = {
        "enable.ssl.certificate.verification": True,
        "ssl.endpoint.identification.algorithm": "https",
    }
    paths = ssl.get_default_verify_paths()
    ca = tls.ca or paths.cafile
    if ca is not None:
        found["ssl.ca.pem"] = _text("tls.ca", ca)
    if tls.certificate is not None:
        certificate = _text("tls.certificate", tls.certificate)
        found["ssl.certificate.pem"] = certificate
        found["ssl.key.pem"] = certificate if tls.key is None else _text("tls.key", tls.key)
    return found


def _text(key: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{key}: {path}: {getattr(error, 'strerror', None) or 'not text'}") from None
