# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the text of a zone file says: its records, each with where it stands. Pure. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.failures import ZoneFileUnreadable
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_lines import Line, Word, cut
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_names import (
    absolute_name,
    spelled_name,
    ttl_seconds,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import quoted

# Gives the text of a file that $INCLUDE names.
Include = Callable[[str], str]

_CLASS = re.compile(r"IN|CH|CHAOS|HS|HESIOD|CLASS[0-9]+", re.IGNORECASE | re.ASCII)
# RFC 3597 section 5: the types that matter here, by number.
_TYPES_BY_NUMBER = {"TYPE1": "A", "TYPE2": "NS", "TYPE5": "CNAME", "TYPE6": "SOA", "TYPE15": "MX", "TYPE28": "AAAA"}
_NESTED_INCLUDES = 20
# $GENERATE of BIND's manual: a range and perhaps a step. A zone has one for each address of a network at most; beyond
# that named-checkzone takes minutes, or ends by an assertion of its own.
_RANGE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})(?:/([0-9]{1,10}))?")
MOST_GENERATED = 65_536
MOST_GENERATED_IN_ALL = 4 * MOST_GENERATED


@dataclass(frozen=True)
class Record:
    """One record, or with ``is_generated`` one $GENERATE, whose owner is then a pattern in the file's spelling."""

    line: Line
    included_from: Optional[str]
    """The file that $INCLUDE names, or None for the zone file itself."""
    origin: str
    owner: str
    owner_spelling: str
    """How the owner can be spelled on this line, whether it is or not."""
    has_owner: bool
    is_generated: bool
    ttl: int
    """In seconds, as it holds, from wherever it comes."""
    ttl_word: Optional[Word]
    default_ttl: Optional[int]
    """What a line without TTL has here; None where that is the TTL of the line before."""
    after_owner: Word
    rdtype: str
    values: tuple[Word, ...]

    @property
    def place(self) -> str:
        """Give the place for messages."""
        return f"line {self.line.number}" + (
            f" of the included file {self.included_from}" if self.included_from else ""
        )


@dataclass(frozen=True)
class ZoneText:
    """The text of a zone file and all records in it and in the files that it includes, in their order."""

    text: str
    records: tuple[Record, ...]
    last_origin: str
    last_default_ttl: Optional[int]


def read_text(text: str, origin: str, name: str, include: Include) -> ZoneText:
    """Give what a zone file says whose zone is ``origin``; ``name`` is what failures call the file.

    Follows RFC 1035 section 5.1 and RFC 2308 section 4, and BIND where these leave a choice. Raises
    ZoneFileUnreadable, and what ``include`` raises.
    """
    reader = _Reader(name, include)
    last_origin = reader.read(text, origin, None)
    return ZoneText(text, tuple(reader.records), last_origin, reader.default_ttl)


@dataclass(frozen=True)
class _Beginning:
    """What is known of a record before its TTL, class and type are read."""

    line: Line
    included_from: Optional[str]
    origin: str
    owner: str
    owner_spelling: str
    has_owner: bool
    is_generated: bool = False


class _Reader:
    """The state that flows from line to line and through all included files (RFC 1035: but not owner and origin)."""

    def __init__(self, name: str, include: Include) -> None:
        self.records: list[Record] = []
        self.default_ttl: Optional[int] = None
        self._last_ttl: Optional[int] = None
        self._name = name
        self._include = include
        self._depth = 0
        self._generated = 0

    def read(self, text: str, origin: str, included_from: Optional[str]) -> str:
        """Take in the records of one file and give the origin at its end."""
        name = included_from or self._name
        owner: Optional[str] = None
        owner_spelling, spelled_at = "", origin
        for line in cut(text, name):
            words = line.words
            first = words[0].text
            if first.startswith("$") and not line.is_indented:
                origin = self._directive(line, origin, included_from)
                continue
            if not line.is_indented:
                owner = self._absolute(line, words[0], origin, name)
                owner_spelling, spelled_at = first, origin
                words = words[1:]
            if owner is None:
                raise _unreadable(name, line, "has no owner name, and no line before it has one")
            spelling = owner_spelling if spelled_at == origin else spelled_name(owner, origin)
            self._take(_Beginning(line, included_from, origin, owner, spelling, not line.is_indented), words)
        return origin

    def _directive(self, line: Line, origin: str, included_from: Optional[str]) -> str:
        """Do what a line with $ says, and give the origin behind it."""
        name = included_from or self._name
        directive, values = _upper(line.words[0].text), line.words[1:]
        if directive == "$ORIGIN" and values:
            return self._absolute(line, values[0], origin, name)
        if directive == "$TTL" and values:
            self.default_ttl = ttl_seconds(values[0].text)
            if self.default_ttl is None:
                raise _unreadable(name, line, f"has {quoted(values[0].text)}, which is no TTL")
        elif directive == "$INCLUDE" and values:
            beginning = self._absolute(line, values[1], origin, name) if len(values) > 1 else origin
            self._depth += 1
            if self._depth > _NESTED_INCLUDES:
                raise _unreadable(name, line, f"is the {self._depth}th $INCLUDE within another")
            self.read(self._include(values[0].bare), beginning, values[0].bare)
            self._depth -= 1
        elif directive == "$GENERATE" and len(values) > 1:
            self._count_generated(line, values[0].text, name)
            pattern = values[1].text
            self._take(_Beginning(line, included_from, origin, pattern, pattern, True, True), values[2:])
        else:
            raise _unreadable(
                name, line, f"has the directive {quoted(directive)}, which is not known or lacks its value"
            )
        return origin

    def _count_generated(self, line: Line, spelled: str, name: str) -> None:
        """Raise ZoneFileUnreadable where $GENERATE makes more records than a zone can have use for."""
        found = _RANGE.fullmatch(spelled)
        first, last, step = (int(number or 1) for number in found.groups()) if found else (1, 0, 1)
        if last < first or not step:
            raise _unreadable(name, line, f"has {quoted(spelled)}, which is no range of $GENERATE")
        made = (last - first) // step + 1
        self._generated += made
        if made > MOST_GENERATED or self._generated > MOST_GENERATED_IN_ALL:
            raise _unreadable(
                name,
                line,
                f"makes {made:,} records with $GENERATE, {self._generated:,} with those before it, where at most "
                f"{MOST_GENERATED:,} in one line and {MOST_GENERATED_IN_ALL:,} in a zone are read",
            )

    def _take(self, beginning: _Beginning, words: tuple[Word, ...]) -> None:
        """Take in one record, whose words begin with its TTL, class or type."""
        name = beginning.included_from or self._name
        line = beginning.line
        rest = list(words)
        ttl_word = None
        has_class = False
        while rest:
            if not has_class and _CLASS.fullmatch(rest[0].text):
                has_class = True
            elif ttl_word is None and ttl_seconds(rest[0].text) is not None:
                ttl_word = rest[0]
            else:
                break
            rest.pop(0)
        if not rest:
            raise _unreadable(name, line, "is no whole record")
        rdtype = _upper(rest[0].text)
        rdtype = _TYPES_BY_NUMBER.get(rdtype, rdtype)
        ttl = self._ttl(ttl_word, rdtype, rest)
        if ttl is None:
            raise _unreadable(name, line, "has no TTL, and there is no $TTL before it")
        self.records.append(
            Record(
                **vars(beginning),
                ttl=ttl,
                ttl_word=ttl_word,
                default_ttl=self.default_ttl,
                after_owner=words[0],
                rdtype=rdtype,
                values=tuple(rest[1:]),
            )
        )

    def _ttl(self, ttl_word: Optional[Word], rdtype: str, rest: list[Word]) -> Optional[int]:
        """Give the TTL of a record and keep what it means for the lines behind it."""
        if ttl_word is not None:
            self._last_ttl = ttl_seconds(ttl_word.text)
        elif self.default_ttl is not None:
            self._last_ttl = self.default_ttl
        elif self._last_ttl is None and rdtype == "SOA":
            # Before there was $TTL, the last number of the SOA was the default.
            self._last_ttl = self.default_ttl = ttl_seconds(rest[-1].text)
        return self._last_ttl

    @staticmethod
    def _absolute(line: Line, word: Word, origin: str, name: str) -> str:
        absolute = absolute_name(word.bare if word.text.startswith('"') else word.text, origin)
        if absolute is None:
            raise _unreadable(name, line, f"has {quoted(word.text)}, which is no name")
        return absolute


def _upper(word: str) -> str:
    """Give a word in capitals; one that is not ASCII stays, for some of its characters would become ASCII letters."""
    return word.upper() if word.isascii() else word


def _unreadable(name: str, line: Line, wrong: str) -> ZoneFileUnreadable:
    return ZoneFileUnreadable(f"line {line.number} of the zone file {name} {wrong}: correct the file")
