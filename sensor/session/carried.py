"""What one connection is known by, out of a session and into another one: the connection goes on in the next capture,
or after a restart. Sans-IO; whether it is the same connection is decided in sensor/line/resumed.py.
"""

from __future__ import annotations

from sensor.model.trace import CarriedLogin, SessionState
from sensor.session.account import Account
from sensor.session.reading import Reading


def state_of(reading: Reading, framing: str | None) -> SessionState:
    """What is known of a connection now. Counts and passwords are not in it."""
    accounts, latest = reading.logins.accounts, reading.logins.latest
    work, jobs = reading.jobs.in_hand(latest)
    return SessionState(
        framing=framing,
        logins=tuple(
            CarriedLogin(
                account.login,
                account.worker,
                account.agent,
                account.coin,
                account.algorithm,
                account.basis,
                account.no_habit,
                account.payout,
            )
            for account in accounts
        ),
        latest=accounts.index(latest) if latest in accounts else None,
        agent=reading.agent,
        algorithm=reading.jobs.algorithm,
        machine=reading.jobs.machine,
        proven=reading.jobs.proven,
        coin=reading.jobs.coin,
        work=work,
        jobs=jobs,
        endpoint=reading.endpoint,
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
        accounts.append(account)
    reading.logins.restore(accounts, state.latest)
    reading.agent, reading.endpoint, reading.carried = state.agent, state.endpoint, True
    reading.jobs.carry(state, ts_ns)
