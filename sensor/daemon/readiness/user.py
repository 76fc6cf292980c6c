"""The user as whom a sensor runs, and looking at the file system as that user.

Root looks as the unit's user: what root may do says nothing of what the service may.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: The user of the unit in deploy/.
UNIT_USER = "minewatch"


class UnknownUserError(Exception):
    """There is no such user; one sentence."""


@dataclass(frozen=True, slots=True)
class SensorUser:
    """A user of this host."""

    name: str
    uid: int
    gid: int

    @property
    def is_this(self) -> bool:
        """Whether this process is that user already."""
        return os.geteuid() == self.uid


def sensor_user(name: str | None) -> SensorUser:
    """The named user; without a name, the unit's where root asks and there is one, else this process's.

    Raises UnknownUserError, also where another user is asked for than root may become.
    """
    if name is None:
        with contextlib.suppress(KeyError):
            if os.geteuid() == 0:
                return _of(pwd.getpwnam(UNIT_USER))
        try:
            return _of(pwd.getpwuid(os.geteuid()))
        except KeyError:
            return SensorUser(str(os.geteuid()), os.geteuid(), os.getegid())
    try:
        user = _of(pwd.getpwnam(name))
    except KeyError:
        raise UnknownUserError(f"--user {name}: there is no such user") from None
    if not user.is_this and os.geteuid() != 0:
        raise UnknownUserError(f"--user {name}: only root can look as another user")
    return user


@contextlib.contextmanager
def acting_as(user: SensorUser) -> Iterator[None]:
    """Within, this process has that user's rights. Not for code that imports modules, which that user may not read."""
    if user.is_this:
        yield
        return
    before = (os.geteuid(), os.getegid(), os.getgroups())
    os.setgroups(os.getgrouplist(user.name, user.gid))
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
        os.setgroups(before[2])


def owner_text(path: Path) -> str:
    """`root:root, mode 640`. Raises OSError."""
    status = path.stat()
    return f"{_user_name(status.st_uid)}:{_group_name(status.st_gid)}, mode {status.st_mode & 0o7777:o}"


def may(user: SensorUser, path: Path, rights: int) -> bool:
    """Whether the user has these rights (os.R_OK and the like) there."""
    with acting_as(user):
        return os.access(path, rights, effective_ids=True)


def _of(entry: pwd.struct_passwd) -> SensorUser:
    return SensorUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
