"""The web configuration file: every mistake in it comes with file, line and key, and nothing in it is ignored."""

from __future__ import annotations

from pathlib import Path

import bcrypt
import pytest

from sensor.serve.access import REMEMBERED, ServeError, read

HASH = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()  # another one in each process
TLS = "tls_server_config:\n  cert_file: c\n  key_file: k\n"
UNKNOWN = "unknown key, or one that is not supported here"
MISTAKES = {
    "basic_auth_users:\n  a: plain\n": "2: basic_auth_users.a: must be a bcrypt hash of cost 4 to 16",
    f"basic_auth_users:\n  a: {HASH.replace('$04$', '$31$')}\n": (
        "2: basic_auth_users.a: must be a bcrypt hash of cost 4 to 16"
    ),
    "\nhttp_server_config:\n  http2: true\n": f"2: http_server_config: {UNKNOWN}",
    "tls_server_config:\n  key_file: k\n": "1: tls_server_config.cert_file: field required",
    TLS: "2: tls_server_config.cert_file: cannot be used: no such file or directory",
    TLS + "  min_version: TLS10\n": "4: tls_server_config.min_version: input should be 'TLS12' or 'TLS13'",
    TLS + "  client_auth_type: RequireAnyClientCert\n": "4: tls_server_config.client_auth_type: input should be",
    "tls_server_config: [\n": "2: not valid YAML",
    "- a\n": "1: input should be a valid dictionary",
}


@pytest.mark.parametrize(("text", "problem"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_file_line_and_key(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "web.yml"
    path.write_text(text)
    with pytest.raises(ServeError) as error:
        read(path)
    assert error.value.problems[0].startswith(f"{path}:{problem}")
    assert len(error.value.problems) == 1


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServeError, match=r"web\.yml: no such file or directory"):
        read(tmp_path / "web.yml")


def test_clients_cannot_be_verified_without_an_authority(tmp_path: Path, certificates: Path) -> None:
    tls = f"tls_server_config:\n  cert_file: {certificates}/one.crt\n  key_file: {certificates}/one.key\n"
    path = tmp_path / "web.yml"
    path.write_text(tls + "  client_auth_type: RequireAndVerifyClientCert\n")
    with pytest.raises(ServeError, match=r":4: tls_server_config.client_auth_type: needs client_ca_file"):
        read(path)
    path.write_text(tls + "  min_version: TLS13\n  max_version: TLS12\n")
    with pytest.raises(ServeError, match=r":4: tls_server_config.min_version: must not be newer than max_version"):
        read(path)


def test_an_empty_file_lets_everybody_in(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text("# nothing yet\n")
    access = read(path)
    assert access.open
    assert access.tls is None


def test_only_right_log_ins_are_remembered_and_only_so_many(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text("basic_auth_users:\n" + "".join(f"  u{number}: {HASH}\n" for number in range(REMEMBERED + 1)))
    access = read(path)
    assert not access.open
    assert not access.check("u0", b"wrong")
    assert not access.check("nobody", b"right")
    assert not access.remembers("u0", b"wrong")
    assert not access.remembers("nobody", b"right")
    for number in range(REMEMBERED + 1):
        assert access.check(f"u{number}", b"right")
    assert access.remembers(f"u{REMEMBERED}", b"right")
    assert not access.remembers("u0", b"right")  # the oldest made room
