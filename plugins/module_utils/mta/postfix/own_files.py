# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The directory of this collection on a Postfix server, and the two JSON files in it. Private to this collection.

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import read_text

SETTINGS_FILE = "settings.json"
LOAN_FILE = "main_cf.json"
# The key of the split domains that the server's own settings have already.
LAID_OVER = "laid_over"


def own_directory(config_directory: str) -> Path:
    """Give the directory that holds all tables and files of ours on an instance."""
    return Path(config_directory) / "split_domain"


def split_entries(directory: Path) -> list[dict[str, Any]]:
    """Give the split domains of a server as ``split_domains`` wrote them down; raises ServerStateError."""
    return list(read_json(directory / SETTINGS_FILE, {"domains": []})["domains"])


def laid_over_domains(directory: Path) -> frozenset[str]:
    """Give the split domains that the server's own settings had already, as ``split_domains`` found them."""
    return frozenset(read_json(directory / SETTINGS_FILE, {}).get(LAID_OVER, {}))


def read_json(path: Path, missing: Mapping[str, Any]) -> dict[str, Any]:
    """Read a file of ours, ``missing`` where there is none; raises ServerStateError for a damaged one."""
    text = read_text(path)
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
