# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Domain names and TTLs as zone files spell them. Pure. Private to this collection.

from __future__ import annotations

import re
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import MAX_NAME, is_within
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MAX_TTL

# The name of the root here: what is left of "." without its dot.
ROOT = ""
# RFC 1035 section 2.3.4, each octet in its longest spelling.
LONGEST_SPELLED = 4 * (MAX_NAME + 1)
_SIMPLE = re.compile(r"(?:[A-Za-z0-9_*/-]+\.)*[A-Za-z0-9_*/-]+\.?")
_CHARACTER = re.compile(r"\\([0-9]{3})|\\(.)|(.)", re.DOTALL)
# What stands for itself in a name without a backslash.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_*/+=:,!#%&'<>?[]^`{}|~")
_TTL = re.compile(r"[0-9]{1,10}|(?:[0-9]{1,10}[wdhms])+", re.IGNORECASE | re.ASCII)
_TTL_PART = re.compile(r"([0-9]+)([wdhms]?)", re.IGNORECASE | re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def absolute_name(spelled: str, origin: str) -> Optional[str]:
    """Give a name in canonical form: absolute without the last dot, in lower case, each character in one spelling.

    ``origin`` is in that form, too. Gives None for what is no name (RFC 1035 section 5.1).
    """
    if spelled == "@":
        return origin
    if spelled == ".":
        return ROOT
    if len(spelled) > LONGEST_SPELLED:
        return None
    if _SIMPLE.fullmatch(spelled):
        bare, is_absolute = spelled.lower().rstrip("."), spelled.endswith(".")
    else:
        bare = ""
        for digits, escaped, plain in _CHARACTER.findall(spelled):
            bare += plain if plain == "." else _canonical(digits, escaped or plain)
        is_absolute = bare.endswith(".")
        bare = bare[:-1] if is_absolute else bare
        if not all(bare.split(".")):
            return None
    name = bare if is_absolute or origin == ROOT else f"{bare}.{origin}"
    # A character that is spelled \\DDD is one octet.
    return name if len(name) - len(r"000") * name.count("\\") <= MAX_NAME else None


def spelled_name(name: str, origin: str) -> str:
    """Give the shortest spelling of a canonical name that is the same at this origin."""
    if name == origin:
        return "@"
    if origin != ROOT and is_within(name, origin):
        return name[: -len(origin) - 1]
    return f"{name}."


def ttl_seconds(spelled: str) -> Optional[int]:
    """Give the seconds of a TTL such as ``3600`` or ``1h30m``; None for what is no TTL.

    A TTL beyond RFC 2181 section 8 is taken for 0, as that section wants.
    """
    if not _TTL.fullmatch(spelled):
        return None
    seconds = sum(int(number) * _SECONDS[unit.lower()] for number, unit in _TTL_PART.findall(spelled))
    return seconds if seconds <= MAX_TTL else 0


def _canonical(digits: str, character: str) -> str:
    octets = bytes([int(digits) % 256]) if digits else character.encode("utf-8", "surrogateescape")
    shown = ""
    for octet in octets:
        lower = chr(octet).lower()
        shown += lower if lower in _PLAIN else f"\\{octet:03}"
    return shown
