"""What the settings of all exporters have in common: paths are marked as such, TLS is always verified.

It knows no destination. Secrets never stand in settings, only the names of the files or variables that hold them, so
a dump shows none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from exporters.destination import Unusable
from sensor.model.section import Section

if TYPE_CHECKING:
    import ssl

#: Marks a path: a relative one is meant from the folder of the configuration file.
PATH: dict[str, Any] = {"format": "path"}
Name = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
Timeout = Annotated[float, Field(ge=0.1, le=60)]


class ExporterSettings(Section):
    """What every exporter has: `name` tells several of one kind apart, `redact` hides what is inside."""

    name: Name | None = None
    redact: bool = False


class Tls(Section):
    """Whom to trust (the system's authorities if no file is given), and a certificate of one's own with its key."""

    ca: str | None = Field(default=None, json_schema_extra=PATH)
    certificate: str | None = Field(default=None, json_schema_extra=PATH)
    key: str | None = Field(default=None, json_schema_extra=PATH)

    def context(self) -> ssl.SSLContext:
        """A context that verifies certificate and host name. Raises Unusable."""
        import ssl  # slow to import, and few destinations ask for it

        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl.SSLError is one
            files = ", ".join(name for name in (self.ca, self.certificate, self.key) if name)
            raise Unusable(f"tls: {files}: {error.strerror or error}") from None
        return context


def secret_of(key: str, file: str | None, variable: str | None = None) -> str:
    """The secret in a file or in an environment variable, without the line's end. Raises Unusable."""
    try:
        text = os.environ.get(variable or "", "") if file is None else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{key}: {file}: {getattr(error, 'strerror', None) or 'not text'}") from None
    if not text.strip():
        raise Unusable(f"{key}: {file or variable} holds nothing")
    return text.strip()
