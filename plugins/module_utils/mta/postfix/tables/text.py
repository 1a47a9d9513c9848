# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The text of lookup tables, as postmap(1) reads it: entries to text, text to entries. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import (
    POSTFIX_SPACE,
    logical_lines,
)

# A text of plain entries only: no comment, no continuation line, no quote or backslash in a key. One expression over
# the whole text, since a table may have a million lines.
_KEY = r"[^ \t\n\r\v\f\0\"\\#][^ \t\n\r\v\f\0\"\\]*"
_VALUE = r"[^ \t\n\r\v\f\0](?:[^\n\r\0]*[^ \t\n\r\v\f\0])?"
_PLAIN_TEXT = re.compile(rf"(?:{_KEY} {_VALUE}\n)*")
_PLAIN_KEYS = re.compile(rf"(?:{_KEY}\n)*")
_PLAIN_VALUE = re.compile(_VALUE)
_UNFOLDED = re.compile(r"^[^#\s]\S*?[A-Z]|^[A-Z]", re.MULTILINE)
_ENTRY_KEY = re.compile(r'(?:\\.|"(?:\\.|[^"\\])*"|[^ \t\n\r\v\f"\\])+', re.DOTALL)
# What LMDB takes (lmdb_table(5)); a mail address has 254 at most.
_LONGEST_KEY = 511


@dataclass(frozen=True)
class Entry:
    """One entry of a lookup table. The key is as it stands in the text; lookups ignore its case, see ``fold``."""

    key: str
    value: str


@dataclass(frozen=True)
class TableLine:
    """One logical line of a table's text, ``text[start:end]``, at line ``number``; no entry when it is malformed."""

    entry: Entry | None
    number: int
    start: int
    end: int


def fold(key: str) -> str:
    """Return the key as postmap(1) stores it: lower case, with Unicode case folding outside ASCII."""
    return key.lower() if key.isascii() else key.casefold()


def render(entries: Iterable[Entry]) -> str:
    """Return the text of a table with these entries, one a line, in their order, the keys folded.

    An entry that is there twice is written once. Raises InvalidInput for a key or value that would not come back from
    the table as it was given (a line break, NUL, white space in an unquoted key, a leading ``#``, an empty value) and
    for two values of one key.
    """
    listed = list(entries)
    keys = [fold(entry.key) for entry in listed]
    text = "".join([f"{key} {entry.value}\n" for key, entry in zip(keys, listed)])
    if not _all_plain(text, keys, {entry.value for entry in listed}):
        for entry in listed:
            _check(entry)
    longest = max(keys, key=len, default="")
    if len(longest.encode()) > _LONGEST_KEY:
        raise InvalidInput(
            f"The lookup key {longest[:40]!r}... is longer than {_LONGEST_KEY} octets: no index takes it."
        )
    if len(set(keys)) == len(listed):
        return text
    first: dict[str, Entry] = {}
    for key, entry in zip(keys, listed):
        earlier = first.setdefault(key, entry)
        if earlier.value != entry.value:
            raise InvalidInput(
                # The values are not shown: they may be passwords.
                f"The lookup key {entry.key!r} is given twice with different values: "
                "keep one of them (upper and lower case are the same key)."
            )
    return "".join([f"{key} {entry.value}\n" for key, entry in first.items()])


def _all_plain(text: str, keys: Sequence[str], values: Collection[str]) -> bool:
    """Tell whether a text of these keys and values can hold nothing but one entry a line: the fast way to be sure."""
    return (
        text.isascii()
        and text.count("\n") == len(keys)
        and _PLAIN_KEYS.fullmatch("".join([f"{key}\n" for key in keys])) is not None
        and all(_PLAIN_VALUE.fullmatch(value) for value in values)
    )


def parse(text: str) -> Iterator[TableLine]:
    """Give the logical lines of a table's text in their order, comments and empty lines left out."""
    counted = number = 0
    for lines, start, end in logical_lines(text):
        number += text.count("\n", counted, start)
        counted = start
        yield TableLine(entry_of_line("".join(lines)), number + 1, start, end)


def entries(text: str) -> dict[str, Entry]:
    """Return the entries of a table's text by their folded keys. The first of several entries of one key counts."""
    found: dict[str, Entry] = {}
    for line in parse(text):
        if line.entry is not None:
            found.setdefault(fold(line.entry.key), line.entry)
    return found


def count_entries(text: str) -> int:
    """Return how many entries a table's text has, several entries of one key counted each."""
    if text.isascii() and _PLAIN_TEXT.fullmatch(text):
        return text.count("\n")
    return sum(line.entry is not None for line in parse(text))


def says(text: str, wanted: Sequence[Entry], in_order: bool) -> bool:
    """Tell whether a table's text has these entries and no others, whatever its comments, case and white space.

    ``in_order`` is for types of tables where the first entry that matches wins.
    """
    found = [line.entry for line in parse(text)]
    pairs = [(fold(entry.key), entry.value) for entry in found if entry is not None]
    expected = [(fold(entry.key), entry.value) for entry in wanted]
    return len(pairs) == len(found) and (pairs == expected if in_order else sorted(pairs) == sorted(set(expected)))


def check_text(text: str, path: str) -> None:
    """Raise InvalidInput, with the line's number, when postmap(1) would skip a line of this text or stop at it."""
    if _PLAIN_TEXT.fullmatch(text) and text.isascii():
        return
    if "\0" in text:
        raise InvalidInput(f"The text of the lookup table {path} holds a NUL character: remove it.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        number = text.count("\n", 0, error.start) + 1
        raise InvalidInput(
            f"Line {number} of the lookup table {path} is no UTF-8 text: correct its encoding."
        ) from error
    for line in parse(text):
        if line.entry is None:
            raise InvalidInput(
                f"Line {line.number} of the lookup table {path} is no entry: "
                "write a key, white space and a value, and close quotes."
            )


def with_entries(text: str, wanted: Iterable[Entry]) -> str:
    """Return ``text`` with these entries in it: a changed value in its place, new entries at the end.

    Comments, order and everything else stay as they are. Raises InvalidInput as ``render`` does.
    """
    missing = entries(render(wanted))
    pieces: list[str] = []
    position = 0
    for line in parse(text):
        entry = missing.pop(fold(line.entry.key), None) if line.entry else None
        if entry is not None and line.entry is not None and entry.value != line.entry.value:
            pieces += [text[position : line.start], f"{line.entry.key} {entry.value}\n"]
            position = line.end
    pieces.append(text[position:])
    head = "".join(pieces)
    if missing and head and not head.endswith("\n"):
        head += "\n"
    return head + "".join([f"{key} {entry.value}\n" for key, entry in missing.items()])


def without_entries(text: str, keys: Iterable[str]) -> str:
    """Return ``text`` without any entry of these keys; comments, order and everything else stay as they are."""
    unwanted = {fold(key) for key in keys}
    pieces: list[str] = []
    position = 0
    for line in parse(text):
        if line.entry is not None and fold(line.entry.key) in unwanted:
            pieces.append(text[position : line.start])
            position = line.end
    pieces.append(text[position:])
    return "".join(pieces)


def folded_text(text: str) -> str:
    """Return ``text`` with every key folded; itself when they are already."""
    if text.isascii() and not _UNFOLDED.search(text):
        return text
    pieces: list[str] = []
    position = 0
    for line in parse(text):
        if line.entry is not None:
            after = line.start + len(line.entry.key)
            pieces += [text[position : line.start], fold(line.entry.key)]
            position = after
    pieces.append(text[position:])
    return "".join(pieces)


def _check(entry: Entry) -> None:
    """Raise InvalidInput unless postmap(1) would read exactly this entry from its line."""
    if not entry.key or not entry.value:
        raise InvalidInput(
            f"The lookup table entry with the key {entry.key!r} has an empty key or value: Postfix allows neither."
        )
    line = f"{entry.key} {entry.value}"
    if any(character in line for character in "\n\r\0") or line.startswith("#") or entry_of_line(line) != entry:
        raise InvalidInput(
            f"The lookup table entry with the key {entry.key!r} cannot be written to a table: line breaks, NUL, "
            "a leading '#', white space around the value or in an unquoted key, and unbalanced quotes are not allowed."
        )
    try:
        line.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"The lookup table entry with the key {entry.key!r} is no UTF-8 text: correct it."
        ) from error


def entry_of_line(line: str) -> Entry | None:
    """Return the entry of a logical line; None for a line that postmap(1) skips with a warning."""
    key = _ENTRY_KEY.match(line)
    if key is None or (key.end() < len(line) and line[key.end()] not in POSTFIX_SPACE):
        return None
    value = line[key.end() :].strip(POSTFIX_SPACE)
    return Entry(key.group(), value) if value else None
