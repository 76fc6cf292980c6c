"""What one connection is known by, out of a session and into another one: the connection goes on in the next capture,
or after a restart. Sans-IO; whether it is the same connection is decided in sensor/line/resumed.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sensor.model.trace import CarriedLogin, OpenShare, SessionState, WindowEdge
from sensor.session.account import Account
from sensor.session.pending_requests import Request
from sensor.session.reading import Reading, Token

#: Open shares that go on with a connection; without an answer since, a session keeps fewer.
MAX_OPEN_SHARES = 32


def state_of(
    reading: Reading, framing: str | None, account: Account | None = None, edge: WindowEdge | None = None
) -> SessionState:
    """What is known of a connection now, with where the window of one of its accounts ended. Counts and passwords are
    not in it."""
    accounts, latest = reading.logins.accounts, reading.logins.latest
    work, jobs = reading.jobs.in_hand(latest)
    extranonce1, version_mask = reading.jobs.header_session
    return SessionState(
        framing=framing,
        logins=tuple(
            CarriedLogin(
                its.login,
                its.worker,
                its.agent,
                its.coin,
                its.algorithm,
                edge if its is account else None,
                its.basis,
                its.no_habit,
                its.payout,
            )
            for its in accounts
        ),
        latest=accounts.index(latest) if latest in accounts else None,
        agent=reading.depth.agent,
        algorithm=reading.jobs.algorithm,
        machine=reading.jobs.machine,
        proven=reading.jobs.proven,
        coin=reading.jobs.coin,
        work=work,
        jobs=jobs,
        endpoint=reading.depth.endpoint,
        extranonce1=extranonce1,
        version_mask=version_mask,
        hashes=reading.jobs.times.hashes,
        open_shares=tuple(_open_shares(reading, accounts))[-MAX_OPEN_SHARES:],
        basis=reading.jobs.basis,
    )


def carry_into(reading: Reading, state: SessionState, ts_ns: int) -> None:
    """Let a fresh reading go on from there, from this time on."""
    accounts = []
    for carried in state.logins:
        account = Account(carried.login, ts_ns, ts_ns, carried.worker, carried.agent, carried.coin, carried.algorithm)
        account.basis, account.no_habit, account.payout = carried.basis, carried.no_habit, carried.payout
        if carried.worker is not None:
            account.name_worker(carried.worker)
        account.book.before = carried.edge
        accounts.append(account)
    reading.logins.restore(accounts, state.latest)
    reading.depth.agent, reading.depth.endpoint, reading.carried = state.agent, state.endpoint, True
    # Whether anything was lost since then is seen later; a window begins with the first packet if so.
    edges_ns = [carried.edge.until_ns for carried in state.logins if carried.edge is not None]
    reading.jobs.carry(state, min([ts_ns, *edges_ns]))


def open_requests(reading: Reading, state: SessionState) -> list[Request]:
    """The shares of before whose answers are still to come, as a session waits for them."""
    rules = {rule.name: rule for rule in reading.dialect.messages}
    requests = []
    for share in state.open_shares:
        rule = rules.get(share.rule)
        if rule is not None and 0 <= share.login < len(reading.logins.accounts):
            token = Token(reading, rule)
            token.account, token.work, token.unproven = reading.logins.accounts[share.login], share.work, False
            requests.append(Request((share.id_kind, share.id_value), "submit", (token,)))
    return requests


def _open_shares(reading: Reading, accounts: Sequence[Account]) -> Iterator[OpenShare]:
    for request in reading.requests.waiting("submit"):
        for token in request.tokens:
            account = token.account if isinstance(token, Token) and token.reading is reading else None
            if not isinstance(token, Token) or account is None or account not in accounts:
                continue
            kind, value = request.key
            if value is None or isinstance(value, str | int | float):
                work = reading.jobs.on_scale(account, token.work) if token.unproven else token.work
                if token.share is not None and token.share.doubted:
                    work = None
                yield OpenShare(kind, value, token.rule.name, accounts.index(account), work)
