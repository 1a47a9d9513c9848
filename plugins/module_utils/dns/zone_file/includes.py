# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The files that a zone file includes, each of which is read once. Private to this collection.

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import read_file
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import NoRegularFile
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import quoted
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ZoneFileUnreadable
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import Include

# Bounds of what is read of a zone, in the file itself and in all that it includes: 100,000 records take a fifth of it.
# Whoever may write in a zone file may include any file of the host, any number of times.
MOST_OCTETS = 16 << 20
MOST_INCLUDES = 1_000


class IncludedFiles:
    """The files that a zone file includes, as they were when they were read first.

    Knot DNS takes a relative path from the zone file's folder, BIND from its own working directory, which is that or
    one above as a rule: the nearest folder that has the first such file is taken for all of them.
    """

    def __init__(self, zone_file: Path) -> None:
        """Read nothing yet."""
        self._zone_file = zone_file
        self._folder: Optional[Path] = None
        self._texts: dict[str, str] = {}

    def counted(self) -> Include:
        """Give what gives their texts to one reading of the zone file, up to the bounds."""
        files = octets = 0

        def include(name: str) -> str:
            nonlocal files, octets
            files += 1
            if files > MOST_INCLUDES:
                raise ZoneFileUnreadable(
                    f"the zone file {self._zone_file} includes more than {MOST_INCLUDES:,} files, the last is "
                    f"{self._path(name)}: include fewer, or change the file by hand"
                )
            text = self.text(name)
            octets += len(text)
            if octets > MOST_OCTETS:
                raise ZoneFileUnreadable(
                    f"the zone file {self._zone_file} includes more than {MOST_OCTETS >> 20} MiB in all, the last file "
                    f"is {self._path(name)}: include less, or change the file by hand"
                )
            return text

        return include

    def text(self, name: str) -> str:
        """Give the text of the file that $INCLUDE names so."""
        if name not in self._texts:
            self._texts[name] = _text(self._path(name))
        return self._texts[name]

    def _path(self, name: str) -> Path:
        if self._folder is None and not name.startswith("/"):
            self._folder = next((above for above in self._zone_file.parents if _is_file(above / name)), None)
            if self._folder is None:
                raise ZoneFileUnreadable(
                    f"the zone file {self._zone_file} includes {quoted(name)}, which is neither in its folder nor in "
                    "one above: write the path of the included file from the root directory"
                )
        return (self._folder or self._zone_file.parent) / name


def as_text(path: Path, octets: bytes) -> str:
    """Give the text of a zone file; raises ZoneFileUnreadable for what is none."""
    if b"\0" in octets:
        raise ZoneFileUnreadable(
            f"the zone file {path} is no text: let the server keep it as text (BIND: masterfile-format text)"
        )
    return octets.decode("utf-8", "surrogateescape")


def zone_file_unreadable(path: Path, error: Exception) -> ZoneFileUnreadable:
    """Give the failure for a zone file that the system does not let be read."""
    why = error.strerror if isinstance(error, OSError) else error
    return ZoneFileUnreadable(
        f"the zone file {path} cannot be read on the host that runs the module ({why}): "
        "correct the path, or let this task's user read it"
    )


def absent(path: Path) -> ZoneFileUnreadable:
    """Give the failure for a zone file that is not there."""
    return zone_file_unreadable(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # Such as a name that is too long for any file, or no path.
        return False


def _text(path: Path) -> str:
    try:
        found = read_file(path, MOST_OCTETS)
    except (OSError, NoRegularFile, ValueError) as error:
        raise zone_file_unreadable(path, error) from error
    if found is None:
        raise absent(path)
    return as_text(path, found.content)
