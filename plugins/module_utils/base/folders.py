# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# An open folder and the files in it, read, replaced and removed by descriptors alone. Private to this collection.
#
# Whoever else can write in the folder may swap names at any moment: still nothing outside of it is read or changed.

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileAttributes, FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.trusted_paths import (
    Reached,
    Strangers,
    is_trusted,
    user_name,
)

# No text that this collection edits is as large. Who owns a file can make it as large as the disk, or larger.
LARGEST_TEXT = 1 << 28
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LISTING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)


class NoRegularFile(ServerStateError):
    """What stands under a name is a link, a FIFO, a device or the like, or larger than any text."""


@dataclass(frozen=True)
class FoundFile:
    """A file as it was read: its content, and the attributes of the very file that had it."""

    content: bytes
    attributes: FileAttributes
    status: os.stat_result = field(compare=False)
    """What the system tells of it; two readings of one file may differ in it by the time of the reading."""

    @property
    def text(self) -> str:
        """The content as text, bytes that are no UTF-8 included (as surrogates)."""
        return self.content.decode("utf-8", "surrogateescape")


class Folder:
    """An open folder, and what can be done with the files in it. All its methods raise OSError and ServerStateError."""

    def __init__(self, reached: Reached) -> None:
        """Take a folder that was reached; whoever reached it closes it."""
        self._descriptor = reached.descriptor
        self.path = reached.path
        self.writers: Strangers | None = reached.writers
        """Who else can change names here, or in the way to here."""

    def status(self, name: str) -> os.stat_result | None:
        """Give what stands under a name, links not followed; None where nothing does."""
        try:
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def has_file(self, name: str) -> bool:
        """Tell whether a regular file stands under a name."""
        found = self.status(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def read(self, name: str, largest: int = LARGEST_TEXT) -> FoundFile | None:
        """Read a regular file, None where there is none; raises NoRegularFile for anything else, and never waits."""
        with self._opened(name) as descriptor:
            if descriptor is None:
                return None
            size, content = os.fstat(descriptor).st_size, b""
            if size <= largest:
                with os.fdopen(os.dup(descriptor), "rb") as file:
                    content = file.read(largest + 1)
            if max(size, len(content)) > largest:
                raise NoRegularFile(
                    f"The file {self.path / name} is larger than {largest >> 20} MiB and is not read: see who wrote it."
                )
            return FoundFile(content, FileAttributes.of(descriptor), os.fstat(descriptor))

    def attributes(self, name: str) -> FileAttributes | None:
        """Read the attributes of a regular file; None where there is none."""
        with self._opened(name) as descriptor:
            return None if descriptor is None else FileAttributes.of(descriptor)

    def give(self, name: str, rights: FileRights, mask: int = 0o777) -> None:
        """Give a regular file rights; nothing happens where there is none."""
        with self._opened(name) as descriptor:
            if descriptor is not None:
                rights.give(descriptor, mask)

    def set_time(self, name: str, nanoseconds: int) -> None:
        """Give a regular file a time of modification; nothing happens where there is none."""
        with self._opened(name) as descriptor:
            if descriptor is not None:
                os.utime(descriptor, ns=(nanoseconds, nanoseconds))

    def replace(
        self,
        name: str,
        text: str,
        attributes: FileAttributes,
        age: int = 0,
        last_look: Callable[[], None] = lambda: None,
    ) -> None:
        """Put ``text`` in the place of a file in one step: readers see the old file or the new one, whole.

        Its time of modification is ``age`` seconds ago. The text is on disk before the name changes, and just before it
        does, ``last_look`` may raise what keeps the old file.
        """
        temporary = temporary_prefix(name) + secrets.token_hex(8)
        descriptor = os.open(temporary, _CREATING, 0o600, dir_fd=self._descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                attributes.give(descriptor)
                file.write(text.encode("utf-8", "surrogateescape"))
                file.flush()
                if age:
                    os.utime(descriptor, (time.time() - age, time.time() - age))
                os.fsync(descriptor)
                last_look()
                os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
                written, found = os.fstat(descriptor), self.status(name)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self._descriptor)
            raise
        self.sync()
        self.remove_leftovers(name)
        if found is None or not os.path.samestat(written, found):
            raise ServerStateError(
                f"The file {self.path / name} was changed by somebody else in the moment in which it was written: "
                "look what stands there now, and who else writes it, then run again."
            )

    def mark(self, name: str, text: str = "", mode: int = 0o600) -> None:
        """Leave a small file as a sign; what stands under its name is kept only as a file of root or this user.

        It is not replaced: of a sign that a kill cut short there is still that it is there.
        """
        found = self.status(name)
        if found is not None and not (stat.S_ISREG(found.st_mode) and is_trusted(found.st_uid) and found.st_nlink == 1):
            self.remove(name)
        try:
            descriptor = os.open(name, _CREATING, mode, dir_fd=self._descriptor)
        except FileExistsError:
            descriptor = os.open(name, (_CREATING | os.O_NONBLOCK) & ~(os.O_CREAT | os.O_EXCL), dir_fd=self._descriptor)
        with os.fdopen(descriptor, "wb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or not is_trusted(found.st_uid) or found.st_nlink > 1:
                raise NoRegularFile(self._no_regular_file(name, found))
            if text:
                file.truncate()
                file.write(text.encode())
        self.sync()

    def remove(self, name: str) -> None:
        """Take a name away, whatever stands there but a directory; what is gone already is no fault."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)
            self.sync()

    def make_folder(self, name: str, rights: FileRights) -> None:
        """Make a folder with these rights, or give them to the one that is there."""
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=self._descriptor)
        descriptor = os.open(name, _LISTING, dir_fd=self._descriptor)
        try:
            rights.give(descriptor)
        finally:
            os.close(descriptor)
        self.sync()

    @contextmanager
    def private_folder(self, name: str) -> Iterator[Folder]:
        """Open a folder that nobody but this user has a way into, and make it where it is not there."""
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=self._descriptor)
        descriptor = os.open(name, _LISTING, dir_fd=self._descriptor)
        try:
            found = os.fstat(descriptor)
            if found.st_uid != os.geteuid():
                raise ServerStateError(
                    f"The folder {self.path / name} is kept for runs of this collection, but belongs to the user "
                    f"{user_name(found.st_uid)}: see who made it, and remove it."
                )
            os.fchmod(descriptor, 0o700)
            yield Folder(Reached(descriptor, self.path / name, None, None))
        finally:
            os.close(descriptor)

    @contextmanager
    def own_file(self, name: str) -> Iterator[int]:
        """Open a file for reading and writing that nobody but this user can open; make it where it is not there."""
        how = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, how, 0o600, dir_fd=self._descriptor)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise NoRegularFile(self._no_regular_file(name, found))
            yield descriptor
        finally:
            os.close(descriptor)

    @property
    def identity(self) -> str:
        """What tells this folder from all others on this machine, by whatever path it was reached."""
        found = os.fstat(self._descriptor)
        return f"{found.st_dev:x}-{found.st_ino:x}"

    def names(self) -> list[str]:
        """Give the names in the folder."""
        with self._listed() as descriptor:
            return os.listdir(descriptor)  # noqa: PTH208 - a descriptor is no Path

    def sync(self) -> None:
        """Make sure that names given or taken outlive a power failure."""
        with self._listed() as descriptor:
            os.fsync(descriptor)

    def remove_leftovers(self, name: str) -> None:
        """Remove unfinished new versions of a file that killed runs left; for whoever holds the lock."""
        for leftover in self.names():
            if leftover.startswith(temporary_prefix(name)):
                try:
                    self.remove(leftover)
                except IsADirectoryError:
                    self._remove_folder(leftover)

    def _remove_folder(self, name: str) -> None:
        """Remove a folder in which an index was built; one that holds more than files is not ours, and stays."""
        with suppress(OSError):
            descriptor = os.open(name, _LISTING, dir_fd=self._descriptor)
            try:
                for inner in os.listdir(descriptor):  # noqa: PTH208 - a descriptor is no Path
                    os.unlink(inner, dir_fd=descriptor)
            finally:
                os.close(descriptor)
            os.rmdir(name, dir_fd=self._descriptor)

    @contextmanager
    def _opened(self, name: str) -> Iterator[int | None]:
        # Looked at first, since opening alone can be too much for a device.
        found = self.status(name)
        if found is None:
            yield None
            return
        if not stat.S_ISREG(found.st_mode):
            raise NoRegularFile(self._no_regular_file(name, found))
        descriptor = os.open(name, _READING, dir_fd=self._descriptor)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise NoRegularFile(self._no_regular_file(name, found))
            if self.writers is not None and found.st_nlink > 1:
                raise NoRegularFile(
                    f"{self.path / name} is one of {found.st_nlink} names of a file (hard links) and is not read, "
                    f"because {self.writers} and so can give a name there to a file of others: put a copy "
                    "in its place."
                )
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _listed(self) -> Iterator[int]:
        descriptor = os.open(".", _LISTING, dir_fd=self._descriptor)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _no_regular_file(self, name: str, found: os.stat_result) -> str:
        kind = next((kind for is_one, kind in _KINDS if is_one(found.st_mode)), "no regular file")
        if stat.S_ISREG(found.st_mode):
            kind = "somebody else's file"
        return f"{self.path / name} is {kind}, where a file has to be: see who put it there, and remove it."


def temporary_prefix(name: str) -> str:
    """Return how the names of unfinished new versions of a file begin, so that those of a killed run can be found."""
    return f".{name}.new-"
