"""The logins of one flow as one dialect reads them: whom a message speaks for, and what it gives about them. Knows no
jobs and no shares.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensor.dialects.rig import rig_of
from sensor.model.naming import AlgorithmBasis
from sensor.session.account import Account
from sensor.session.distinct import Distinct
from sensor.signatures.message_values import MessageValues
from sensor.signatures.model import CoinRule, Dialect

#: Logins kept of one connection; a coin-hive bridge has two, a dev fee one more.
MAX_ACCOUNTS = 16


class Logins:
    """The accounts of one reading, in the order they signed in."""

    __slots__ = ("_sessions", "_titles", "accounts", "dialect", "dropped", "latest", "names")

    def __init__(self, dialect: Dialect, titles: dict[str, str]) -> None:
        self.dialect = dialect
        self._titles = titles  # the pool's names for logins, whichever dialect read them on this connection
        self.accounts: tuple[Account, ...] = ()
        self.latest: Account | None = None
        self.names = Distinct()  # rigs that were named on this connection, under any login
        self.dropped = 0
        self._sessions: dict[str, Account] | None = None

    def restore(self, accounts: Sequence[Account], latest: int | None) -> None:
        """The logins that the connection is known to have."""
        self.accounts = tuple(accounts[:MAX_ACCOUNTS])
        self.latest = self.accounts[latest] if latest is not None and latest < len(self.accounts) else None
        for account in self.accounts:
            if rig_of(account.login):
                self.names.add(str(account.login))

    def find(self, login: str | None) -> Account | None:
        """The account of a login, if it signed in."""
        for account in self.accounts:
            if account.login == login:
                return account
        return None

    def account(self, values: MessageValues, ts_ns: int, basis: AlgorithmBasis = "proven") -> Account:
        """The account a message speaks for: by login, by the session id it names, else the latest. `basis` is that of
        an algorithm or coin that the message names.
        """
        login = values.get("login")
        if login is None and self.latest is None:
            login = values.get("account")  # named beside a share by a miner that may have signed in under it before
        sessions = self._sessions or {}
        if login is not None and login in sessions:  # the pool's name for it, where a login usually stands
            account = sessions[login]
        elif login is not None:
            account = self._by_login(self._titles.get(login, login), ts_ns)
        else:
            session = values.get("session")
            bound = sessions.get(str(session)) if session is not None else None
            account = bound or self.latest or self._by_login(None, ts_ns)
        if ts_ns > account.last_ns:
            account.last_ns = ts_ns
        self._describe(account, values, basis)
        return account

    @property
    def paid(self) -> CoinRule | None:
        """The coin in which the latest login is paid. What it mines may be another: pools pay Bitcoin for anything, so
        that says nothing.
        """
        coin = (self.latest.payout or "").upper() if self.latest is not None else ""
        return next((rule for rule in self.dialect.coins if rule.coin == coin and coin not in ("", "BTC")), None)

    def bind(self, session: str, account: Account) -> None:
        """Messages with this session id speak for this account."""
        sessions = self._sessions = {} if self._sessions is None else self._sessions
        if len(sessions) >= MAX_ACCOUNTS and session not in sessions:
            self.dropped += 1
            return
        sessions[session] = account
        if account.login is not None and len(self._titles) < MAX_ACCOUNTS:
            self._titles.setdefault(session, account.login)

    def _by_login(self, login: str | None, ts_ns: int) -> Account:
        account = self.find(login)
        if account is None:
            if len(self.accounts) >= MAX_ACCOUNTS and self.latest is not None:
                self.dropped += 1
                self.names.add(str(login))
                return self.latest
            account = Account(login, ts_ns, ts_ns)
            self.accounts = (*self.accounts, account)
            if rig_of(login):
                self.names.add(str(login))
            for rule in self.dialect.coins if login else ():
                if rule.login is not None and rule.login.search(login or ""):
                    account.coin, account.algorithm, account.no_habit = rule.coin, rule.algorithm, rule.unknown
                    account.basis = rule.basis
                    break
        self.latest = account
        return account

    def _describe(self, account: Account, values: MessageValues, basis: AlgorithmBasis) -> None:
        rig = rig_of(account.login)
        worker = rig or values.get("worker")
        if worker and worker != account.login:
            account.worker = account.worker or worker
            if worker not in account.workers:
                account.name_worker(worker)
                if not rig:
                    self.names.add(f"{account.login}\0{worker}")
        agent = values.get("agent")
        if agent is not None and account.agent is None:
            account.agent = agent
        coin = values.get("coin")
        if coin is not None:
            account.coin, account.basis = coin.upper(), basis
            for rule in self.dialect.coins:  # a coin that is named has the algorithm of that coin's wallets
                if rule.coin == account.coin and rule.algorithm:
                    account.algorithm = rule.algorithm
                    break
        account.payout = values.get("payout", account.payout)
        if "algorithm" in values:
            account.algorithm, account.basis = values["algorithm"], basis
