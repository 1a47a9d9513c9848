# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: it stands between secrecy.py and names.py. Lists and mappings of users, checked in one way. Pure.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.plain_forms import KNOWN_KEYS, is_like
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import (
    HIDDEN,
    host_without_secrets,
    name_without_secrets,
    without_secrets,
)

_SHORTEST_LONG_NUMBER = 7


def refuse_odd_keys(value: Any, known: Iterable[str], owner: str) -> None:
    """Raise InvalidInput when a value is no mapping, or has a key that is not ``known``; ``owner`` is for messages."""
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{owner} is {kind_of(value)}: write a mapping with the keys {', '.join(known)}")
    for key in value:
        if key not in known:
            raise InvalidInput(
                f"{owner} has an unknown key {kind_of(key, (*known, *KNOWN_KEYS))}: use {', '.join(known)}"
            )


def read_list(value: Any, owner: str, expected: str) -> Sequence[Any]:
    """Give a list as it is; raises InvalidInput for anything else, with the words for what was ``expected``."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise InvalidInput(f"{owner} is {kind_of(value)}: write {expected}")
    return value


def kind_of(value: Any, known: Iterable[str] = ()) -> str:
    """Give a value that may be a secret as messages show it: its kind, and of a text one that is like a known word."""
    if isinstance(value, str):
        is_short_number = value.isascii() and value.isdigit() and len(value) < _SHORTEST_LONG_NUMBER
        return repr(value) if is_short_number or is_like(value, known) else "a text that is not shown"
    return shown(value)


def shown_host(value: Any) -> str:
    """Give what is to be a host, a network or a next hop as messages show it."""
    return quoted(host_without_secrets(value)) if isinstance(value, str) else shown(value)


def shown_name(value: Any) -> str:
    """Give what is to be the name of a user, a site or a key as messages show it."""
    return quoted(name_without_secrets(value)) if isinstance(value, str) else shown(value)


def shown(value: Any, most: int = 60) -> str:
    """Give a value as messages show it: short, nothing by that word, and no secret; of lists and mappings the kind."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        keys = (str(key) if is_like(str(key), KNOWN_KEYS) else HIDDEN for key in value)
        return f"a mapping of {', '.join(keys) or 'nothing':.60}"
    if isinstance(value, str):
        return quoted(without_secrets(value), most)
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    text = repr(value)
    return text if len(text) < _SHORTEST_LONG_NUMBER else "a number that is not shown"


def quoted(text: str, most: int = 60) -> str:
    """Give a text in quotation marks as messages show it: of a long one the beginning."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."
