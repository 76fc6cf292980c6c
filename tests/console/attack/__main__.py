"""Lets wapiti and schemathesis at the console, as nobody and as each role, for a bounded time.

    python -m tests.console.attack --wapiti PROGRAM --schemathesis PROGRAM [--seconds 40] [--write]

The console is one of the demonstration's ledger, with accounts, in a process of its own on this host. The exit code is
1 where a tool found anything that is not in `ACCEPTED`; with `--write` the findings go into docs/console-attacks.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fastapi.routing import APIRoute

from sensor.console.demonstration.ledger import make_demo_ledger
from sensor.console.people.accounts import people_router
from sensor.console.people.audit import audit_router
from sensor.console.people.bulletins import bulletins_router
from sensor.console.people.casework import casework_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE
from sensor.console.people.names import names_router
from sensor.console.people.tokens import tokens_router
from sensor.console.people.views import views_router
from sensor.console.web.app import router_of
from sensor.console.web.signin import EverybodyAs
from sensor.ledger import Ledger
from sensor.model.scope import ROLES
from sensor.people.csrf import csrf_token
from tests.bench.bench_page import circumstances
from tests.console.attack.description import description
from tests.console.attack.tools import AttackResult, RoleSession, schemathesis, version_of, wapiti
from tests.console.province import viewer
from tests.console.running import running_console
from tests.docs.markdown import filled
from tests.people.desk import add, cookie_of, opened

PAGE = Path(__file__).parents[3] / "docs" / "console-attacks.md"
NOBODY = "nobody"
#: Things of each kind whose pages are asked for.
MOST_NAMED = 6


def main() -> int:
    """Every tool as every role."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wapiti", required=True)
    parser.add_argument("--schemathesis", required=True)
    parser.add_argument("--seconds", type=int, default=40, help="for each tool and role")
    parser.add_argument("--write", action="store_true", help="write docs/console-attacks.md")
    options = parser.parse_args()
    found: list[AttackResult] = []
    with tempfile.TemporaryDirectory(prefix="minewatch-attack-") as name, _stage(Path(name)) as (url, roles, there):
        for role in roles:
            document = description(console_routes(), role.token, there)
            for result in (
                schemathesis(options.schemathesis, url, role, document, Path(name), options.seconds),
                wapiti(options.wapiti, url, role, Path(name), options.seconds),
            ):
                found.append(result)
                print(result.as_row(), flush=True)
        log = (Path(name) / "console.log").read_text(errors="replace")
    traces = log.count("Traceback (most recent call last)")
    print(f"traces in the console's log: {traces}")
    if traces:
        print(log[-6_000:], file=sys.stderr)
    if options.write:
        versions = f"{version_of(options.schemathesis)}, {version_of(options.wapiti)}"
        _write(found, traces, versions, options.seconds)
    return 1 if traces or any(result.faults for result in found) else 0


def console_routes() -> list[APIRoute]:
    """All routes, as they are served to people who sign in."""
    desk: Any = SimpleNamespace()
    sign_in: Any = SimpleNamespace(secure=False)
    routers = (
        entrance_router(desk, sign_in),
        people_router(desk, sign_in),
        names_router(desk, sign_in),
        views_router(sign_in, desk),
        bulletins_router(desk, sign_in, desk),
        casework_router(desk, sign_in, desk, desk),
        tokens_router(desk, sign_in),
        audit_router(desk, SimpleNamespace()),
    )
    app = router_of(desk, EverybodyAs(viewer("lead")))
    routes = [*app.routes, *(route for router in routers for route in router.routes)]
    return [route for route in routes if isinstance(route, APIRoute)]


@contextmanager
def _stage(folder: Path) -> Iterator[tuple[str, list[RoleSession], dict[str, list[str]]]]:
    """A console with an account of each role, a session of each, and what its ledger has, for paths."""
    url = make_demo_ledger(folder, time.time_ns())
    roles = [RoleSession(NOBODY, "", "0" * 64)]
    with opened(url) as door:
        for role in ROLES:
            add(door, f"the-{role}", role, "320000")
            cookie = cookie_of(door, f"the-{role}", time.time_ns())
            roles.append(RoleSession(role, f"{COOKIE}={cookie}", csrf_token(cookie)))
    with running_console(url, folder) as console:
        yield console.url, roles, _what_is_there(url)


def _what_is_there(url: str) -> dict[str, list[str]]:
    ledger = Ledger.open_to_read(url)
    try:
        cases = ledger.reader.cases()
        findings = [entry.finding for entry in ledger.reader.findings(limit=MOST_NAMED)]
        owners = {case.enterprise.enterprise_id for case in cases if case.enterprise and not case.enterprise.individual}
        return {
            "key": [*sorted(owners)[:MOST_NAMED], *(finding.finding_id for finding in findings)],
            "number": [str(case.case_id) for case in cases[:MOST_NAMED]],
            "address": [finding.miner_ip for finding in findings],
            "login": ["the-officer", "the-admin"],
        }
    finally:
        ledger.close()


def _write(found: list[AttackResult], traces: int, versions: str, seconds: int) -> None:
    rows = "\n".join(result.as_row() for result in found)
    head = "| tool | as | requests | s | faults | remarks |\n|---|---|---:|---:|---:|---|"
    remarks = sorted({remark for result in found for remark in result.remarks})
    faults = [f"- {result.tool} as {result.role}: {fault}" for result in found for fault in result.faults]
    text = "\n".join(
        [
            f"{versions}; {seconds} s for each tool and role.",
            "",
            head,
            rows,
            "",
            f"Traces of errors in the console's log: {traces}.",
            "",
            *(["Faults:", "", *faults, ""] if faults else []),
            *(["Remarks:", "", *(f"- {remark}" for remark in remarks), ""] if remarks else []),
        ]
    )
    marks = "<!-- measured: attacks -->", "<!-- end of attacks -->"
    PAGE.write_text(filled(PAGE.read_text(), marks, f"{text}\n{circumstances('')}"))


if __name__ == "__main__":
    sys.exit(main())
