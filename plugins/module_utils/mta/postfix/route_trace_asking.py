# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Asking a server's lookup tables as postmap(1) can: many keys with one process a table, each key once. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    complains,
    distinct_lines,
    is_running,
    run,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_lookups import (
    Answer,
    Asking,
    Failure,
    Question,
)

_Found = TypeVar("_Found")
_PROXY = "proxy:"


class LookupTables:
    """The tables of one server, with all answers that they have given."""

    def __init__(self, config_directory: str) -> None:
        self._config_directory = config_directory
        self._answers: dict[Question, Answer] = {}
        self._is_running: bool | None = None
        self.asked_directly: list[str] = []
        """Tables behind proxymap(8) that were asked without it, since Postfix does not run."""

    def walk(self, way: Asking[_Found]) -> _Found:
        """Walk a way to its end, answering what it asks on the way."""
        try:
            questions = next(way)
            while True:
                questions = way.send(self._answers_to(questions))
        except StopIteration as end:
            found: _Found = end.value
            return found

    def _answers_to(self, questions: Iterable[Question]) -> Mapping[Question, Answer]:
        unanswered: dict[str, list[str]] = {}
        for question in questions:
            if question not in self._answers:
                unanswered.setdefault(question.table, []).append(question.key)
        for table, keys in unanswered.items():
            self._ask(table, keys)
        return self._answers

    def _ask(self, table: str, keys: list[str]) -> None:
        """Ask one table for keys, all with one process."""
        arguments = ["postmap", "-q", "-", self._reachable(table)]
        result = run(arguments, self._config_directory, "".join(f"{key}\n" for key in keys))
        if complains(result):
            said = "; ".join(distinct_lines(result.stderr)[:3]) or f"postmap ended with status {result.status}"
            self._answers.update((Question(table, key), Failure(f"Postfix says: {said}")) for key in keys)
            return
        wanted = set(keys)
        found: dict[str, str] = {}
        last = None
        for line in result.stdout.splitlines():
            key, tab, value = line.partition("\t")
            if tab and key in wanted:
                found[key], last = value, key
            elif last is not None:
                # A value of several lines, which only a program behind a table can give.
                found[last] += f"\n{line}"
        self._answers.update((Question(table, key), found.get(key)) for key in keys)

    def _reachable(self, table: str) -> str:
        """Give the name by which postmap reaches a table: proxymap(8) answers only while Postfix runs."""
        if _PROXY not in table:
            return table
        if self._is_running is None:
            self._is_running = is_running(self._config_directory)
        if self._is_running:
            return table
        if table not in self.asked_directly:
            self.asked_directly.append(table)
        return table.replace(_PROXY, "")
