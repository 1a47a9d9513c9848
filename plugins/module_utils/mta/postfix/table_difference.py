# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The entries in which two texts of a lookup table differ, found without parsing either. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.main_cf import POSTFIX_SPACE
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_text import (
    Entry,
    entry_of_line,
    fold,
)

_KEYS_A_SEARCH_IS_FAST_FOR = 8


def changed_entries(before: str, after: str) -> Mapping[str, Entry | None] | None:
    """Return what has to be written to an index of ``before`` to make it one of ``after``: by folded key the new entry,
    or None where the key goes. None when that cannot be told from the changed lines alone.

    A single change in a text of 100,000 lines takes some 10 ms, where parsing both texts would take half a second.
    """
    if _needs_parsing(before) or _needs_parsing(after):
        return None
    start, end = _differing(before, after)
    gone = set(before[start : len(before) - end].split("\n"))
    come = set(after[start : len(after) - end].split("\n"))
    gone, come = gone - come, come - gone
    changes: dict[str, Entry | None] = {}
    written = 0
    for lines, stays in ((gone, False), (come, True)):
        for line in lines:
            entry = None if line.startswith("#") else entry_of_line(line)
            if entry is not None:
                key = fold(entry.key)
                if stays and changes.get(key) is not None:
                    # Two entries of one key: their order decides, which the lines do not tell.
                    return None
                changes[key] = entry if stays else None
                written += stays
    if changes and _lines_with(after, changes) != written:
        # A key has several entries, so that their order decides: only a parser can tell.
        return None
    return changes


def _differing(before: str, after: str) -> tuple[int, int]:
    """Return how many characters at the beginning and at the end two texts have in common, in whole lines."""
    start = _common(lambda length: before[:length] == after[:length], min(len(before), len(after)))
    start = before.rfind("\n", 0, start) + 1
    most = min(len(before), len(after)) - start
    end = _common(lambda length: length == 0 or before[-length:] == after[-length:], most)
    if end:
        newline = before.find("\n", len(before) - end)
        end = 0 if newline < 0 else len(before) - newline
    return start, end


def _common(agree: Callable[[int], bool], most: int) -> int:
    """Return the greatest length up to ``most`` for which two texts agree."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if agree(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _lines_with(text: str, keys: Collection[str]) -> int:
    """Count the lines of a plain text whose key is one of ``keys``."""
    if len(keys) <= _KEYS_A_SEARCH_IS_FAST_FOR:
        pattern = "|".join(map(re.escape, keys))
        return len(re.findall(rf"^(?:{pattern})[ \t\r\v\f]", text, re.MULTILINE | re.IGNORECASE))
    return sum(1 for line in text.split("\n") if line and fold(line.split(None, 1)[0]) in keys)


def _needs_parsing(text: str) -> bool:
    """Tell whether a text has anything for which its lines alone do not say what its entries are.

    That is continuation lines, quotes, escapes, and characters that Python takes for white space and Postfix does not.
    """
    return (
        not text.isascii()
        or text[:1] in POSTFIX_SPACE
        or any(f"\n{space}" in text for space in " \t\r\v\f")
        or any(character in text for character in '"\\\x1c\x1d\x1e\x1f')
    )
