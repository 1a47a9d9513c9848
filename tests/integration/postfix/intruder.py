# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Another user who can write in a folder, and swaps what is in it just before a given thing is done to a file there.
#
# Python tells an audit hook of everything that is done to files before it is done: the swap never comes too late.

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError

NOBODY = 65534
_DONE_TO_FILES = (
    "open",
    *(f"os.{name}" for name in ("rename", "remove", "rmdir", "mkdir", "chmod", "chown", "utime", "listdir", "link")),
    *(f"os.{name}" for name in ("setxattr", "removexattr", "getxattr", "listxattr", "symlink", "truncate")),
    "subprocess.Popen",
)
_ASIDE = ".aside"


class _Watch:
    """What the one hook of this process does at present."""

    at: Callable[[], None] | None = None


def _hook(event: str, _arguments: Any) -> None:
    if _Watch.at is not None and event in _DONE_TO_FILES:
        at, _Watch.at = _Watch.at, None
        at()
        if _Watch.at is None:
            _Watch.at = at


sys.addaudithook(_hook)


@contextmanager
def before_each_step(act: Callable[[int], None]) -> Iterator[list[int]]:
    """Have ``act(number)`` done before each thing that is done to files; gives the list of numbers that came."""
    seen: list[int] = []

    def at() -> None:
        seen.append(len(seen) + 1)
        act(len(seen))

    _Watch.at = at
    try:
        yield seen
    finally:
        _Watch.at = None


def swapped_at_every_step(folder: Path, target: Path, work: Callable[[], None], renew: Callable[[], None]) -> int:
    """Do ``work`` as often as it has steps, each time with links to ``target`` in the folder from one step later on.

    Returns how many steps it has. ``renew`` puts the folder right before each time; ``work`` may be refused.
    """
    renew()
    with before_each_step(lambda _step: None) as seen:
        work()
    for number in range(1, len(seen) + 1):
        renew()

        def swap(step: int, number: int = number) -> None:
            if step == number:
                plant_links(folder, target)

        with before_each_step(swap), suppress(SplitDomainError, OSError):
            work()
    return len(seen)


def names_in(folder: Path) -> list[str]:
    """Give the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def plant_links(folder: Path, target: Path) -> None:
    """Put every file of a folder aside, and a link of nobody's in its place."""
    for name in names_in(folder):
        path = folder / name
        if not name.endswith(_ASIDE) and stat.S_ISREG(path.lstat().st_mode):
            path.rename(folder / f"{name}{_ASIDE}")
            plant_link(path, target)


def plant_link(path: Path, target: Path) -> None:
    """Make a link of nobody's."""
    path.symlink_to(target)
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def state_of(path: Path) -> tuple[Any, ...]:
    """Give all of a file or a folder that must not change."""
    found = path.stat()
    inner = names_in(path) if path.is_dir() else path.read_bytes()
    attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    rights = (oct(found.st_mode), found.st_uid, found.st_gid, found.st_nlink)
    return (inner, *rights, attributes, None if path.is_dir() else (found.st_ino, found.st_mtime_ns))
