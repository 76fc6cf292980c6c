"""The reference core: docs/border.md in plain Python, written for clarity.

It is the oracle the compiled core is compared to, event for event, and what runs where the extension could not be
built. It reads capture files and standard input; it knows nothing of mining, and it starts no thread: everything
happens inside `poll`.
"""

from typing import Literal

from sensor.model.limits import CoreLimits as Limits
from sensor.reference.capture.bytestream import CaptureError
from sensor.reference.core import Core
from sensor.reference.tables import Tables

ENGINE: Literal["compiled", "reference"] = "reference"

__all__ = ["ENGINE", "CaptureError", "Core", "Limits", "Tables"]
