"""A provider of OpenID Connect of the test's own, on this machine: honest, and as dishonest as a test asks it to be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "desk", "s3cret of the desk"
REDIRECT = "https://desk.example/sign-in/back"


class OidcServer:
    """Runs in threads. `claims` and `header` change what a token says, `token` what is answered in its place, `answer`
    what any path is answered."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2_048, {"kid": "k1", "use": "sig"})
        self.login = "li"
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.token: Callable[[dict[str, Any]], object] | None = None
        self.answer: Callable[[str], tuple[int, bytes] | None] = lambda _: None
        self.signing_key: Any = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def authorize(self, url: str) -> dict[str, str]:
        """What a browser does there: signs in, and is sent back with these parameters."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert (asked["client_id"], asked["redirect_uri"], asked["response_type"]) == (CLIENT, REDIRECT, "code")
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, bytes]:
        """The answer of the token endpoint (RFC 6749 section 4.1.3, RFC 7636 section 4.6)."""
        user = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '%20')}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if authorization != f"Basic {user}" or asked is None or asked["code_challenge"] != challenge:
            return 400, b'{"error":"invalid_grant"}'
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "exp": now + 300, "iat": now, "nonce": asked["nonce"]}
        claims |= {"preferred_username": self.login, **self.claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.token is not None:
            return 200, json.dumps({"id_token": self.token(claims)}).encode()
        token = jwt.encode({"alg": "RS256", "kid": "k1", **self.header}, claims, self.signing_key)
        return 200, json.dumps({"id_token": token, "token_type": "Bearer", "access_token": "x"}).encode()

    def document(self, path: str) -> tuple[int, bytes]:
        """Description and keys."""
        self.asked.append(path)
        if (given := self.answer(path)) is not None:
            return given
        if path == "/.well-known/openid-configuration":
            places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            described = {name: f"{self.issuer}{place}" for name, place in places.items()}
            return 200, json.dumps({"issuer": self.issuer, **described}).encode()
        if path == "/keys":
            return 200, json.dumps({"keys": [self.key.as_dict(private=False)]}).encode()
        return 404, b""

    def confused(self, claims: dict[str, Any]) -> str:
        """A token that is hashed with the public key as if it were a shared secret, which a confused library takes
        (RFC 8725 section 2.1)."""
        parts = (json.dumps({"alg": "HS256", "kid": "k1"}), json.dumps(claims))
        body = ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)
        digest = hmac.digest(self.key.as_pem(private=False), body.encode(), "sha256")
        return f"{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _handler(server: OidcServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*server.document(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            given = server.answer("/token")
            self._send(*(given or server.exchange(form, self.headers.get("Authorization", ""))))

        def _send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", data.decode())
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
