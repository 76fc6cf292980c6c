"""When a server's certificate ends. Reads the first certificate of a PEM file and nothing else of it.

DER by pycryptodome; the order of the fields is that of RFC 5280, section 4.1.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from Crypto.Util.asn1 import DerObject, DerSequence

from sensor.model.time import SECOND_NS

END = "-----END CERTIFICATE-----"
#: Tags of the optional version, and of the form of a time with two digits for the year (X.680).
VERSION_TAG, UTC_TIME_TAG = 0xA0, 0x17


def until_ns(path: Path) -> int:
    """When the certificate ends, in nanoseconds since the epoch; 0 where the file holds none that can be read."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
        block = text[text.index("-----BEGIN CERTIFICATE-----") : text.index(END) + len(END)]
        return _until_ns(ssl.PEM_cert_to_DER_cert(block))
    except (OSError, ValueError, IndexError, TypeError):
        return 0


def _until_ns(der: bytes) -> int:
    """TBSCertificate: [version], serialNumber, signature, issuer, validity (notBefore, notAfter), ..."""
    fields = DerSequence().decode(DerSequence().decode(der)[0])
    first = fields[0]
    versioned = isinstance(first, bytes) and first[0] == VERSION_TAG
    validity = DerSequence().decode(fields[4 if versioned else 3])
    ends = DerObject().decode(validity[1])
    text = ends.payload.decode("ascii")
    if validity[1][0] == UTC_TIME_TAG:  # two digits of the year: 50 to 99 are of the last century (section 4.1.2.5.1)
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND_NS
