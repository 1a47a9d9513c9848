# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Taking a lookup table off a server: its text, its index, and what a killed run left of it. Private.

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder, writing
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    expanded,
    read_text_file,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.change import marker_path
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import INDEX_SUFFIXES

# The path in type:path; two slashes at its beginning are one.
_PATH_OF_TABLE = re.compile(r":/?(/[^\s,{}]+)")


@dataclass(frozen=True)
class TableRemoval:
    """The files of a table that are to go."""

    path: Path
    files: tuple[Path, ...]

    def apply(self) -> None:
        """Remove them; what is gone already is no fault. The text goes last, as the sign that the rest may be there."""
        with writing(self.path), open_folder(self.path.parent) as folder:
            for file in self.files:
                folder.remove(file.name)
            folder.remove_leftovers(self.path.name)


def own_removal(path: Path) -> TableRemoval | None:
    """Return what is to go for the table at ``path`` not to be there; None when nothing is. Looks for no users."""
    # Every index, for nobody may know any more which type the table was made with.
    indexes = (path.with_name(path.name + suffix) for suffix in sorted(set(INDEX_SUFFIXES.values())))
    files = tuple(file for file in (*indexes, marker_path(path), path) if file.is_file())
    return TableRemoval(path, files) if files else None


def plan_removal(server: PostfixServer, path: Path) -> TableRemoval | None:
    """Return what is to go for the table at ``path`` not to be there; None when nothing is.

    Raises ServerStateError while main.cf or master.cf still refers to it.
    """
    removal = own_removal(path)
    if removal is None:
        return None
    users = users_of(server, path)
    if users:
        raise ServerStateError(
            f"The lookup table {path} is still in use by {', '.join(users)}: take it out of there first, "
            "or Postfix would fail at every lookup."
        )
    return removal


def users_of(server: PostfixServer, path: Path) -> tuple[str, ...]:
    """Return the names of the parameters in main.cf, and master.cf itself, that refer to the table at ``path``.

    Parameters in a value are expanded, and every spelling of the path counts.
    """
    names = server.main_cf.names()
    texts = expanded(server.config_directory, names) if names else {}
    master = read_text_file(Path(server.config_directory) / "master.cf") or ""
    texts["master.cf"] = re.sub(r"\$(config_directory\b|\{config_directory\})", server.config_directory, master)
    wanted = os.path.normpath(path)
    return tuple(name for name, text in texts.items() if wanted in map(os.path.normpath, _PATH_OF_TABLE.findall(text)))
