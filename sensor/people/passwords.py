"""Passwords are hashed by Argon2id (RFC 9106), at most four at once: each takes 64 MiB and a sixth of a second.

Who is refused costs as much as who is let in: where there is no account, a hash of nobody's is checked.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sensor.people.account import normal_password

#: Hashes at once, and callers that wait for their turn at most.
AT_ONCE, MOST_WAITING = 4, 32
#: How long a caller waits, in seconds.
WAIT_S = 20.0


class HashingBusyError(Exception):
    """Too many passwords wait to be looked at; later."""


class PasswordHashes:
    """The hashing of one process. `checks` counts the Argon2 runs of sign-ins."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._waiting = 0
        self._nobodys: str | None = None
        self.checks = 0

    def hash(self, password: str) -> str:
        """The hash of a password that `check_password` let through. Raises HashingBusyError."""
        with self._turn():
            return self._hasher.hash(normal_password(password) or "")

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password is the one of a hash; False without one, and as much work. Raises HashingBusyError."""
        text = normal_password(password)
        with self._turn():
            with self._lock:
                self.checks += 1
                if self._nobodys is None:
                    self._nobodys = self._hasher.hash(secrets.token_hex(16))
            try:
                right = self._hasher.verify(stored or self._nobodys, text or "")
            except (VerificationError, InvalidHashError):
                return False
        return right and stored is not None and text is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than those of now."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock:
            if self._waiting >= AT_ONCE + MOST_WAITING:
                raise HashingBusyError("too many passwords wait to be looked at")
            self._waiting += 1
        try:
            if not self._turns.acquire(timeout=WAIT_S):
                raise HashingBusyError("too many passwords wait to be looked at")
            try:
                yield
            finally:
                self._turns.release()
        finally:
            with self._lock:
                self._waiting -= 1
