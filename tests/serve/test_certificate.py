"""When a certificate ends, as openssl says it; nothing for what is none."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sensor.model.time import SECOND_NS
from sensor.serve.certificate import until_ns


def test_the_end_is_what_openssl_says(certificates: Path) -> None:
    path = certificates / "one.crt"
    done = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", path], capture_output=True, check=True)
    stated = done.stdout.decode().strip().partition("=")[2]
    ends = datetime.strptime(stated, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    assert until_ns(path) == int(ends.timestamp()) * SECOND_NS


def test_an_end_after_2050_has_four_digits_for_its_year(tmp_path: Path) -> None:
    key, path = tmp_path / "k.pem", tmp_path / "c.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    more = ["-days", "20000", "-subj", "/CN=x", "-keyout", str(key), "-out", str(path)]
    subprocess.run([*words, *more], check=True, capture_output=True)
    assert datetime.fromtimestamp(until_ns(path) / SECOND_NS, UTC).year > 2050


@pytest.mark.parametrize(
    "text", ["", "not a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_has_no_end(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    assert until_ns(path) == 0
    assert until_ns(tmp_path / "missing") == 0
