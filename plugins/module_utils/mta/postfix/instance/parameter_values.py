# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Values of main.cf parameters: which spellings mean the same, and which Postfix cannot take. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words

_LIST_NAMES = ("mydestination", "mynetworks", "inet_interfaces", "inet_protocols", "relay_domains", "proxy_interfaces")
_LIST_SUFFIXES = (
    "_maps", "_restrictions", "_domains", "_networks", "_interfaces", "_recipients", "_hosts", "_clients", "_sites",
    "_restriction_classes", "_milters", "_directories", "_exceptions", "_senders",
)  # fmt: skip
_BOOLEAN = ("yes", "no")
_NUMBER = re.compile(r"[0-9]+")
_TIME = re.compile(r"[0-9]+[smhdw]")
_GIVEN_TIME = re.compile(r"-?[0-9]+[smhdwSMHDW]?")
_GIVEN_NUMBER = re.compile(r"-?[0-9]+")
# Parameters whose default looks like a number or yes/no, and that take other values too (postconf(5)).
_OTHER_VALUES = ("compatibility_level", "mail_release_date", "mail_version", "smtpd_forbid_bare_newline")
_OTHER_SUFFIXES = ("_feedback", "_directory")
# All numbers and times are 32-bit integers; a daemon that meets another one ends at once, whenever it is started.
_HIGHEST_NUMBER = 2**31 - 1
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TABLE = re.compile(r"(?:proxy:)?([a-z][a-z0-9]*):")


def is_list(name: str) -> bool:
    """Tell whether a parameter's value is a list, so that commas and white space in it mean the same."""
    return name in _LIST_NAMES or name.endswith(_LIST_SUFFIXES)


def same_value(name: str, one: str, other: str, default: str | None = None) -> bool:
    """Tell whether two values of a parameter mean the same to Postfix.

    That is: the same text; for a list the same elements in the same order, however they are separated; for a parameter
    whose default is yes or no, in any case.
    """
    if one == other:
        return True
    if default in _BOOLEAN:
        return one.lower() == other.lower()
    return is_list(name) and words(one) == words(other)


def fault(name: str, value: str, default: str | None, map_types: Collection[str]) -> str | None:
    """Return what is wrong with a value that a daemon would only stumble over when it runs; None when nothing is seen.

    ``postfix check`` reads the parameters that all programs share. A bad number for the queue manager alone passes it,
    and the queue manager then refuses to start. What a parameter takes is told from its default; values with ``$`` in
    them are left to Postfix.
    """
    if "$" not in value and default and name not in _OTHER_VALUES and not name.endswith(_OTHER_SUFFIXES):
        if default in _BOOLEAN and value.lower() not in _BOOLEAN:
            return "give yes or no"
        if _TIME.fullmatch(default) and not _GIVEN_TIME.fullmatch(value):
            return "give a time: a number and one of s, m, h, d and w"
        if _NUMBER.fullmatch(default) and not _GIVEN_NUMBER.fullmatch(value):
            return "give a number"
        if (_TIME.fullmatch(default) or _NUMBER.fullmatch(default)) and not _is_in_range(value, default):
            return f"give one from 0 to {_HIGHEST_NUMBER}, times counted in seconds"
    for kind in _table_types(name, value):
        if kind not in map_types:
            return (
                f"this Postfix has no lookup tables of type {kind} ('postconf -m' does not list it): "
                f"use another type, or install the package that brings it, such as postfix-{kind}"
            )
    return None


def _is_in_range(value: str, default: str) -> bool:
    """Tell whether a number or time fits what Postfix keeps it in; a sign only where its default has one."""
    number = int(value.rstrip("smhdwSMHDW"))
    unit = value[-1:].lower() if value[-1:].isalpha() else default[-1:] if default[-1:].isalpha() else "s"
    return number * _SECONDS[unit] <= _HIGHEST_NUMBER and (number >= 0 or default.startswith("-"))


def _table_types(name: str, value: str) -> Iterator[str]:
    """Give the types of the lookup tables that a value names, where a table must stand."""
    before = ""
    for word in words(value):
        if name.endswith("_maps") or (before.startswith("check_") and before.endswith("_access")):
            table = _TABLE.match(word)
            if table:
                yield table.group(1)
        before = word
