# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The lines of a zone file, each cut into words that know where they stand. Pure. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.failures import ZoneFileUnreadable

# RFC 1035 section 5.1; a backslash takes every meaning from the character behind it, and strings end with their line.
_PART = re.compile(
    r"""(?P<newline>\r?\n)
      | (?P<space>[ \t]+)
      | (?P<comment>;[^\n]*)
      | (?P<parenthesis>[()])
      | (?P<word>"(?:[^"\\\r\n]|\\[^\r\n])*" | (?:[^ \t\r\n"();\\]|\\[^\r\n])+)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Word:
    """One word as it is spelled, quotation marks and backslashes included, and where it stands in the text."""

    start: int
    end: int
    text: str

    @property
    def bare(self) -> str:
        """Give the word without quotation marks around it."""
        return self.text[1:-1] if self.text.startswith('"') else self.text


@dataclass(frozen=True)
class Line:
    """One logical line, which parentheses may stretch over several; it ends behind its end of line."""

    number: int
    start: int
    end: int
    is_indented: bool
    has_parentheses: bool
    words: tuple[Word, ...]


def cut(text: str, name: str) -> Iterator[Line]:
    """Give the lines that hold more than space and comments.

    ``name`` is what failures call the file. Raises ZoneFileUnreadable.
    """
    position, number = 0, 1
    start, first_number = 0, 1
    depth = 0
    has_parentheses = False
    words: list[Word] = []
    while position < len(text):
        found = _PART.match(text, position)
        if found is None:
            raise _unreadable(name, number, f"has {text[position]!r} where it has no meaning")
        position = found.end()
        kind = found.lastgroup
        if kind == "word":
            words.append(Word(found.start(), position, found.group()))
        elif kind == "parenthesis":
            depth += 1 if found.group() == "(" else -1
            has_parentheses = True
            if depth < 0:
                raise _unreadable(name, number, "closes a parenthesis that is not open")
        elif kind == "newline":
            number += 1
            if depth:
                continue
            if words:
                yield Line(first_number, start, position, text[start] in " \t", has_parentheses, tuple(words))
            words, has_parentheses = [], False
            start, first_number = position, number
    if depth:
        raise _unreadable(name, first_number, "opens a parenthesis that is never closed")
    if words:
        yield Line(first_number, start, position, text[start] in " \t", has_parentheses, tuple(words))


def _unreadable(name: str, number: int, wrong: str) -> ZoneFileUnreadable:
    return ZoneFileUnreadable(f"line {number} of the zone file {name} {wrong}: correct the file")
