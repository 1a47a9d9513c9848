# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is asked of lookup tables on the way of an address, kept apart from the asking. Pure. Private.
#
# A piece of the way is a generator: it yields the lookups that it may need next, all at once, is sent the answers, and
# returns what follows. So the ways of a thousand addresses can be walked in step, with one question to each table.

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, Union

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import CommandFailed


@dataclass(frozen=True)
class Question:
    """One lookup: a table as main.cf names it, and a key."""

    table: str
    key: str


@dataclass(frozen=True)
class Failure:
    """The answer of a table that could not be asked: what Postfix said about it."""

    said: str


Answer = Union[str, Failure, None]
"""The value of a key; None when the table does not have it."""
Answers = Mapping[Question, Answer]
_Found = TypeVar("_Found")
Asking = Generator[tuple[Question, ...], Answers, _Found]


@dataclass(frozen=True)
class Table:
    """One lookup table."""

    name: str
    """Type and name as in main.cf, ``$name`` expanded."""
    takes_parts: bool
    """Whether it is asked for parts of an address too; tables of patterns are not (regexp_table(5))."""


@dataclass(frozen=True)
class TableList:
    """The tables that a parameter lists, in their order."""

    parameter: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Key:
    """One of the keys under which an address is looked for."""

    text: str
    is_part: bool = True
    extension: str = ""
    """What of the address (with its delimiter) is not in the key."""


@dataclass(frozen=True)
class Hit:
    """What decided something: a parameter of main.cf, and the table and key where it was not its value alone."""

    parameter: str
    table: str | None = None
    key: str | None = None
    value: str | None = None
    extension: str = ""


def search(tables: TableList, keys: Sequence[Key]) -> Asking[Hit | None]:
    """Find the first of the keys that is there, each asked of all tables before the next one, as maps_find does.

    Raises CommandFailed when Postfix would come to a table that cannot be asked.
    """
    pairs = [
        (key, table) for key in keys if key.text for table in tables.tables if table.takes_parts or not key.is_part
    ]
    if not pairs:
        return None
    answers = yield tuple(dict.fromkeys(Question(table.name, key.text) for key, table in pairs))
    for key, table in pairs:
        value = answer_of(answers, Question(table.name, key.text), tables.parameter)
        if value is not None:
            return Hit(tables.parameter, table.name, key.text, value, key.extension)
    return None


def answer_of(answers: Answers, question: Question, parameter: str) -> str | None:
    """Give the value of a key; raises CommandFailed with what Postfix said when the table could not be asked."""
    answer = answers[question]
    if answer == "":
        answer = Failure("the value is empty, which Postfix takes for a failed lookup")
    if isinstance(answer, Failure):
        raise CommandFailed(
            f"The lookup table {question.table} of {parameter} cannot be asked for {question.key}, so that Postfix "
            f"puts off mail that needs it: {answer.said}; repair the table, or take it out of {parameter}"
        )
    return answer


def together(ways: Sequence[Asking[_Found]]) -> Asking[list[_Found]]:
    """Walk several ways in step, each question of all of them being asked at the same time."""
    found: dict[int, _Found] = {}
    waiting: dict[int, tuple[Question, ...]] = {}
    answers: Answers = {}

    def walk(place: int, begun: bool) -> None:
        try:
            waiting[place] = ways[place].send(answers) if begun else next(ways[place])
        except StopIteration as end:
            waiting.pop(place, None)
            found[place] = end.value

    for place in range(len(ways)):
        walk(place, begun=False)
    while waiting:
        answers = yield tuple(dict.fromkeys(question for questions in waiting.values() for question in questions))
        for place in list(waiting):
            walk(place, begun=True)
    return [found[place] for place in range(len(ways))]
