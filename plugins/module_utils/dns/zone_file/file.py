# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A zone file on this host: reading it, trying a new text out, and replacing it. Private to this collection.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import (
    FilePlace,
    open_place,
    writing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import FoundFile, NoRegularFile
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import quoted
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import SetKeepsChanging
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.check import check_zone
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.contents import (
    ZoneContents,
    zone_told_by,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.includes import (
    MOST_OCTETS,
    IncludedFiles,
    absent,
    as_text,
    zone_file_unreadable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text


@dataclass(frozen=True)
class ZoneFile:
    """A zone file as it was read, where it stands, and the files that it includes."""

    place: FilePlace
    found: FoundFile
    contents: ZoneContents
    included: IncludedFiles

    @property
    def path(self) -> Path:
        """Give the path of the file."""
        return self.place.path

    def checked(self, text: str) -> ZoneContents:
        """Give what the file would hold with another text, once named-checkzone took it; the file stays as it is.

        The lock of its folder is held. Raises ZoneCheckFailed, with what named-checkzone said first.
        """
        zone, name = self.contents.zone, str(self.path)
        check_zone(self.place.folder, self.path, zone, text, self.included.text)
        read = parse_zone_text(text, zone, name, self.included.counted(), self.contents.text.parts)
        return ZoneContents(read, zone, name)

    def replace(self, text: str) -> None:
        """Put another text in the file's place, in one step and with owner, mode and attributes as they are.

        Raises ChangedMeanwhile, and leaves the file alone, when it is no longer what was read.
        """
        with writing(self.path):
            self.place.folder.replace(self.place.name, text, self.found.attributes, last_look=self._look_again)

    def _look_again(self) -> None:
        found = self.place.read()
        if found is None:
            raise ChangedMeanwhile(f"the zone file {self.path} is gone")
        if found != self.found:
            raise ChangedMeanwhile(f"the zone file {self.path} is being changed by somebody else")


class ChangedMeanwhile(SetKeepsChanging):
    """Somebody else changed the file after it had been read."""


def zone_file_path(text: str) -> Path:
    """Give the path of a zone file."""
    if not text.startswith("/"):
        raise InvalidInput(f"the zone file {quoted(text)} has no absolute path: write its path from the root directory")
    if "\0" in text:
        raise InvalidInput(f"the zone file {quoted(text)} is no path (it holds a null character): correct it")
    return Path(text)


@contextmanager
def zone_place(path: Path) -> Iterator[FilePlace]:
    """Open the folder of a zone file, which stays the same from reading the file until the server is told.

    Links are followed where nobody else has a say in them. Raises ZoneFileUnreadable and LinkRefused.
    """
    with ExitStack() as opened:
        try:
            place = opened.enter_context(open_place(path))
        except OSError as error:
            raise zone_file_unreadable(path, error) from error
        yield place


def read_zone_file(place: FilePlace, zone: Optional[str]) -> ZoneFile:
    """Read a zone file with all that it includes; without ``zone`` it must tell its zone itself.

    Raises ZoneFileUnreadable, ZoneMismatch and InvalidInput.
    """
    path = place.path
    try:
        found = place.read(MOST_OCTETS)
    except (OSError, NoRegularFile) as error:
        raise zone_file_unreadable(path, error) from error
    if found is None:
        raise absent(path)
    text = as_text(path, found.content)
    name = str(path)
    included = IncludedFiles(path)
    zone = zone_told_by(text, name, included.counted()) if zone is None else zone
    contents = ZoneContents(parse_zone_text(text, zone, name, included.counted()), zone, name)
    return ZoneFile(place, found, contents, included)
