# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The nature of lookup tables: what Postfix asks one for, and which of its rules it leaves out. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Callable

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words

# DATABASE_README: tables of patterns, and others whose keys Postfix does not know.
_PATTERN_TYPES = ("cidr", "fail", "pcre", "randmap", "regexp", "socketmap", "tcp")
_JOINING_TYPES = ("pipemap", "unionmap")
_QUERY_TYPES = ("ldap", "memcache", "mysql", "pgsql", "sqlite")
_CONTINUATION = re.compile(r"\n[ \t]+")
_TAKES_APART = re.compile(
    r"^(?:domain\s*=\s*\S|(?:query|query_filter|search_base|key_format)\s*=.*%[uUdD1-9])", re.MULTILINE
)
# What stands before the result of a rule: an exclamation mark perhaps, a pattern between two signs, and flags. Each
# character can be read in one way only, so that no text takes long.
_BEFORE_RESULT = re.compile(r"\s*!?([^\w\s#\\])(?:\\.|(?!\1)[^\\])*\1\w*\s")
# $1, ${1} or $(1); two dollar signs are one that stands for itself.
_SUBSTITUTION = re.compile(r"\$[0-9({]")


def takes_parts(name: str, read_file: Callable[[str], str]) -> bool:
    """Tell whether Postfix asks a table for ``user@domain`` without extension, for domains and for users alone.

    It does not ask patterns, nor databases whose query takes the key apart or that are limited to some domains
    (``%u``, ``%d``, ``domain``; pgsql_table(5)). ``read_file`` gives the text of a database's configuration.
    """
    kind, _colon, rest = name.partition(":")
    if kind == "proxy":
        return takes_parts(rest, read_file)
    if kind in _JOINING_TYPES:
        # The first table counts for all of them.
        return all(takes_parts(one, read_file) for one in words(rest.strip()[1:-1])[:1])
    if kind in _QUERY_TYPES and rest.startswith("/"):
        return not _TAKES_APART.search(_CONTINUATION.sub(" ", read_file(rest)))
    return kind not in _PATTERN_TYPES


def substitutes(name: str, read_file: Callable[[str], str]) -> bool:
    """Tell whether a table has patterns that put a part of the key into their result (regexp_table(5))."""
    kind, _colon, rest = name.partition(":")
    if kind == "proxy":
        return substitutes(rest, read_file)
    if kind in _JOINING_TYPES:
        return any(substitutes(one, read_file) for one in words(rest.strip()[1:-1]))
    if kind not in ("regexp", "pcre"):
        return False
    if rest.startswith("{"):
        rules = [rule.strip("{} ") for rule in words(rest.strip()[1:-1])]
    else:
        rules = _CONTINUATION.sub(" ", read_file(rest)).splitlines()
    return any(_rule_substitutes(rule) for rule in rules)


def _rule_substitutes(rule: str) -> bool:
    before = _BEFORE_RESULT.match(rule)
    return before is not None and _SUBSTITUTION.search(rule[before.end() :].replace("$$", "")) is not None
