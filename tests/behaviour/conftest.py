"""The grammars of all shipped dialects, made once."""

from __future__ import annotations

import pytest

from sensor.behaviour.dialect_lengths import DialectLengths, lengths_of
from sensor.signatures import SignatureSet, load


@pytest.fixture(scope="session")
def signatures() -> SignatureSet:
    return load()


@pytest.fixture(scope="session")
def grammars(signatures: SignatureSet) -> list[DialectLengths]:
    return [variant for dialect in signatures.dialects for variant in lengths_of(dialect, signatures)]
