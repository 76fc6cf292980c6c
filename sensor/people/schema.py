"""The tables of this release; `migrations` brings those of an earlier one here, and a test compares both.

Of passwords, sessions and tokens only hashes stand in them. Times are nanoseconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

METADATA = MetaData()
VERSION_TABLE = "people_version"

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("login", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("divisions", Text, nullable=False),  # JSON: a list of codes, or "all"
    Column("language", Text, nullable=False),
    Column("password", Text),  # Argon2's own form; NULL: cannot sign in by one
    Column("disabled", BigInteger, nullable=False),  # 0, 1
    Column("must_change", BigInteger, nullable=False),  # 0, 1: somebody else set the password
    Column("created_ns", BigInteger, nullable=False),
    Column("password_ns", BigInteger),
    Column("signed_in_ns", BigInteger),
    Column("disabled_ns", BigInteger),  # since when it is disabled
)
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", Text, primary_key=True),  # SHA-256 of what the browser has
    Column("login", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
    Column("revoked_ns", BigInteger),
    Index("sessions_by_login", "login"),
)
#: Networks from which an account has signed in.
PLACES = Table(
    "places",
    METADATA,
    Column("login", Text, primary_key=True),
    Column("network", Text, primary_key=True),
    Column("last_ns", BigInteger, nullable=False),
)
#: Failed sign-ins of an account, of a network, of an account from one of its places.
ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("subject", Text, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("until_ns", BigInteger, nullable=False),
    Index("attempts_by_time", "last_ns"),
)
#: Sign-ins at a provider that are under way.
FLOWS = Table(
    "flows",
    METADATA,
    Column("digest", Text, primary_key=True),  # SHA-256 of the browser's cookie
    Column("state", Text, nullable=False),  # SHA-256
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Index("flows_by_time", "created_ns"),
)
#: Lists with their filters, by names that the account gave.
VIEWS = Table(
    "views",
    METADATA,
    Column("login", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("route", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)
#: When an account last looked at the overview, and before this visit (0: never).
VISITS = Table(
    "visits",
    METADATA,
    Column("login", Text, primary_key=True),
    Column("since_ns", BigInteger, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
)
TOKENS = Table(
    "tokens",
    METADATA,
    Column("token_id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("login", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # JSON
    Column("divisions", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("revoked_ns", BigInteger),
    Column("seen_ns", BigInteger),
    Index("tokens_by_login", "login"),
)
