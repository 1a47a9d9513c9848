# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Replacing files so that readers, a kill at any moment and other runs do no harm. Private to this collection.

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError


@dataclass(frozen=True)
class FileRights:
    """Owner, group and mode that a file shall have; None leaves what is there, or the default for a new file."""

    mode: int | None = None
    owner: int | None = None
    group: int | None = None

    def differ(self, path: Path, mask: int = 0o7777) -> bool:
        """Tell whether the file has other rights than these; ``mask`` says which bits of the mode a file can have."""
        found = path.stat()
        return (
            (self.mode is not None and found.st_mode & 0o7777 != self.mode & mask)
            or (self.owner is not None and found.st_uid != self.owner)
            or (self.group is not None and found.st_gid != self.group)
        )

    def set(self, path: Path | int, mask: int = 0o7777) -> None:
        """Give a file, by path or open descriptor, these rights."""
        # The owner first: changing it takes set-user-id bits away.
        if self.owner is not None or self.group is not None:
            os.chown(path, -1 if self.owner is None else self.owner, -1 if self.group is None else self.group)
        if self.mode is not None:
            os.chmod(path, self.mode & mask)  # noqa: PTH101 - a descriptor is no Path


def rights_of(path: Path) -> FileRights | None:
    """Return the rights that a file has; None when there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return FileRights(found.st_mode & 0o7777, found.st_uid, found.st_gid)


def over(wanted: FileRights, found: FileRights | None, default_mode: int) -> FileRights:
    """Return the rights of a file that is to be written anew: as wanted, else as found, else ``default_mode``."""
    found = found or FileRights(mode=default_mode)
    return FileRights(
        mode=found.mode if wanted.mode is None else wanted.mode,
        owner=found.owner if wanted.owner is None else wanted.owner,
        group=found.group if wanted.group is None else wanted.group,
    )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system refuses while ``path`` or a file beside it is written into a ServerStateError."""
    try:
        yield
    except OSError as error:
        raise ServerStateError(
            f"The file {path} cannot be written: {error.strerror} ({error.filename or path}); see that its directory "
            "is there, that this user may write to it, and that the disk has room."
        ) from error


def replace_file(
    path: Path, text: str, rights: FileRights, age: int = 0, last_look: Callable[[], None] = lambda: None
) -> None:
    """Put ``text`` in the place of the file ``path`` in one step: readers see the old file or the new one, whole.

    The file's time of modification is ``age`` seconds ago. The text is on disk before the name changes, and just before
    it does, ``last_look`` may raise what keeps the old file. Raises ServerStateError when the system does not let it be
    written.
    """
    with writing(path):
        _replace_file(path, text, rights, age, last_look)
        remove_leftovers(path)


def _replace_file(path: Path, text: str, rights: FileRights, age: int, last_look: Callable[[], None]) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=temporary_prefix(path), dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.exists():
                # For the extended attributes: access control lists, the label of SELinux.
                shutil.copystat(path, temporary)
            rights.set(file.fileno())
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            if age:
                os.utime(file.fileno(), (time.time() - age, time.time() - age))
            os.fsync(file.fileno())
        last_look()
        os.replace(temporary, path)  # noqa: PTH105 - both are names of this function, not of a Path
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_directory(path.parent)


def temporary_prefix(path: Path) -> str:
    """Return how the names of unfinished new versions of a file begin, so that those of a killed run can be found."""
    return f".{path.name}.new-"


def remove_leftovers(path: Path) -> None:
    """Remove the unfinished new versions of a file that killed runs left; for whoever holds the server's lock."""
    for leftover in path.parent.glob(f"{temporary_prefix(path)}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink()


@contextmanager
def directory_lock(directory: Path) -> Iterator[None]:
    """Keep other runs of this collection from changing files in a directory at the same time.

    The lock is an flock(2) on the directory itself: it goes with the process that holds it and leaves no file behind.
    Raises OSError when the directory cannot be opened.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):
            os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make sure that names given or taken in a directory outlive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
