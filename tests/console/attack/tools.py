"""The two tools: how each is started, bounded, and read."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

#: Attacks of wapiti that need nothing outside this host. Left out are those that wait for a call back from an endpoint
#: on the internet (ssrf, xxe, log4shell, spring4shell) and those that load lists from there (nikto, wapp, cms).
MODULES = (
    "backup,brute_login_form,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,ldap,methods,permanentxss,"
    "redirect,sql,timesql,upload,xss"
)
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,unsupported_method"
#: What wapiti says that is meant: by category, the reason.
ACCEPTED = {
    "HTTP Strict Transport Security (HSTS)": "HSTS stands under TLS alone; this console spoke plain HTTP to this host",
    "Secure Flag cookie": "the cookie is Secure under TLS alone; this console spoke plain HTTP to this host",
    "HTTP Methods": "HEAD is answered beside GET",
    "Cross Site Request Forgery at the entrance": "the form of the entrance needs Sec-Fetch-Site or Origin, no token",
    "Unencrypted Channels": "this console spoke plain HTTP to this host",
}
#: Seconds that a tool may take beyond its own bound.
GRACE_S = 60


class RoleSession(NamedTuple):
    """As whom a tool asks."""

    role: str
    cookie: str  # "" for nobody
    token: str  # of its forms


@dataclass(frozen=True)
class AttackResult:
    """What one tool found as one role."""

    tool: str
    role: str
    requests: int | None
    seconds: float
    faults: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def as_row(self) -> str:
        """A row of the table."""
        count = "" if self.requests is None else f"{self.requests:,}"
        cells = (self.tool, self.role, count, f"{self.seconds:.0f}", len(self.faults), len(self.remarks))
        return f"| {' | '.join(map(str, cells))} |"


def version_of(program: str) -> str:
    """A tool with its version."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    line = (answer.stdout + answer.stderr).strip().splitlines()[-1]
    name = Path(program).name
    return line.replace(", version", "") if name in line else f"{name} {line}"


def schemathesis(
    program: str, url: str, role: RoleSession, document: dict[str, Any], folder: Path, seconds: int
) -> AttackResult:
    """Requests made from the description of all routes, right and wrong ones."""
    described = folder / f"openapi-{role.role}.json"
    described.write_text(json.dumps(document))
    report = folder / f"schemathesis-{role.role}.txt"
    headers = [f"Origin: {url}", "Sec-Fetch-Site: same-origin", *([f"Cookie: {role.cookie}"] if role.cookie else [])]
    words = [program, "run", str(described), "--url", url, "--checks", CHECKS, "--max-time", str(seconds),
             "--continue-on-failure", "--phases", "coverage,fuzzing", "--no-color", "--workers", "2"]  # fmt: skip
    for header in headers:
        words += ["--header", header]
    began_s = time.monotonic()
    with report.open("w") as log:
        _bounded(words, folder, seconds, log)
    text = report.read_text(errors="replace")
    count = re.search(r"(\d[\d,]*) generated", text)
    requests = int(count[1].replace(",", "")) if count else None
    faults = tuple(dict.fromkeys(re.findall(r"^- (.+)$", text, re.MULTILINE))) if "FAILURES" in text else ()
    if count is None:
        faults = (*faults, f"it did not run to its end: {text[-300:].strip()}")
    return AttackResult("schemathesis", role.role, requests, time.monotonic() - began_s, faults)


def wapiti(program: str, url: str, role: RoleSession, folder: Path, seconds: int) -> AttackResult:
    """A crawl, and attacks on every address and form that it found."""
    report = folder / f"wapiti-{role.role}.json"
    store = folder / f"wapiti-{role.role}"
    words = [program, "-u", f"{url}/", "-m", MODULES, "-f", "json", "-o", str(report),
             "--max-scan-time", str(seconds), "--max-attack-time", str(max(5, seconds // 4)),
             "--store-session", str(store), "--store-config", str(store), "--flush-session",
             "--no-bugreport", "-v", "0", "-x", f"{url}/sign-out", "-x", f"{url}/account/sessions",
             "-x", f"{url}/account/password", "-H", f"Origin: {url}", "-H", "Sec-Fetch-Site: same-origin",
             "--tasks", "4"]  # fmt: skip
    if role.cookie:
        words += ["-H", f"Cookie: {role.cookie}"]
    began_s = time.monotonic()
    for _try in range(2):  # its own database is locked now and then, and it ends without a report
        with (folder / f"wapiti-{role.role}.log").open("w") as log:
            _bounded(words, folder, 4 * seconds, log)
        if report.exists():
            break
    took_s = time.monotonic() - began_s
    if not report.exists():
        text = (folder / f"wapiti-{role.role}.log").read_text(errors="replace")
        return AttackResult("wapiti", role.role, None, took_s, (f"it did not run to its end: {text[-300:].strip()}",))
    answer = json.loads(report.read_text())
    found = [
        (_category_at(category, each["path"]), f"{category}: {each['method']} {each['path']} {each['info']}"[:300])
        for kind in ("vulnerabilities", "anomalies")
        for category, entries in answer[kind].items()
        for each in entries
    ]
    faults = tuple(dict.fromkeys(text for category, text in found if category not in ACCEPTED))
    remarks = tuple(dict.fromkeys(f"{category}: {ACCEPTED[category]}" for category, _ in found if category in ACCEPTED))
    return AttackResult("wapiti", role.role, answer["infos"].get("crawled_pages_nbr"), took_s, faults, remarks)


def _category_at(category: str, path: str) -> str:
    """The category, of the entrance its own one: there is no session yet whose token a form could have."""
    return f"{category} at the entrance" if path == "/sign-in" else category


def _bounded(words: list[str], folder: Path, seconds: int, log: Any) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    try:
        subprocess.run(
            words,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=seconds + GRACE_S,
        )
    except subprocess.TimeoutExpired:
        log.write("it was ended, for it took too long\n")
