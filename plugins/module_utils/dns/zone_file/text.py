# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the text of a zone file says: its records, each with where it stands. Pure. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import quoted
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ZoneFileUnreadable
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.lines import (
    Line,
    Word,
    cut,
    directive_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.names import (
    LONGEST_SPELLED,
    absolute_name,
    spelled_name,
    ttl_seconds,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.records import ZoneRecord

# Gives the text of a file that $INCLUDE names.
Include = Callable[[str], str]
_CLASS = re.compile(r"IN|CH|CHAOS|HS|HESIOD|CLASS[0-9]+", re.IGNORECASE | re.ASCII)
# RFC 3597 section 5: the types that matter here, by number.
_TYPES_BY_NUMBER = {"TYPE1": "A", "TYPE2": "NS", "TYPE5": "CNAME", "TYPE6": "SOA", "TYPE15": "MX", "TYPE28": "AAAA"}
_NESTED_INCLUDES = 20
# Bounds of what is read of a zone, in the file and in all that it includes: a record takes up to a kilobyte of memory.
MOST_RECORDS = 300_000
MOST_LINES = 1_000_000
# $GENERATE of BIND's manual: a range and perhaps a step. A zone has one for each address of a network at most; beyond
# that named-checkzone takes minutes, or ends by an assertion of its own.
_RANGE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})(?:/([0-9]{1,10}))?")
MOST_GENERATED = 65_536
MOST_GENERATED_IN_ALL = 4 * MOST_GENERATED


class _State(NamedTuple):
    """What is known where an included file begins, all of which decides what it says."""

    name: str
    origin: str
    default_ttl: Optional[int]
    last_ttl: Optional[int]


class _Part(NamedTuple):
    """What an included file says, and what holds behind it."""

    records: tuple[ZoneRecord, ...]
    default_ttl: Optional[int]
    last_ttl: Optional[int]


@dataclass(frozen=True)
class ZoneText:
    """The text of a zone file and all records in it and in the files that it includes, in their order."""

    text: str
    records: tuple[ZoneRecord, ...]
    last_origin: str
    last_default_ttl: Optional[int]
    parts: Mapping[_State, _Part] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What the included files say, so that a new text which includes the same need not read them again."""


def parse_zone_text(
    text: str, origin: str, name: str, include: Include, included: Mapping[_State, _Part] = MappingProxyType({})
) -> ZoneText:
    """Give what a zone file says whose zone is ``origin``; ``name`` is what failures call the file.

    Follows RFC 1035 section 5.1 and RFC 2308 section 4, and BIND where these leave a choice. ``included`` are the
    parts of an earlier reading, which counted what they hold. Raises ZoneFileUnreadable, and what ``include`` raises.
    """
    reader = _Reader(name, include, included)
    last_origin = reader.read(text, origin, None)
    return ZoneText(text, tuple(reader.records), last_origin, reader.default_ttl, reader.parts)


def owner_of_soa(text: str, origin: str, name: str, include: Include) -> Optional[str]:
    """Give the owner of the first SOA record, behind which nothing is read; None where there is none."""
    reader = _Reader(name, include, {}, last_type="SOA")
    reader.read(text, origin, None)
    return reader.records[-1].owner if reader.is_done else None


class _Reader:
    """The state that flows from line to line and through all included files (RFC 1035: but not owner and origin)."""

    def __init__(
        self, name: str, include: Include, included: Mapping[_State, _Part], last_type: Optional[str] = None
    ) -> None:
        self.records: list[ZoneRecord] = []
        self.default_ttl: Optional[int] = None
        self.parts: dict[_State, _Part] = {}
        self.is_done = False
        self._last_ttl: Optional[int] = None
        self._name = name
        self._include = include
        self._included = included
        self._last_type = last_type
        self._types: dict[str, str] = {}
        self._depth = 0
        self._generated = 0
        self._directives = 0
        self._lines = 0

    def read(self, text: str, origin: str, included_from: Optional[str]) -> str:
        """Take in the records of one file and give the origin at its end."""
        name = included_from or self._name
        self._count_lines(text, name)
        owner: Optional[str] = None
        owner_spelling, spelled_at = "", origin
        for line, head in cut(text, name):
            if len(self.records) + self._directives >= MOST_RECORDS:
                raise self._too_large(f"{MOST_RECORDS:,} records and directives")
            first = head[0]
            directive = directive_of(line, first)
            if directive is not None:
                self._directives += 1
                origin = self._directive(directive, line, origin, included_from)
            else:
                if not line.is_indented and (first.text != owner_spelling or spelled_at != origin):
                    owner = self._absolute(line, first, origin, name)
                    owner_spelling, spelled_at = first.text, origin
                if owner is None:
                    raise _unreadable(name, line, "has no owner name, and no line before it has one")
                spelling = owner_spelling if spelled_at == origin else spelled_name(owner, origin)
                self._take(_Beginning(line, included_from, origin, owner, spelling, int(not line.is_indented)), head)
            if self.is_done:
                break
        return origin

    def _directive(self, directive: str, line: Line, origin: str, included_from: Optional[str]) -> str:
        """Do what a line with $ says, and give the origin behind it."""
        name = included_from or self._name
        words = line.words
        values = words[1:]
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
            self._read_included(values[0].bare, beginning)
            self._depth -= 1
        elif directive == "$GENERATE" and len(values) > 1:
            self._count_generated(line, values[0].text, name)
            pattern = values[1].text
            if len(pattern) > LONGEST_SPELLED:
                raise _unreadable(name, line, f"has {quoted(pattern)}, which is no name")
            self._take(_Beginning(line, included_from, origin, pattern, pattern, 3, True), words)
        else:
            raise _unreadable(
                name, line, f"has the directive {quoted(directive)}, which is not known or lacks its value"
            )
        return origin

    def _read_included(self, name: str, origin: str) -> None:
        # Where there is a default, the TTL of the line before matters no more.
        last_ttl = self._last_ttl if self.default_ttl is None else None
        state = _State(name, origin, self.default_ttl, last_ttl)
        part = self._included.get(state)
        if part is None:
            before = len(self.records)
            self.read(self._include(name), origin, name)
            part = _Part(tuple(self.records[before:]), self.default_ttl, self._last_ttl)
        else:
            self.records += part.records
            self.default_ttl, self._last_ttl = part.default_ttl, part.last_ttl
        self.parts[state] = part

    def _count_lines(self, text: str, name: str) -> None:
        self._lines += text.count("\n")
        if self._lines > MOST_LINES:
            raise self._too_large(f"{MOST_LINES:,} lines")

    def _too_large(self, most: str) -> ZoneFileUnreadable:
        return ZoneFileUnreadable(
            f"the zone file {self._name} holds more than {most}, with those of the files that it includes, and is not "
            "read: name the option server instead of zone_file, or change the file by hand"
        )

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

    def _take(self, beginning: _Beginning, words: Sequence[Word]) -> None:
        """Take in one record, of whose line the words behind the type need not be there."""
        at = beginning.owner_words
        ttl_at: Optional[int] = None
        ttl: Optional[int] = None
        has_class = False
        while at < len(words):
            word = words[at].text
            if not has_class and _CLASS.fullmatch(word):
                has_class = True
            elif ttl_at is None and (ttl := ttl_seconds(word)) is not None:
                ttl_at = at
            else:
                break
            at += 1
        line = beginning.line
        name = beginning.included_from or self._name
        if at >= len(words):
            raise _unreadable(name, line, "is no whole record")
        rdtype = self._type(words[at].text)
        ttl = self._ttl(ttl, rdtype, line)
        if ttl is None:
            raise _unreadable(name, line, "has no TTL, and there is no $TTL before it")
        self.records.append(
            ZoneRecord(*beginning, ttl, self.default_ttl, rdtype, ttl_at, at),
        )
        self.is_done = rdtype == self._last_type

    def _type(self, spelled: str) -> str:
        rdtype = self._types.get(spelled)
        if rdtype is None:
            # Of what is not ASCII some characters would become ASCII letters.
            capitals = spelled.upper() if spelled.isascii() else spelled
            rdtype = self._types[spelled] = _TYPES_BY_NUMBER.get(capitals, capitals)
        return rdtype

    def _ttl(self, spelled: Optional[int], rdtype: str, line: Line) -> Optional[int]:
        """Give the TTL of a record and keep what it means for the lines behind it."""
        if spelled is not None:
            self._last_ttl = spelled
        elif self.default_ttl is not None:
            self._last_ttl = self.default_ttl
        elif self._last_ttl is None and rdtype == "SOA":
            # Before there was $TTL, the last number of the SOA was the default.
            self._last_ttl = self.default_ttl = ttl_seconds(line.words[-1].text)
        return self._last_ttl

    @staticmethod
    def _absolute(line: Line, word: Word, origin: str, name: str) -> str:
        absolute = absolute_name(word.bare if word.text.startswith('"') else word.text, origin)
        if absolute is None:
            raise _unreadable(name, line, f"has {quoted(word.text)}, which is no name")
        return absolute


class _Beginning(NamedTuple):
    """What is known of a record before its TTL, class and type are read."""

    line: Line
    included_from: Optional[str]
    origin: str
    owner: str
    owner_spelling: str
    owner_words: int
    is_generated: bool = False


def _unreadable(name: str, line: Line, wrong: str) -> ZoneFileUnreadable:
    return ZoneFileUnreadable(f"line {line.number} of the zone file {name} {wrong}: correct the file")
