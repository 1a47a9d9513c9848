# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The text of a main.cf file: reading and replacing definitions without touching the rest. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput

# What Postfix's ISSPACE() accepts; Python's str.isspace() and str.splitlines() know far more characters.
POSTFIX_SPACE = " \t\n\r\v\f"
_NAME = re.compile(r"[A-Za-z0-9_]+\Z")


@dataclass(frozen=True)
class _Definition:
    """One logical line ``name = value`` at ``text[start:end]``, its final newline included where there is one."""

    name: str
    value: str
    start: int
    end: int


@dataclass(frozen=True)
class MainCf:
    """The text of a main.cf file, read as postconf(5) says; every change gives a new value.

    A definition is a logical line: its first line, its continuation lines, and the comments and empty lines between
    them. Where a parameter is defined more than once, the last definition is the one that Postfix uses, and the one
    that is read and replaced here. Lines that are no definition are kept as they are.

    Whether the file ends in a newline is taken for a property of the file: it stays as it was found. This is what
    makes "put the former blocks back" give the former file, byte for byte.
    """

    text: str

    def value(self, name: str) -> str | None:
        """Return the logical value of ``name``, its lines joined by one space; None when the file does not set it."""
        definition = self._last(name)
        return definition.value if definition else None

    def block(self, name: str) -> str | None:
        """Return the raw text of the last definition of ``name`` with a final newline; None when there is none."""
        definition = self._last(name)
        if definition is None:
            return None
        return self.text[definition.start : definition.end].rstrip("\n") + "\n"

    def names(self) -> tuple[str, ...]:
        """Return the names of all parameters that the file sets, each once, in the order of their first definition."""
        return tuple(dict.fromkeys(definition.name for definition in _definitions(self.text)))

    def with_value(self, name: str, value: str) -> MainCf:
        """Return the file with ``name = value`` in place of the last definition of ``name``, or at the end.

        Raises InvalidInput for a name that is none and for a value with a line break or NUL in it.
        """
        if not _NAME.match(name):
            raise InvalidInput(f"{name!r} is no name of a Postfix parameter: use letters, digits and underscores only.")
        if "\n" in value or "\r" in value or "\0" in value:
            raise InvalidInput(
                f"The value of the Postfix parameter {name} holds a line break or NUL: write it on one line."
            )
        return self.with_block(name, f"{name} = {value}".rstrip(" ") + "\n")

    def with_block(self, name: str, raw: str | None) -> MainCf:
        """Return the file with the raw text ``raw`` where the last definition of ``name`` stands, or at the end.

        None removes every definition of ``name``, like ``without``.
        """
        if raw is None:
            return self.without(name)
        raw = raw.rstrip("\n")
        definition = self._last(name)
        if definition is not None:
            tail = "\n" if self.text[: definition.end].endswith("\n") else ""
            return MainCf(self.text[: definition.start] + raw + tail + self.text[definition.end :])
        if self.text == "" or self.text.endswith("\n"):
            return MainCf(f"{self.text}{raw}\n")
        return MainCf(f"{self.text}\n{raw}")

    def without(self, name: str) -> MainCf:
        """Return the file without any definition of ``name``.

        All of them go, since an earlier definition would come into force when only the last one went.
        """
        text = self.text
        for definition in reversed([found for found in _definitions(text) if found.name == name]):
            head, tail = text[: definition.start], text[definition.end :]
            if not text.endswith("\n") and definition.end == len(text) and head.endswith("\n"):
                # The last line had no newline, so the line before it becomes the one without.
                head = head[:-1]
            text = head + tail
        return MainCf(text)

    def _last(self, name: str) -> _Definition | None:
        found = None
        for definition in _definitions(self.text):
            if definition.name == name:
                found = definition
        return found


def _definitions(text: str) -> Iterator[_Definition]:
    """Give every definition of a main.cf text in its order."""
    for lines, start, end in logical_lines(text):
        if lines[0][0] in POSTFIX_SPACE:
            # Postfix ignores a continuation line that continues nothing.
            continue
        name, equals, first = lines[0].partition("=")
        name = name.strip(POSTFIX_SPACE)
        if equals and name:
            parts = [first, *lines[1:]]
            yield _Definition(name, " ".join(part.strip(POSTFIX_SPACE) for part in parts).strip(" "), start, end)


def logical_lines(text: str) -> Iterator[tuple[list[str], int, int]]:
    """Give each logical line of a main.cf or a lookup table, and where it begins and ends in the text.

    A logical line comes as the list of its physical lines without their newlines; comments and empty lines between
    them are left out. A continuation line that continues nothing comes as a logical line that begins with white space.
    """
    lines: list[str] = []
    start = end = position = 0
    for line in _physical_lines(text):
        content = line.rstrip("\n")
        stripped = content.strip(POSTFIX_SPACE)
        if stripped and not stripped.startswith("#"):
            if lines and content[0] not in POSTFIX_SPACE:
                yield lines, start, end
                lines = []
            if not lines:
                start = position
            lines.append(content)
            end = position + len(line)
        position += len(line)
    if lines:
        yield lines, start, end


def _physical_lines(text: str) -> Iterator[str]:
    """Give the lines of a text with their newline, split at newlines only."""
    position = 0
    while position < len(text):
        newline = text.find("\n", position)
        after = len(text) if newline < 0 else newline + 1
        yield text[position:after]
        position = after
