# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The elements of list values of Postfix parameters: adding and removing single ones. Private to this collection.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput

Position = Literal["first", "last"]
_SEPARATORS = ", \t\r\n"


@dataclass(frozen=True)
class _Word:
    """One word of a list value and where it stands: ``value[start:end]``."""

    text: str
    start: int
    end: int


def words(value: str) -> tuple[str, ...]:
    """Return the words of a list value as Postfix splits them: at commas and white space outside ``{...}``.

    Raises InvalidInput when a brace is not closed.
    """
    return tuple(word.text for word in _split(value))


def has_element(value: str, element: str) -> bool:
    """Tell whether the words of ``element`` (often one, two for ``check_client_access cidr:/x``) follow each other
    in ``value``.
    """
    return _find(_split(value), _element_words(element)) is not None


def add_elements(value: str, elements: Sequence[str], position: Position) -> str:
    """Return ``value`` with those of ``elements`` that it has not yet, in their order, before or after what is there.

    The rest of the text stays as it is. Raises InvalidInput when a brace is not closed, or an element is empty.
    """
    new: list[str] = []
    for element in elements:
        if not has_element(value, element) and not any(words(element) == words(other) for other in new):
            new.append(element.strip(_SEPARATORS))
    if not new:
        return value
    added = ", ".join(new)
    found = _split(value)
    if not found:
        return value + added
    if position == "first":
        return f"{value[: found[0].start]}{added}, {value[found[0].start :]}"
    return f"{value[: found[-1].end]}, {added}{value[found[-1].end :]}"


def remove_elements(value: str, elements: Sequence[str]) -> str:
    """Return ``value`` without ``elements``, wherever and however often they stand; the rest stays as it is.

    What ``add_elements`` added is removed without a trace. Raises InvalidInput as ``add_elements`` does.
    """
    for element in elements:
        wanted = _element_words(element)
        while True:
            found = _split(value)
            index = _find(found, wanted)
            if index is None:
                break
            value = _cut(value, found, index, index + len(wanted))
    return value


def _cut(value: str, found: Sequence[_Word], first: int, after: int) -> str:
    """Return ``value`` without the words ``first`` to ``after - 1`` and the separators that belonged to them."""
    if after < len(found):
        return value[: found[first].start] + value[found[after].start :]
    if first > 0:
        return value[: found[first - 1].end] + value[found[after - 1].end :]
    return value[: found[first].start] + value[found[after - 1].end :]


def _find(found: Sequence[_Word], wanted: Sequence[str]) -> int | None:
    texts = [word.text for word in found]
    for index in range(len(texts) - len(wanted) + 1):
        if texts[index : index + len(wanted)] == list(wanted):
            return index
    return None


def _element_words(element: str) -> tuple[str, ...]:
    if "\0" in element:
        raise InvalidInput(f"The list element {element!r} holds a NUL character: remove it.")
    found = words(element)
    if not found:
        raise InvalidInput("A list element is empty: name what is to be added to or removed from the list.")
    return found


def _split(value: str) -> list[_Word]:
    found: list[_Word] = []
    start: int | None = None
    depth = 0
    for index, character in enumerate(value):
        if depth == 0 and character in _SEPARATORS:
            if start is not None:
                found.append(_Word(value[start:index], start, index))
                start = None
            continue
        if start is None:
            start = index
        if character == "{":
            depth += 1
        elif character == "}" and depth > 0:
            depth -= 1
    if depth:
        raise InvalidInput(f"The list value {value!r} has an opening brace that is not closed: close it first.")
    if start is not None:
        found.append(_Word(value[start:], start, len(value)))
    return found
