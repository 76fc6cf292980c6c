"""What encryption adds is what OpenSSL's own suites add, by their names and by a real exchange."""

from __future__ import annotations

import contextlib
import re
import ssl
import subprocess

import pytest

from sensor.behaviour.overhead import MAX_OVERHEAD_BYTES, RecordOverhead, overhead

#: What a suite adds in TLS 1.2, by the end of its name in OpenSSL; the first that fits.
BY_NAME = (
    (r"GCM-SHA\d+$", (24, 24)),
    (r"CCM8$", (16, 16)),
    (r"CCM$", (24, 24)),
    (r"CHACHA20-POLY1305$", (16, 16)),
    (r"SHA384$", (65, 80)),
    (r"SHA256$", (49, 64)),
    (r"(DES-CBC3|3DES-EDE-CBC)-SHA$", (29, 36)),
    (r"(AES|CAMELLIA)-?\d+(-CBC)?-SHA$", (37, 52)),
)


def suites() -> list[tuple[int, str]]:
    """Every suite of TLS 1.2 and below that OpenSSL here has, with its number."""
    listed = subprocess.run(["openssl", "ciphers", "-V", "ALL:@SECLEVEL=0"], capture_output=True, text=True, check=True)
    rows = re.findall(r"0x(\w\w),0x(\w\w) - (\S+)\s+(\S+)", listed.stdout)
    return [(int(high + low, 16), name) for high, low, name, version in rows if version != "TLSv1.3"]


def test_every_suite_of_openssl_adds_what_its_name_says() -> None:
    found = suites()
    wrong = []
    for number, name in found:
        if "NULL" in name:
            continue
        expected = next(size for pattern, size in BY_NAME if re.search(pattern, name))
        if overhead(0x0303, number) != expected:
            wrong.append(f"{number:04x} {name}: {overhead(0x0303, number)}, expected {expected}")
    assert len(found) > 50
    assert not wrong, "\n".join(wrong)


def test_tls_1_3_adds_a_tag_and_a_type() -> None:
    assert overhead(0x0304, 0x1301) == overhead(0x0304, 0x1303) == (17, 17)
    assert overhead(0x0304, 0x1305) == (9, 9)


def test_before_tls_1_1_there_is_no_vector() -> None:
    assert (overhead(0x0301, 0x002F), overhead(0x0302, 0x002F)) == ((21, 36), (37, 52))
    assert overhead(0x0301, 0x000A) == (21, 28)


def test_of_a_suite_that_is_not_known_anything_is_possible() -> None:
    assert overhead(0x0303, 0xFFFF) == RecordOverhead(0, MAX_OVERHEAD_BYTES)


@pytest.fixture(scope="module")
def server_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server with a certificate of its own, for every suite that OpenSSL has for RSA."""
    folder = tmp_path_factory.mktemp("certificate")
    files = [str(folder / name) for name in ("cert.pem", "key.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-out", files[0]]
    subprocess.run([*command, "-keyout", files[1]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def client_context(suite: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if not suite.startswith("TLS_"):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{suite}:@SECLEVEL=0")
    return context


def added(served: ssl.SSLContext, suite: str, plaintexts: list[int]) -> set[int]:
    """What OpenSSL's client adds to plaintexts of these lengths."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context(suite).wrap_bio(to_client, to_server)
    server = served.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server) * 4:
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert not to_server.pending
    found = set()
    for size in plaintexts:
        client.write(bytes(size))
        found.add(len(to_server.read()) - 5 - size)
    return found


@pytest.mark.parametrize(
    "suite",
    ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA256", "AES256-CCM8",
     "ECDHE-RSA-AES256-SHA384", "TLS_AES_256_GCM_SHA384"],
)  # fmt: skip
def test_records_of_openssl_are_longer_by_that_much(server_context: ssl.SSLContext, suite: str) -> None:
    is_new = suite.startswith("TLS_")
    number = 0x1302 if is_new else next(number for number, name in suites() if name == suite)
    found = added(server_context, suite, list(range(1, 40)))
    assert (min(found), max(found)) == overhead(0x0304 if is_new else 0x0303, number)
