# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A zone file on this host: reading it, having BIND check a new text, and replacing it. Private to this collection.

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.atomic_files import (
    Place,
    open_place,
    read_file,
    writing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.failures import (
    SetKeepsChanging,
    ZoneCheckFailed,
    ZoneFileUnreadable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_contents import ZoneContents, zone_told_by
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_text import read_text
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.folders import FoundFile, NoRegularFile
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import quoted

# Where the commands of name servers live: often not in the PATH of a remote shell without login.
COMMAND_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_CHECKER = "named-checkzone"
_COMPLAINTS = 3
_LONGEST_COMPLAINT = 120
_LONGEST_CHECK = 300
# Bounds of what is read of a zone, in the file itself and in all that it includes: 100,000 records take a fifth of it.
# Whoever may write in a zone file may include any file of the host, any number of times.
MOST_OCTETS = 16 << 20
MOST_INCLUDES = 1_000


@dataclass(frozen=True)
class ZoneFile:
    """A zone file as it was read, where it stands, and the folder from which it includes others."""

    place: Place
    found: FoundFile
    contents: ZoneContents
    folder: Path

    @property
    def path(self) -> Path:
        """Give the path of the file."""
        return self.place.path

    def checked(self, text: str) -> ZoneContents:
        """Give what the file would hold with another text, once named-checkzone took it; nothing is written.

        Raises ZoneCheckFailed, with what named-checkzone said first.
        """
        # Without a look at other zones, which would be questions to other servers.
        command = [_CHECKER, "-i", "local", self.contents.zone, "/dev/stdin"]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command, and no shell is involved
                command,
                input=_octets(text),
                capture_output=True,
                check=False,
                cwd=self.folder,
                env=environment(),
                timeout=_LONGEST_CHECK,
            )
        except subprocess.TimeoutExpired as error:
            raise ZoneCheckFailed(
                f"the zone file {self.path} is not changed, because {_CHECKER} was not done with it after "
                f"{_LONGEST_CHECK} s: see what it includes and generates"
            ) from error
        except OSError as error:
            raise ZoneCheckFailed(
                f"the zone file {self.path} is not changed, because {_CHECKER} cannot check it first "
                f"({error.strerror}): install it on the host that runs the module (Debian: bind9-utils; Red Hat: bind)"
            ) from error
        if done.returncode < 0:
            # What it says then is of its own insides.
            raise ZoneCheckFailed(
                f"the zone file {self.path} is not changed, because {_CHECKER} was ended by the signal "
                f"{-done.returncode} while it checked it: run {_CHECKER} by hand, and correct the zone file"
            )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode("utf-8", "replace").replace("/dev/stdin", str(self.path))
            lines = [line.strip()[:_LONGEST_COMPLAINT] for line in said.splitlines() if line.strip()]
            raise ZoneCheckFailed(
                f"the zone file {self.path} is not changed, because {_CHECKER} does not take it with the new MX sets "
                f"and said: {'; '.join(lines[:_COMPLAINTS]) or 'nothing'}: correct the zone file or the sets"
            )
        include = _Including(self.path)
        return ZoneContents(
            read_text(text, self.contents.zone, str(self.path), include), self.contents.zone, str(self.path)
        )

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
def zone_place(path: Path) -> Iterator[Place]:
    """Open the folder of a zone file, which stays the same from reading the file until the server is told.

    Links are followed where nobody else has a say in them. Raises ZoneFileUnreadable and LinkRefused.
    """
    with ExitStack() as opened:
        try:
            place = opened.enter_context(open_place(path))
        except OSError as error:
            raise _unreadable(path, error) from error
        yield place


def read_zone_file(place: Place, zone: Optional[str]) -> ZoneFile:
    """Read a zone file with all that it includes; without ``zone`` it must tell its zone itself.

    Raises ZoneFileUnreadable, ZoneMismatch and InvalidInput.
    """
    path = place.path
    try:
        found = place.read(MOST_OCTETS)
    except (OSError, NoRegularFile) as error:
        raise _unreadable(path, error) from error
    if found is None:
        raise _unreadable(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    text = _as_text(path, found.content)
    name = str(path)
    zone = zone_told_by(text, name, _Including(path)) if zone is None else zone
    include = _Including(path)
    contents = ZoneContents(read_text(text, zone, name, include), zone, name)
    return ZoneFile(place, found, contents, include.folder or path.parent)


def environment() -> dict[str, str]:
    """Give the environment for the commands of a name server."""
    return {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:{COMMAND_PATH}"}


class _Including:
    """The files that a zone file includes.

    Knot DNS takes a relative path from the zone file's folder, BIND from its own working directory, which is that or
    one above as a rule: the nearest folder that has the first such file is taken for all of them.
    """

    def __init__(self, zone_file: Path) -> None:
        self.folder: Optional[Path] = None
        self._zone_file = zone_file
        self._files = 0
        self._octets = 0

    def __call__(self, name: str) -> str:
        """Give the text of an included file."""
        if self.folder is None and not name.startswith("/"):
            self.folder = next((above for above in self._zone_file.parents if _is_file(above / name)), None)
            if self.folder is None:
                raise ZoneFileUnreadable(
                    f"the zone file {self._zone_file} includes {quoted(name)}, which is neither in its folder nor in "
                    "one above: write the path of the included file from the root directory"
                )
        path = (self.folder or self._zone_file.parent) / name
        self._files += 1
        if self._files > MOST_INCLUDES:
            raise ZoneFileUnreadable(
                f"the zone file {self._zone_file} includes more than {MOST_INCLUDES:,} files, the last is {path}: "
                "include fewer, or change the file by hand"
            )
        text = _text(path)
        self._octets += len(text)
        if self._octets > MOST_OCTETS:
            raise ZoneFileUnreadable(
                f"the zone file {self._zone_file} includes more than {MOST_OCTETS >> 20} MiB in all, the last file is "
                f"{path}: include less, or change the file by hand"
            )
        return text


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        # Such as a name that is too long for any file, or no path.
        return False


def _text(path: Path) -> str:
    return _as_text(path, _read(path))


def _as_text(path: Path, octets: bytes) -> str:
    if b"\0" in octets:
        raise ZoneFileUnreadable(
            f"the zone file {path} is no text: let the server keep it as text (BIND: masterfile-format text)"
        )
    return octets.decode("utf-8", "surrogateescape")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _read(path: Path) -> bytes:
    try:
        found = read_file(path, MOST_OCTETS)
    except (OSError, NoRegularFile, ValueError) as error:
        raise _unreadable(path, error) from error
    if found is None:
        raise _unreadable(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    return found.content


def _unreadable(path: Path, error: Exception) -> ZoneFileUnreadable:
    why = error.strerror if isinstance(error, OSError) else error
    return ZoneFileUnreadable(
        f"the zone file {path} cannot be read on the host that runs the module ({why}): "
        "correct the path, or let this task's user read it"
    )
