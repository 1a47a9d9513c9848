# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The directory of this collection on a Postfix server, and the two JSON files in it. Private to this collection.

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    expanded,
    read_text_file,
)

SETTINGS_FILE = "settings.json"
SAVED_PARAMETERS_FILE = "main_cf.json"
_MAIL_OWNER = "mail_owner"


def own_directory(config_directory: str) -> Path:
    """Give the directory that holds all tables and files of ours on an instance."""
    return Path(config_directory) / "split_domain"


def own_rights(server: PostfixServer) -> FileRights:
    """Give the rights of a table of ours: root's, and to read for the group that Postfix's daemons run with.

    A user other than root cannot give files to that group, and leaves them as they come.
    """
    if os.geteuid() != 0:
        return FileRights()
    owner = server.parameters.get(_MAIL_OWNER, "postfix")
    if "$" in owner:
        owner = expanded(server.config_directory, [_MAIL_OWNER])[_MAIL_OWNER]
    try:
        group = pwd.getpwnam(owner).pw_gid
    except KeyError:
        # Postfix does not start without this user.
        group = None
    return FileRights(mode=0o640, owner=0, group=group)


def rights_of_directory(server: PostfixServer) -> FileRights:
    """Give the rights of our directory: who may read a table may look into it."""
    rights = own_rights(server)
    return replace(rights, mode=None if rights.mode is None else 0o750)


def read_json(path: Path, missing: Mapping[str, Any]) -> dict[str, Any]:
    """Read a file of ours, ``missing`` where there is none; raises ServerStateError for a damaged one."""
    text = read_text_file(path)
    try:
        data = missing if text is None else json.loads(text)
    except ValueError as error:
        raise ServerStateError(
            f"{path} is damaged ({error}): restore it from a backup, it holds what this collection set up here"
        ) from error
    return dict(data)


def json_text(data: Mapping[str, Any]) -> str:
    """Give the text of such a file."""
    return json.dumps(data, indent=2, sort_keys=True) + "\n"
