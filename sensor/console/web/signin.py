"""The seam between the console and whoever signs people in: a request in, a viewer or nobody out.

The console knows no password, session or token. What signs people in gives it one object of this kind, and the routes
of its own pages (`sensor/console/web/app.py`).
"""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request

from sensor.model.scope import Viewer


class SignIn(Protocol):
    """Says who asks. Called once a request, in a thread, so it may look into a database."""

    #: Where whoever is not signed in is sent to, a path of the console; None: there is no such page.
    entrance: str | None

    def viewer(self, request: Request) -> Viewer | None:
        """Who asks; None for nobody, whatever is wrong. It must not raise for anything that a request may hold."""
        ...


class ProgramGate(Protocol):
    """Says which program asks, by its token. Called once a request, in a thread."""

    def admit(self, request: Request, scope: str) -> Viewer:
        """Who asks, for something of a scope. Raises RefusalError for nobody, for what the token is not for, and for
        one that asks too often."""
        ...


class EverybodyAs:
    """Everybody is the same viewer: for a demonstration on this host alone."""

    entrance: str | None = None

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def viewer(self, request: Request) -> Viewer | None:  # noqa: ARG002 (whoever asks)
        """That viewer."""
        return self._viewer
