"""The configuration section `policy`: from which brokers parcels come, whose signature is believed, and which kinds are
taken. At a centre: where they are published to."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator

from exporters.transports.kafka import KafkaSettings, TopicName
from sensor.delivery.settings import with_rooted_paths
from sensor.model.policy import KINDS, ParcelKind
from sensor.policy.keys import PREFIX
from sensor.policy.parcel import UNPACKED_BYTES, VERSION
from sensor.settings.config import Rooting


class PolicySettings(KafkaSettings):
    """Brokers and topic; the keys of whoever may sign; the kinds of parcels that are taken up; the most bytes of a
    message, and of what it unpacks to; and whether sensors share what their links teach."""

    topic: TopicName = "minewatch.policy"
    #: Public keys, as ed25519:..., or files that hold one each.
    keys: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=16)]
    #: Whether what this link teaches goes to other sensors, and what theirs do comes here; by which topic.
    share: bool = False
    share_topic: TopicName = "minewatch.learnt"
    accept: list[ParcelKind] = Field(default_factory=lambda: list(KINDS))
    parcel_bytes: Annotated[int, Field(ge=4_096, le=1 << 26)] = 8 << 20
    unpacked_bytes: Annotated[int, Field(ge=4_096, le=1 << 30)] = UNPACKED_BYTES

    @field_validator("accept")
    @classmethod
    def _once(cls, kinds: list[ParcelKind]) -> list[ParcelKind]:
        if len(set(kinds)) != len(kinds):
            raise ValueError("a kind stands there twice")
        return kinds

    @property
    def versioned_topic(self) -> str:
        """The topic of this form of parcels."""
        return f"{self.topic}.v{VERSION}"

    def rooted(self, rooting: Rooting) -> Self:
        """The same with every path of a file made whole."""
        keys = [
            text if text.startswith(PREFIX) else rooting(text, ("policy", "keys", number))
            for number, text in enumerate(self.keys)
        ]
        return with_rooted_paths(self, rooting, ("policy",)).model_copy(update={"keys": keys})

    @property
    def key_files(self) -> list[tuple[int, str]]:
        """The files that hold keys, with their places in the list."""
        return [(number, text) for number, text in enumerate(self.keys) if not text.startswith(PREFIX)]
