# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which lookup tables hold secrets, told before a task's arguments are looked at, and all texts that are hidden then.

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import logical_lines

_OCTAL = re.compile(r"(?:0o)?[0-7]{1,9}")
# The bits of a mode by which others than the owner may read.
OTHERS = 0o077
_PLAIN_MODE_BITS = 0o777
# The option, and what is like it when it is misspelt.
_HOLDERS = ("entries", "content")
_OPTION, _LIKENESS, _LONGEST_OPTION = "secret", 0.8, 12
_NO = ("false", "no", "off", "0", "n", "f", "none", "")
# Keys that are shown all the same, for they say where a secret is for: a place in brackets or with a dot, an address.
_PLAIN_KEY = re.compile(
    r"\[[A-Za-z0-9.:_-]{1,255}\](?::[0-9]{1,5})?"
    r"|(?=[^.:]{0,255}\.)[A-Za-z0-9._-]{1,255}(?::[0-9]{1,5})?"
    r"|[^\s:@,;/=\"']{0,64}@[A-Za-z0-9._\[\]-]{1,255}"
)


def octal_mode(value: Any) -> int | None:
    """Read the mode of a table, a number or octal digits; None for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        mode = value
    else:
        # Python would take the digits of every script, underscores and a sign as well.
        mode = int(value, 8) if isinstance(value, str) and _OCTAL.fullmatch(value) else -1
    return mode if 0 <= mode <= _PLAIN_MODE_BITS else None


def secrets_of_table(arguments: Mapping[str, Any]) -> dict[str, set[str]]:
    """Give the options that hold the entries, each with all texts in it that nobody is shown, where they are secret.

    The arguments are as the user wrote them, whatever is wrong with them. Signs are ``secret``, or an option that is
    called nearly so; a mode that lets nobody else read, or is none; a file that nobody else may read now.
    """
    if not (_is_wanted(arguments) or _is_private(arguments.get("mode")) or _is_kept(arguments.get("path"))):
        return {}
    return {name: set(_of_entries(arguments[name])) for name in _HOLDERS if arguments.get(name) is not None}


def _is_wanted(arguments: Mapping[str, Any]) -> bool:
    for option, value in arguments.items():
        letters = re.sub("[^a-z]", "", str(option)[: 2 * _LONGEST_OPTION].lower())
        is_like_it = len(letters) <= _LONGEST_OPTION and get_close_matches(letters, [_OPTION], 1, _LIKENESS)
        if is_like_it and str(value).lower() not in _NO:
            return True
    return False


def _is_private(mode: Any) -> bool:
    if mode is None:
        return False
    wanted = octal_mode(mode)
    return wanted is None or not wanted & OTHERS


def _is_kept(path: Any) -> bool:
    """Tell whether a table is there that only its owner may read."""
    try:
        return isinstance(path, str) and not Path(os.path.expandvars(path)).expanduser().stat().st_mode & OTHERS
    except (OSError, ValueError, RuntimeError):
        return False


def _of_entries(value: Any) -> Iterator[str]:
    """Give the texts of entries, however they are nested, but for what is a key and looks like one."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key == "key":
                yield from _of_key(str(entry)) if isinstance(entry, (str, int)) else _of_entries(entry)
            else:
                yield from () if key == "value" else _of_key(str(key))
                yield from _of_entries(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            # A list of keys alone, for the state absent.
            yield from _of_key(entry) if isinstance(entry, str) else _of_entries(entry)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield from _of_text(str(value))


def _of_key(key: str) -> Iterator[str]:
    if not _PLAIN_KEY.fullmatch(key):
        yield from _of_text(key)


def _of_text(text: str) -> Iterator[str]:
    """Give a text as a whole, by its logical lines, by its lines, and by the words of these but a plain key."""
    yield text
    yield text.strip()
    for lines, _start, _end in logical_lines(text):
        yield "".join(lines).strip()
        for number, line in enumerate(lines):
            words = line.split()
            is_key = number == 0 and line[:1] == words[0][:1] and _PLAIN_KEY.fullmatch(words[0])
            yield from words[1:] if is_key else words
    for line in text.splitlines():
        yield line.strip()
