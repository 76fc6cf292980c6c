"""Who runs a command on this system, as the kernel has it. What the environment says stands beside it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from sensor.audit.entry import AuditActor

#: Set by pam_loginuid when somebody signs in, and kept through su and sudo (proc(5)).
LOGIN_UID = Path("/proc/self/loginuid")
#: No login: a service, or a kernel without it.
NO_LOGIN = 0xFFFFFFFF


def system_actor(stated: str = "") -> AuditActor:
    """The user of this process. LOGNAME and USER are not asked: anybody can set them. `stated` is what was written
    behind --who."""
    return AuditActor(
        system_user=user_name(os.getuid()),
        login_user=_login_user(),
        sudo_user=os.environ.get("SUDO_USER", ""),
        stated=stated,
    )


def user_name(uid: int) -> str:
    """The name of a user, or his number where he has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _login_user() -> str:
    try:
        uid = int(LOGIN_UID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    return "" if uid == NO_LOGIN else user_name(uid)
