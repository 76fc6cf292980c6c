"""Whose a new file is: where root makes it in a service's folder, the service's, for else it could not open it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def belong_to_folder(path: Path) -> None:
    """Give a file that root has just made to the owner and the group of its folder. Of anybody else it stays."""
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        folder = path.absolute().parent.stat()
        if folder.st_uid != 0:
            os.chown(path, folder.st_uid, folder.st_gid)
