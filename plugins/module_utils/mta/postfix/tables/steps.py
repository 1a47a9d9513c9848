# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The single things that a plan does on a Postfix server, each of which can be done twice. Private.

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import (
    open_folder,
    open_place,
    read_file,
    replace_file,
    writing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import PostfixServer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import (
    Due,
    note_due,
    reload_if_due,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.change import (
    TableChange,
    apply_table,
    plan_own_table,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import TableType

_OWNER_ALONE = FileRights(mode=0o600)


@dataclass(frozen=True)
class CreateDirectory:
    """Create our directory, or give the one that is there its rights: only root and Postfix's daemons look into it."""

    path: Path
    rights: FileRights

    @property
    def is_due(self) -> bool:
        """Tell whether it is not there, or has other rights."""
        try:
            return self.rights.differ(self.path.stat())
        except FileNotFoundError:
            return True

    @property
    def diffs(self) -> tuple[Diff, ...]:
        """Show other rights of the one that is there."""
        return _rights_diff(self.path, self.rights)

    def apply(self) -> None:
        """Create it."""
        with writing(self.path), open_place(self.path) as place:
            place.folder.make_folder(place.name, self.rights)


@dataclass(frozen=True)
class WriteFile:
    """Write one of our own files that is no lookup table, so that nobody but its owner can read it."""

    path: Path
    text: str

    @property
    def is_due(self) -> bool:
        """Tell whether it says something else, or others can read it."""
        found = read_file(self.path)
        return found is None or found.text != self.text or _OWNER_ALONE.differ(found.status)

    @property
    def diffs(self) -> tuple[Diff, ...]:
        """Show who else can read it. What it says is shown by what it stands for."""
        return _rights_diff(self.path, _OWNER_ALONE)

    def apply(self) -> None:
        """Replace the file in one step."""
        replace_file(self.path, self.text, _OWNER_ALONE)


@dataclass(frozen=True)
class WriteTable:
    """Bring a lookup table and its index to a new text."""

    change: TableChange

    def apply(self) -> None:
        """Do what was found due."""
        apply_table(self.change)


@dataclass(frozen=True)
class BringTable:
    """Bring a table of ours to a text, whatever it says when its turn comes: a table that changes twice in a run."""

    server: PostfixServer
    path: Path
    kind: TableType
    text: str

    def apply(self) -> None:
        """Find out what is due, and do it."""
        change = plan_own_table(self.server, self.path, self.kind, self.text)
        if change is not None:
            apply_table(change)


@dataclass(frozen=True)
class NoteReload:
    """Note that a reload will be due, before the change that makes it due."""

    config_directory: str

    def apply(self) -> None:
        """Leave the note, also for the next run when this one is killed."""
        note_due(self.config_directory, Due.RELOAD)


@dataclass(frozen=True)
class ReloadIfDue:
    """Reload Postfix when a step before, or a run that was killed, left that due."""

    config_directory: str

    def apply(self) -> None:
        """Reload it, if it runs."""
        reload_if_due(self.config_directory)


@dataclass(frozen=True)
class RemoveDirectory:
    """Remove our directory with everything in it, when nothing refers to it any more."""

    path: Path

    def apply(self) -> None:
        """Remove it; the record of what main.cf was before goes last with the directory itself."""
        with writing(self.path), open_folder(self.path.parent) as folder:
            shutil.rmtree(self.path)
            folder.sync()


def _rights_diff(path: Path, wanted: FileRights) -> tuple[Diff, ...]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    if not wanted.differ(found):
        return ()
    before = FileRights(found.st_mode & 0o7777, found.st_uid, found.st_gid)
    return (Diff(str(path), before.told(), wanted.over(before, 0).told()),)
