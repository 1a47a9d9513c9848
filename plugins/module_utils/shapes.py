# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The shapes of what users write, lists and mappings, checked in one way. Pure. Private to this collection.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.secrecy import without_secrets


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
    """Give a value as messages show it: short, nothing by that word, and no secret."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping of {', '.join(map(str, value)) or 'nothing':.60}"
    if isinstance(value, str):
        return quoted(without_secrets(value), most)
    if isinstance(value, (list, tuple)) and any(map(_is_nested, value)):
        return f"a list ({', '.join(map(shown, value)):.60})"
    return _cut(without_secrets(repr(list(value) if isinstance(value, tuple) else value)), most)


def quoted(text: str, most: int = 60) -> str:
    """Give a text in quotation marks as messages show it: of a long one the beginning."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))
