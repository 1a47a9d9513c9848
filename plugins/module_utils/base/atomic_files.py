# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Reading and replacing files so that readers, a kill at any moment, other runs and other users do no harm. Private.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileAttributes, FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import LARGEST_TEXT, Folder, FoundFile
from ansible_collections.mailops.split_domain.plugins.module_utils.base.trusted_paths import (
    reached_folder,
    reached_place,
)


@dataclass(frozen=True)
class FilePlace:
    """The place of one file: an open folder and a name in it."""

    folder: Folder
    name: str

    @property
    def path(self) -> Path:
        """Its path, without symbolic links."""
        return self.folder.path / self.name

    def read(self, largest: int = LARGEST_TEXT) -> FoundFile | None:
        """Read the file; None where there is none."""
        return self.folder.read(self.name, largest)


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Open a folder; a link on the way is followed only where nobody else has a say in it."""
    with reached_folder(path) as reached:
        yield Folder(reached)


@contextmanager
def open_place(path: Path) -> Iterator[FilePlace]:
    """Open the folder of a file that is there or shall be; links are followed only where nobody else has a say."""
    with reached_place(path) as (reached, name):
        yield FilePlace(Folder(reached), name)


def read_file(path: Path, largest: int = LARGEST_TEXT) -> FoundFile | None:
    """Read a regular file; None where there is none, or not even its folder."""
    try:
        with open_place(path) as place:
            return place.read(largest)
    except FileNotFoundError:
        return None


def replace_file(path: Path, text: str, wanted: FileRights, default_mode: int = 0o600, age: int = 0) -> None:
    """Replace a file, or make a new one, with rights as wanted and all other attributes as it has them.

    Raises ServerStateError when the system does not let it be written.
    """
    with writing(path), open_place(path) as place:
        found = place.folder.attributes(place.name)
        attributes = found.with_rights(wanted) if found else FileAttributes(wanted.over(None, default_mode))
        place.folder.replace(place.name, text, attributes, age)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system refuses while ``path`` or a file beside it is written into a ServerStateError."""
    try:
        yield
    except OSError as error:
        raise ServerStateError(
            f"The file {path} cannot be written: {error.strerror} ({path.parent / str(error.filename or path)}); see "
            "that its directory is there, that this user may write to it, and that the disk has room."
        ) from error
