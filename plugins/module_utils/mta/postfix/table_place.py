# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Where a lookup table may stand: nobody else may write beside it, since Postfix's commands take paths. Private.

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.atomic_files import open_folder, open_place
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.folders import Folder


def refuse_strangers(path: Path) -> None:
    """Raise ServerStateError where others could swap a table or its index while it is written, or plant one.

    postmap(1) writes the index by its name, with the rights of this process: a link there would lead it elsewhere.
    """
    try:
        with open_folder(path.parent) as folder, open_place(path) as place:
            for one in (folder, place.folder):
                _refuse(path, one)
    except FileNotFoundError:
        if path.parent != path:
            # The folder comes with the table.
            refuse_strangers(path.parent)


def _refuse(path: Path, folder: Folder) -> None:
    if folder.writers is not None:
        raise ServerStateError(
            f"{path} is not written, because {folder.writers} and so could put other files in the place of a lookup "
            "table or its index: take that right away, or keep the table in a folder that only root, or the user of "
            "the task, can write in."
        )
