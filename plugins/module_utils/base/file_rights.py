# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Owner, group, mode and extended attributes of files, read from and given to open files alone. Private.

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

# Never the bits that let a program run as its owner, nor the sticky bit: what is written here is text.
PERMISSIONS = 0o777
_ACL = "system.posix_acl_access"
# Of the others, some are rights of a program (security.capability) or say what the old text was (security.ima).
_KEPT = (_ACL, "security.selinux")
_KEPT_BEGINNING = "user."
_NOT_POSSIBLE = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ENODATA)


@dataclass(frozen=True)
class FileRights:
    """Owner, group and mode that a file shall have; None leaves what is there, or the default for a new file."""

    mode: int | None = None
    owner: int | None = None
    group: int | None = None

    def differ(self, found: os.stat_result, mask: int = PERMISSIONS) -> bool:
        """Tell whether a file has other rights than these; ``mask`` says which bits of the mode it can have."""
        return (
            (self.mode is not None and found.st_mode & 0o7777 != self.mode & mask & PERMISSIONS)
            or (self.owner is not None and found.st_uid != self.owner)
            or (self.group is not None and found.st_gid != self.group)
        )

    def give(self, descriptor: int, mask: int = PERMISSIONS) -> None:
        """Give an open file these rights."""
        self.give_owner(descriptor)
        self.give_mode(descriptor, mask)

    def give_owner(self, descriptor: int) -> None:
        """Give an open file this owner and group."""
        if self.owner is not None or self.group is not None:
            os.fchown(descriptor, -1 if self.owner is None else self.owner, -1 if self.group is None else self.group)

    def give_mode(self, descriptor: int, mask: int = PERMISSIONS) -> None:
        """Give an open file this mode."""
        if self.mode is not None:
            os.fchmod(descriptor, self.mode & mask & PERMISSIONS)

    def told(self) -> str:
        """Tell rights of which each is known, as a line for users."""
        return f"mode {self.mode or 0:04o}, owner {self.owner}, group {self.group}\n"

    def over(self, found: FileRights | None, default_mode: int) -> FileRights:
        """Return the rights of a file that is to be written anew: as these say, else as found, else by default."""
        found = found or FileRights(mode=default_mode)
        return FileRights(
            mode=found.mode if self.mode is None else self.mode,
            owner=found.owner if self.owner is None else self.owner,
            group=found.group if self.group is None else self.group,
        )


@dataclass(frozen=True)
class FileAttributes:
    """All that a file has beside its text and that its next version shall have as well."""

    rights: FileRights = FileRights()
    extended: Mapping[str, bytes] = field(default_factory=dict)
    """Access control list, label of SELinux and what users noted, by name."""

    @classmethod
    def of(cls, descriptor: int) -> FileAttributes:
        """Read those of an open file."""
        found = os.fstat(descriptor)
        return cls(FileRights(found.st_mode & PERMISSIONS, found.st_uid, found.st_gid), _extended(descriptor))

    def with_rights(self, wanted: FileRights) -> FileAttributes:
        """Return these attributes, with rights as wanted where something is wanted."""
        return replace(self, rights=wanted.over(self.rights, PERMISSIONS))

    def give(self, descriptor: int, mask: int = PERMISSIONS) -> None:
        """Give them to an open file, and take away what its folder gave it beyond them."""
        # The mode last: an access control list has the bits of the group.
        self.rights.give_owner(descriptor)
        for name, value in self.extended.items():
            try:
                os.setxattr(descriptor, name, value)
            except OSError as error:
                if name == _ACL or error.errno not in _NOT_POSSIBLE:
                    raise
        if _ACL not in self.extended and _ACL in _names(descriptor):
            os.removexattr(descriptor, _ACL)
        self.rights.give_mode(descriptor, mask)


def _extended(descriptor: int) -> dict[str, bytes]:
    names = [name for name in _names(descriptor) if name in _KEPT or name.startswith(_KEPT_BEGINNING)]
    return {name: os.getxattr(descriptor, name) for name in names}


def _names(descriptor: int) -> list[str]:
    """Give the names of the extended attributes; none where the system or its file system has none."""
    if not hasattr(os, "listxattr"):
        return []
    try:
        return os.listxattr(descriptor)
    except OSError as error:
        if error.errno not in _NOT_POSSIBLE:
            raise
        return []
