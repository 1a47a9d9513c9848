# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the module postfix_map is asked for: its arguments checked and turned into values. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.secret_tables import OTHERS, octal_mode
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_text import Entry
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import shown

State = Literal["exact", "present", "absent", "removed"]

# main.cf splits lists at white space and commas, and gives braces and $ a meaning.
_UNUSABLE_IN_MAIN_CF = re.compile(r"[\s,{}$\0]")

_HOW_TO_WRITE_TEXT = (
    "give one that is not empty, and put quotes around what YAML takes for something else (yes, no, on, off, null)."
)


@dataclass(frozen=True)
class TableRequest:
    """One lookup table as it shall be. One of ``entries``, ``content`` and ``src`` says what it holds."""

    path: Path
    type: str | None
    state: State
    entries: tuple[Entry, ...] | None
    content: str | None
    src: Path | None
    secret: bool
    mode: int | None
    owner: str | None
    group: str | None
    config_directory: str
    reload: bool


def parse_request(arguments: Mapping[str, Any]) -> TableRequest:
    """Read the module's arguments; raises InvalidInput for what cannot be used."""
    state: State = arguments["state"]
    listed = arguments["entries"] if arguments["secret_entries"] is None else arguments["secret_entries"]
    secret = arguments["secret"] or arguments["secret_entries"] is not None
    mode = _mode(arguments["mode"], secret)
    path = _path(arguments["path"], "path")
    content, src = arguments["content"], arguments["src"]
    given = [value for value in (listed, content, src) if value is not None]
    if state == "removed":
        if given:
            raise InvalidInput(f"The lookup table {path} is to be removed: give no entries, content or src with it.")
    elif not given:
        raise InvalidInput(f"Nothing says what the lookup table {path} shall hold: give entries, content or src.")
    elif state == "absent" and listed is None:
        raise InvalidInput(
            f"The state 'absent' takes entries out of the lookup table {path}: give entries, or the state 'removed'."
        )
    return TableRequest(
        path=path,
        type=arguments["type"],
        state=state,
        entries=None if listed is None else _entries(listed, state),
        content=content,
        src=None if src is None else _path(src, "src"),
        # What only its owner may read is not shown either.
        secret=secret or (mode is not None and not mode & OTHERS),
        mode=mode,
        owner=arguments["owner"],
        group=arguments["group"],
        config_directory=arguments["config_directory"],
        reload=arguments["reload"] == "auto",
    )


def _path(value: str, option: str) -> Path:
    path = Path(value)
    if option == "path" and path.name in ("main.cf", "master.cf"):
        raise InvalidInput(f"The path {value!r} is Postfix's own configuration, and no lookup table: name a table.")
    if not path.is_absolute() or (option == "path" and _UNUSABLE_IN_MAIN_CF.search(value)):
        raise InvalidInput(
            f"The {option} {value!r} is not usable for a lookup table: "
            "give an absolute path without white space, commas, braces and dollar signs."
        )
    return path


def _entries(listed: Any, state: State) -> tuple[Entry, ...]:
    if isinstance(listed, Mapping):
        return tuple(_entry(key, value, state) for key, value in listed.items())
    if not isinstance(listed, list):
        raise InvalidInput("The entries of a lookup table are given as a mapping, or as a list of key and value.")
    return tuple(_listed_entry(item, state) for item in listed)


def _listed_entry(item: Any, state: State) -> Entry:
    if isinstance(item, Mapping):
        unknown = sorted(str(name) for name in set(item) - {"key", "value"})
        if unknown:
            raise InvalidInput(f"An entry of a lookup table has key and value; {', '.join(unknown)} is neither.")
        return _entry(item.get("key"), item.get("value"), state)
    if state != "absent":
        raise InvalidInput(
            "An entry of a lookup table has no value: give a mapping of keys to values, or key and value."
        )
    return _entry(item, "", state)


def _entry(key: Any, value: Any, state: State) -> Entry:
    if not _is_text(key):
        raise InvalidInput(f"The key {key!r} of a lookup table entry is no text: {_HOW_TO_WRITE_TEXT}")
    if state == "absent":
        return Entry(str(key), "")
    if not _is_text(value):
        # The value is not shown: it may be a password.
        raise InvalidInput(f"The value of the lookup table entry {key!r} is no text: {_HOW_TO_WRITE_TEXT}")
    return Entry(str(key), str(value))


def _is_text(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, (str, int)) and value != ""


def _mode(value: Any, secret: bool) -> int | None:
    if value is None:
        return 0o600 if secret else None
    mode = octal_mode(value)
    if mode is None:
        raise InvalidInput(
            f"The mode {shown(value)} is none for a lookup table: give an octal number in quotes, as '0640'."
        )
    return mode
