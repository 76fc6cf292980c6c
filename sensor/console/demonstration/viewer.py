"""Who looks at the demonstration, and what stands over every page of it."""

from __future__ import annotations

from exporters.forms.documents.labels import N_
from sensor.model.scope import EVERYTHING, Viewer

BANNER = N_("A demonstration: everybody and everything here is invented.")


def demo_viewer() -> Viewer:
    """A viewer of everything."""
    return Viewer("demo", "lead", EVERYTHING)
