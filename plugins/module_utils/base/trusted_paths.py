# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The way to a file, folder by folder: who can change names on it, and which symbolic links are followed. Private.

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError

# A folder on the way need not be readable, only passable.
_PASSING = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40


@dataclass(frozen=True)
class Strangers:
    """Somebody other than root and the user of this process who can change names in a folder."""

    who: str
    folder: Path

    def __str__(self) -> str:
        """Tell who it is and where, as the middle of a sentence."""
        return f"{self.who} can write in the folder {self.folder}"


@dataclass(frozen=True)
class Reached:
    """A folder that was reached: its descriptor, its path without links, and who has a say there."""

    descriptor: int
    path: Path
    swappers: Strangers | None
    """Who can put another file or folder under a name here, or another folder in the way to here."""
    writers: Strangers | None
    """Who can make new names here; nobody else than the swappers, but in a folder like /tmp."""


class LinkRefused(ServerStateError):
    """A symbolic link stands where somebody else could let it lead anywhere."""


@contextmanager
def reached_folder(path: Path) -> Iterator[Reached]:
    """Give the folder at ``path``; raises OSError, and LinkRefused for a link that somebody else has a say in."""
    with _reached(path, is_folder=True) as (folder, _name):
        yield folder


@contextmanager
def reached_place(path: Path) -> Iterator[tuple[Reached, str]]:
    """Give the folder of the file at ``path`` and the file's name in it, links resolved; the file need not be there.

    Raises OSError, and LinkRefused for a link that somebody else has a say in.
    """
    with _reached(path, is_folder=False) as found:
        yield found


def is_trusted(owner: int) -> bool:
    """Tell whether a user is root or the one of this process."""
    return owner in (0, os.geteuid())


def user_name(user: int) -> str:
    """Give the name of a user, who need not have one."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"with the number {user}"


@contextmanager
def _reached(path: Path, is_folder: bool) -> Iterator[tuple[Reached, str]]:
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "its name is no path")
    way = [_opened("/", None)]
    try:
        name = _walk(way, str(Path.cwd() / path), is_folder)
        yield way[-1], name
    finally:
        for folder in way:
            os.close(folder.descriptor)


def _walk(way: list[Reached], path: str, is_folder: bool) -> str:
    """Go from the first folder of ``way`` to the last, and give the name that is left: none for a folder."""
    left = _components(path)
    links = 0
    while left:
        name = left.pop()
        here = way[-1]
        if name == "..":
            if len(way) > 1:
                os.close(way.pop().descriptor)
            continue
        is_last = not left and not is_folder
        try:
            found = os.stat(name, dir_fd=here.descriptor, follow_symlinks=False)
        except FileNotFoundError as error:
            if is_last:
                return name
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(here.path / name)) from error
        if stat.S_ISLNK(found.st_mode):
            _refuse_strange_link(here, name, found)
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(here.path / name))
            target = os.readlink(name, dir_fd=here.descriptor)
            while target.startswith("/") and len(way) > 1:
                os.close(way.pop().descriptor)
            left += _components(target)
        elif is_last:
            return name
        else:
            way.append(_opened(name, here))
    if is_folder:
        return ""
    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)


def _components(path: str) -> list[str]:
    """Give the names in a path, the first one last."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _opened(name: str, here: Reached | None) -> Reached:
    path = here.path / name if here else Path(name)
    try:
        descriptor = os.open(name, _PASSING, dir_fd=here.descriptor if here else None)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    before = here.swappers if here else None
    found = os.fstat(descriptor)
    who = _writers(found)
    own = None if who is None else Strangers(who, path)
    # In a folder like /tmp nobody takes away, or renames, what belongs to others.
    keeps_names = is_trusted(found.st_uid) and bool(found.st_mode & stat.S_ISVTX)
    return Reached(descriptor, path, before or (None if keeps_names else own), before or own)


def _writers(found: os.stat_result) -> str | None:
    """Tell who else can write in a folder; where it has an access control list, the bits of the group are its mask."""
    if not is_trusted(found.st_uid):
        return f"the user {user_name(found.st_uid)}"
    if found.st_mode & stat.S_IWOTH:
        return "every user"
    if found.st_mode & stat.S_IWGRP:
        try:
            return f"the group {grp.getgrgid(found.st_gid).gr_name}"
        except KeyError:
            return f"the group with the number {found.st_gid}"
    return None


def _refuse_strange_link(here: Reached, name: str, found: os.stat_result) -> None:
    path = here.path / name
    why = str(here.swappers) if here.swappers else None
    if why is None and not is_trusted(found.st_uid):
        why = f"it belongs to the user {user_name(found.st_uid)}"
    if why is not None:
        raise LinkRefused(
            f"{path} is a symbolic link and is not followed, because {why} and so can let it lead anywhere: put the "
            "file or folder itself there, or name the path without this link"
        )
