# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The shapes of what users write, lists and mappings, checked in one way. Pure. Private to this collection.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput

# What stands where a password would.
HIDDEN = "********"


def refuse_odd_keys(value: Any, known: Iterable[str], owner: str) -> None:
    """Raise InvalidInput when a value is no mapping, or has a key that is not ``known``; ``owner`` is for messages."""
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{owner} is {shown(value)}: write a mapping with the keys {', '.join(known)}")
    for key in value:
        if key not in known:
            raise InvalidInput(f"{owner} has an unknown key {key!r}: use {', '.join(known)}")


def read_list(value: Any, owner: str, expected: str) -> Sequence[Any]:
    """Give a list as it is; raises InvalidInput for anything else, with the words for what was ``expected``."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise InvalidInput(f"{owner} is {shown(value)}: write {expected}")
    return value


def shown(value: Any, most: int = 60) -> str:
    """Give a value as messages show it: short, nothing by that word, and no password."""
    if isinstance(value, str):
        return quoted(value, most)
    text = "nothing" if value is None else repr(_without_passwords(value))
    return text if len(text) <= most else f"{text[:most]}..."


def quoted(text: str, most: int = 60) -> str:
    """Give a text in quotation marks as messages show it: of a long one the beginning."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."


def _without_passwords(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: HIDDEN if key == "password" else _without_passwords(found) for key, found in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_passwords(entry) for entry in value]
    return value
