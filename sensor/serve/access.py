"""Who may ask a server: the web configuration file that Prometheus and its exporters share, as a TLS context and users.

The keys are those of Prometheus' exporter-toolkit (docs/web-configuration.md): `tls_server_config` and
`basic_auth_users`. Keys of it that are not offered here are refused, never ignored. Paths are meant from the folder of
the file.
"""

from __future__ import annotations

import hmac
import re
import secrets
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import bcrypt
import yaml
from pydantic import Field, ValidationError

from sensor.model.section import Section
from sensor.serve import certificate

#: What bcrypt writes; a cost over 16 takes seconds for every log-in.
HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")
#: Log-ins remembered, so that a request does not cost a bcrypt round each time.
REMEMBERED = 64
VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
CLIENTS = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


class ServeError(Exception):
    """Nothing can be served so; every problem in one sentence."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _TlsServer(Section):
    cert_file: str
    key_file: str
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = "NoClientCert"
    client_ca_file: str | None = None
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"


class _File(Section):
    tls_server_config: _TlsServer | None = None
    basic_auth_users: dict[str, str] = Field(default_factory=dict)


class Access:
    """The TLS context, if any, and the users, if any."""

    def __init__(
        self, tls: ssl.SSLContext | None = None, users: Mapping[str, str] | None = None, until_ns: int = 0
    ) -> None:
        """`until_ns`: when the certificate of the context ends; 0: there is none, or it does not say."""
        self.tls, self.until_ns = tls, until_ns
        self._users = {name: text.encode() for name, text in (users or {}).items()}
        self._key = secrets.token_bytes(32)
        self._remembered: dict[bytes, None] = {}

    @property
    def open(self) -> bool:
        """Whether nobody has to say who they are."""
        return not self._users

    def remembers(self, name: str, password: bytes) -> bool:
        """Whether exactly this log-in was found right before. Costs little."""
        return self._digest(name, password) in self._remembered

    def check(self, name: str, password: bytes) -> bool:
        """Whether the password is the user's. As slow as bcrypt is, for unknown users too, so that names cannot be
        told by time.
        """
        stored = self._users.get(name)
        try:
            right = bcrypt.checkpw(password, stored or next(iter(self._users.values()))) and stored is not None
        except ValueError:  # longer than bcrypt takes
            return False
        if right:
            while len(self._remembered) >= REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[self._digest(name, password)] = None
        return right

    def _digest(self, name: str, password: bytes) -> bytes:
        return hmac.digest(self._key, name.encode() + b"\0" + password, "sha256")


def read(path: Path | None) -> Access:
    """The access that a web configuration file grants; without a file, to everybody. Raises ServeError with file,
    line and key.
    """
    if path is None:
        return Access()
    try:
        node = yaml.compose(path.read_bytes(), Loader=yaml.SafeLoader)
        config = _File.model_validate(yaml.safe_load(path.read_bytes()) or {})
    except OSError as error:
        raise ServeError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ServeError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or 'not readable'}") from None
    except ValidationError as error:
        raise ServeError(
            *(_sentence(path, node, item["loc"], item["type"], item["msg"]) for item in error.errors())
        ) from None
    except (ValueError, RecursionError) as error:  # a date that is none, or what is nested too deeply
        raise ServeError(f"{path}: not valid YAML: {error}") from None
    wrong = [name for name, text in config.basic_auth_users.items() if not HASH.fullmatch(text)]
    if wrong:
        keys = (("basic_auth_users", name) for name in wrong)
        raise ServeError(*(_sentence(path, node, key, "", "must be a bcrypt hash of cost 4 to 16") for key in keys))
    tls = config.tls_server_config
    if tls is None:
        return Access(None, config.basic_auth_users)
    ends_ns = certificate.until_ns(path.parent / tls.cert_file)
    return Access(_context(path, node, tls), config.basic_auth_users, ends_ns)


def named_files(path: Path) -> list[Path]:
    """The files that a web configuration file names; none of one that cannot be read, which `read` says."""
    try:
        tls = _File.model_validate(yaml.safe_load(path.read_bytes()) or {}).tls_server_config
    except (OSError, yaml.YAMLError, ValidationError):
        return []
    names = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls is not None else ()
    return [path.parent / name for name in names if name is not None]


def _context(path: Path, node: yaml.Node | None, tls: _TlsServer) -> ssl.SSLContext:
    """The context of a server. The library's defaults choose ciphers and curves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if VERSIONS[tls.min_version] > VERSIONS[tls.max_version]:
        raise ServeError(
            _sentence(path, node, ("tls_server_config", "min_version"), "", "must not be newer than max_version")
        )
    context.minimum_version, context.maximum_version = VERSIONS[tls.min_version], VERSIONS[tls.max_version]
    try:
        key = "cert_file"
        context.load_cert_chain(path.parent / tls.cert_file, path.parent / tls.key_file, password=lambda: "")
        key = "client_ca_file"
        if tls.client_ca_file is not None:
            context.load_verify_locations(path.parent / tls.client_ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = (
            "not a certificate and its key"
            if isinstance(error, ssl.SSLError | ValueError)
            else str(error.strerror).lower()
        )
        raise ServeError(_sentence(path, node, ("tls_server_config", key), "", f"cannot be used: {reason}")) from None
    if CLIENTS[tls.client_auth_type] is not ssl.CERT_NONE and tls.client_ca_file is None:
        raise ServeError(_sentence(path, node, ("tls_server_config", "client_auth_type"), "", "needs client_ca_file"))
    context.verify_mode = CLIENTS[tls.client_auth_type]
    return context


def _sentence(path: Path, node: yaml.Node | None, key: tuple[str | int, ...], kind: str, message: str) -> str:
    dotted = ".".join(str(part) for part in key)
    what = (
        "unknown key, or one that is not supported here"
        if kind == "extra_forbidden"
        else message[0].lower() + message[1:]
    )
    return f"{path}:{_line(node, key)}: {dotted}: {what}" if dotted else f"{path}:1: {what}"


def _line(node: yaml.Node | None, key: tuple[str | int, ...]) -> int:
    """Where a key stands; of one that is not there, where its nearest parent stands."""
    line = 1
    for part in key:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(name, value) for name, value in node.value if name.value == part]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line
