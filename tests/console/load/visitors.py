"""Visitors of a console: each opens a page, reads for some seconds, opens the next. What is opened is drawn by chance
from what people do there; links are taken from the page before, as a browser's reader takes them.
"""

from __future__ import annotations

import asyncio
import html
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

#: Seconds of reading: evenly between these, 5 in the middle.
THINK_S = (2.5, 7.5)
#: What is opened next, and how often. `one` and `next` are links of the page before.
CHOICES = (
    ("overview", 20),
    ("enterprises", 10),
    ("sites", 8),
    ("addresses", 8),
    ("findings", 8),
    ("cases", 12),
    ("one", 16),
    ("next", 6),
    ("search", 6),
    ("filtered", 4),
    ("pools", 1),
    ("sensors", 1),
)
FILTERED = (
    "/cases?overdue=yes",
    "/cases?open=yes&state=new",
    "/addresses?grade=accepted&since=2026-03-05",
    "/enterprises?name=%E6%A8%A1%E6%8B%9F",
    "/findings?activity=mining&grade=accepted",
    "/addresses?address=10.0.4.0/22",
    "/addresses?algorithm=sha256d",
)
SEARCHED = ("10.0.4.7", "10.0.9.0/24", "%E6%A8%A1%E6%8B%9F%E5%8D%95%E4%BD%8D0-7", "wallet1234", "pool.example")
ONE = re.compile(r'href="(/(?:enterprises|sites|addresses|findings|cases)/[^"?]+)"')
NEXT = re.compile(r'href="([^"]*[?&;]after=[^"]+)"')
#: Seconds after which a page has failed.
PATIENCE_S = 30.0
#: Seconds for which an idle connection is used again: less than the console keeps it, or both would meet on the way.
KEEP_S = 4.0


@dataclass(frozen=True)
class OpenedPage:
    """One page that was opened."""

    route: str
    path: str
    status: int  # 0: no answer
    began_s: float  # since the visitors came
    took_s: float
    size_bytes: int


@dataclass(frozen=True)
class VisitPlan:
    """Where visitors go, and for how long."""

    url: str
    cookies: Sequence[tuple[str, str]]  # name and value, of each visitor
    seconds: float
    seed: int = 1


async def visit(plan: VisitPlan) -> list[OpenedPage]:
    """Let all visitors in; the pages that they opened."""
    # Made before, for making one takes as long as a page; no certificates are read for plain HTTP.
    limits = httpx2.Limits(max_connections=1, keepalive_expiry=KEEP_S)
    browsers = [
        httpx2.AsyncClient(base_url=plan.url, timeout=PATIENCE_S, limits=limits, verify=False) for _each in plan.cookies
    ]
    began_s = time.monotonic()
    visitors = (_one(plan, number, began_s, browser) for number, browser in enumerate(browsers))
    return [page for pages in await asyncio.gather(*visitors) for page in pages]


async def _one(plan: VisitPlan, number: int, began_s: float, browser: httpx2.AsyncClient) -> list[OpenedPage]:
    chance = random.Random(plan.seed * 10_000 + number)
    name, value = plan.cookies[number]
    pages: list[OpenedPage] = []
    links: list[str] = []
    further: list[str] = []
    await asyncio.sleep(chance.uniform(0, sum(THINK_S) / 2))
    async with browser:
        browser.headers["Cookie"] = f"{name}={value}"
        while time.monotonic() - began_s < plan.seconds:
            route, path = _choose(chance, links, further)
            asked_s = time.monotonic()
            try:
                answer = await browser.get(path)
                status, text = answer.status_code, answer.text
            except httpx2.HTTPError:
                status, text = 0, ""
            now_s = time.monotonic()
            pages.append(OpenedPage(route, path, status, asked_s - began_s, now_s - asked_s, len(text)))
            links, further = ONE.findall(text), NEXT.findall(text)
            await asyncio.sleep(chance.uniform(*THINK_S))
    return pages


def _choose(chance: random.Random, links: Sequence[str], further: Sequence[str]) -> tuple[str, str]:
    """A route and a path; without a link to follow a list."""
    route = chance.choices([name for name, _ in CHOICES], [weight for _, weight in CHOICES])[0]
    if route == "one" and links:
        path = html.unescape(chance.choice(links))
        return f"one of {path.split('/')[1]}", path
    if route == "next" and further:
        return "a list's next page", html.unescape(chance.choice(further))
    if route == "search":
        return route, f"/search?text={chance.choice(SEARCHED)}"
    if route == "filtered":
        return "a filtered list", chance.choice(FILTERED)
    return ("addresses", "/addresses") if route in ("one", "next") else (route, f"/{route}")
