# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The lines of a zone file, each cut into words that know where they stand. Pure. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ZoneFileUnreadable

# RFC 1035 section 5.1; a backslash takes every meaning from the character behind it, and strings end with their line.
_PART = re.compile(
    r"""(?P<newline>\r?\n)
      | (?P<space>[ \t]+)
      | (?P<comment>;[^\n]*)
      | (?P<parenthesis>[()])
      | (?P<word>"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"
               | (?:[^ \t\r\n"();\\]|\\[^\r\n])[^ \t\r\n"();\\]*(?:\\[^\r\n][^ \t\r\n"();\\]*)*)""",
    re.VERBOSE,
)
# Nearly all lines are of this kind, which is cut much faster: nothing in it has a meaning but space and a comment.
_SIMPLE = re.compile(r'([^"();\\\r\n]*)(?:;[^\n]*(?:\n|\Z)|\r?\n|\Z)')
_SIMPLE_WORD = re.compile(r"[^ \t]+")
# The owner, TTL, class and type of a record are the first of its words.
_HEAD = 5
# Characters of a logical line: the longest data of a record (RFC 1035 section 3.2.1), each octet in its longest
# spelling, and as much again for comments.
LONGEST_LINE = 1 << 19


class Word(NamedTuple):
    """One word as it is spelled, quotation marks and backslashes included, and where it stands in the text."""

    start: int
    end: int
    text: str

    @property
    def bare(self) -> str:
        """Give the word without quotation marks around it."""
        return self.text[1:-1] if self.text.startswith('"') else self.text


class Line(NamedTuple):
    """One logical line of a text, which parentheses may stretch over several; it ends behind its end of line.

    Its words are cut when they are asked for: of most lines nobody asks, and all words of a zone take much memory.
    """

    text: str
    number: int
    start: int
    end: int
    is_indented: bool
    has_parentheses: bool

    @property
    def words(self) -> tuple[Word, ...]:
        """Give all words of the line."""
        parts = _PART.finditer(self.text, self.start, self.end)
        return tuple(Word(part.start(), part.end(), part.group()) for part in parts if part.lastgroup == "word")

    @property
    def spelled(self) -> str:
        """Give the line as it stands in its text."""
        return self.text[self.start : self.end]


class _Cut(NamedTuple):
    """The first words of a line, where it ends, the number of the line behind it, and whether it has parentheses."""

    head: list[Word]
    end: int
    next_number: int
    has_parentheses: bool


def cut(text: str, name: str) -> Iterator[tuple[Line, list[Word]]]:
    """Give the lines that hold more than space and comments, each with its first words.

    ``name`` is what failures call the file. Raises ZoneFileUnreadable.
    """
    start, number = 0, 1
    while start < len(text):
        simple = _SIMPLE.match(text, start)
        if simple is None:
            found = _cut_any(text, name, start, number)
        else:
            words = islice(_SIMPLE_WORD.finditer(text, start, simple.end(1)), _HEAD)
            head = [Word(word.start(), word.end(), word.group()) for word in words]
            found = _Cut(head, simple.end(), number + 1, False)
        if found.head:
            if found.end - start > LONGEST_LINE:
                raise _too_long(name, number)
            yield Line(text, number, start, found.end, text[start] in " \t", found.has_parentheses), found.head
        start, number = found.end, found.next_number


def directive_of(line: Line, first: Word) -> Optional[str]:
    """Give the directive that a line is, in capitals, where its first word makes it one.

    For BIND a word in quotation marks is one as well. A word that is not ASCII stays as it is, for some of its
    characters would become ASCII letters.
    """
    if line.is_indented or not first.text.startswith(("$", '"$')):
        return None
    return first.bare.upper() if first.text.isascii() else first.bare


def _cut_any(text: str, name: str, start: int, number: int) -> _Cut:
    """Cut a line of any kind."""
    position, first_number = start, number
    last = min(len(text), start + LONGEST_LINE + 1)
    depth = 0
    has_parentheses = False
    head: list[Word] = []
    while position < last:
        found = _PART.match(text, position, last)
        if found is None:
            if last < len(text):
                break
            raise _unreadable(name, number, f"has {text[position]!r} where it has no meaning")
        position = found.end()
        kind = found.lastgroup
        if kind == "word":
            if len(head) < _HEAD:
                head.append(Word(found.start(), position, found.group()))
        elif kind == "parenthesis":
            depth += 1 if found.group() == "(" else -1
            has_parentheses = True
            if depth < 0:
                raise _unreadable(name, number, "closes a parenthesis that is not open")
        elif kind == "newline":
            number += 1
            if not depth:
                return _Cut(head, position, number, has_parentheses)
    if last < len(text):
        raise _too_long(name, first_number)
    if depth:
        raise _unreadable(name, first_number, "opens a parenthesis that is never closed")
    return _Cut(head, position, number, has_parentheses)


def _too_long(name: str, number: int) -> ZoneFileUnreadable:
    return _unreadable(name, number, f"is longer than {LONGEST_LINE:,} characters, parentheses included")


def _unreadable(name: str, number: int, wrong: str) -> ZoneFileUnreadable:
    return ZoneFileUnreadable(f"line {number} of the zone file {name} {wrong}: correct the file")
