# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Lists of domains in main.cf, and whether a domain is in one: names, files, tables, exceptions. Pure. Private.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_keys import domain_keys
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_lookups import (
    Asking,
    Hit,
    Key,
    Question,
    Table,
    answer_of,
)


@dataclass(frozen=True)
class Pattern:
    """One element of a list: a name, or a table whose keys are names."""

    text: str
    excludes: bool
    """Whether what it matches is not in the list (``!``)."""
    table: Table | None


@dataclass(frozen=True)
class DomainList:
    """The list of a parameter. The first pattern that matches decides."""

    parameter: str
    patterns: tuple[Pattern, ...]
    parents_match: bool | None
    """Whether ``example.com`` matches its sub-domains too, or ``.example.com`` does; None: only the name itself."""


def parse_patterns(
    listed: Iterable[str], read_file: Callable[[str], str], table_of: Callable[[str], Table], excludes: bool = False
) -> Iterator[Pattern]:
    """Read the elements of a list; ``read_file`` gives the text of a file that stands in it as ``/path``."""
    for word in listed:
        if word.startswith("#"):
            return
        bare = word.lstrip("!")
        is_exception = excludes != bool((len(word) - len(bare)) % 2)
        if bare.startswith("/"):
            for line in read_file(bare).splitlines():
                if not line.startswith("#"):
                    yield from parse_patterns(words(line), read_file, table_of, is_exception)
        elif ":" in bare and not bare.startswith("["):
            yield Pattern(bare, is_exception, table_of(bare))
        elif bare:
            yield Pattern(bare.lower(), is_exception, None)


def find_member(members: DomainList, name: str) -> Asking[Hit | None]:
    """Tell what makes a name a member of a list; None when it is none."""
    keys = _keys(members, name)
    questions = tuple(
        Question(pattern.table.name, key.text)
        for pattern in members.patterns
        if pattern.table is not None
        for key in keys
        if pattern.table.takes_parts or not key.is_part
    )
    answers = (yield questions) if questions else {}
    for pattern in members.patterns:
        found: Hit | None = None
        if pattern.table is None:
            if _names(pattern.text, keys[0].text, members.parents_match):
                found = Hit(members.parameter, value=pattern.text)
        else:
            for key in keys:
                if pattern.table.takes_parts or not key.is_part:
                    value = answer_of(answers, Question(pattern.table.name, key.text), members.parameter)
                    if value is not None:
                        found = Hit(members.parameter, pattern.table.name, key.text, value)
                        break
        if found is not None:
            return None if pattern.excludes else found
    return None


def _keys(members: DomainList, name: str) -> tuple[Key, ...]:
    folded = name.lower()
    if members.parents_match is None:
        return (Key(folded, is_part=False),)
    return tuple(domain_keys(folded, members.parents_match))


def _names(pattern: str, name: str, parents_match: bool | None) -> bool:
    if pattern == name or parents_match is None:
        return pattern == name
    return name.endswith(f".{pattern}") if parents_match else pattern.startswith(".") and name.endswith(pattern)
