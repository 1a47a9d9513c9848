# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tracing of routes wants of a Postfix server: its main.cf, expanded, and the nature of its tables. Private.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    complains,
    distinct_lines,
    expanded,
    is_running,
    read_text_file,
    run,
    run_or_fail,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.address import (
    TracedAddress,
    trace_address,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import (
    Asking,
    Lookup,
    LookupFailure,
    LookupResult,
    Table,
    together,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.resolving import Sender
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.settings import (
    DECIDING,
    TraceSettings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.types import (
    substitutes,
    takes_parts,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.traced_routes import TracedRoutes, TraceRequest

# What postmap(1) follows, and the daemons do not, lest a stranger's address chooses a program or host.
_WITHOUT_SUBSTITUTION = (
    "alias_maps",
    "fallback_transport_maps",
    "mailbox_transport_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
    "transport_maps",
)
_COPIES = ("always_bcc", "recipient_bcc_maps")
_SENDERS = ("sender_dependent_default_transport_maps", "sender_dependent_relayhost_maps")
_Found = TypeVar("_Found")
_PROXY = "proxy:"


class PostfixRouteTracer:
    """Follows addresses through one Postfix instance, by its tables; no mail is sent and nothing written."""

    def __init__(self, config_directory: str) -> None:
        self._config_directory = config_directory

    def trace(self, request: TraceRequest) -> TracedRoutes:
        """Follow all addresses at once. Raises CommandFailed when a table on the way cannot be asked."""
        parameters = self._read_parameters()
        settings = TraceSettings(parameters, _read_listed_file, lru_cache(maxsize=None)(_table))
        tables = LookupTables(self._config_directory)
        ways = [trace_address(settings, address, Sender(request.sender)) for address in request.addresses]
        traced: list[TracedAddress] = tables.walk(together(ways))
        warnings = [*self._overrides(), *_gaps(parameters, request), *_left_out_rules(settings)]
        warnings += [
            f"{table} was asked directly, and not through proxymap(8) with its rights, since Postfix does not run"
            for table in tables.asked_directly
        ]
        return TracedRoutes([one.shown() for one in traced], tuple(warnings))

    def _read_parameters(self) -> Mapping[str, str]:
        if read_text_file(Path(self._config_directory) / "main.cf") is None:
            # The command first: without Postfix there is no main.cf either.
            run_or_fail(["postconf", "-m"], self._config_directory)
            raise ServerStateError(
                f"Postfix has no configuration on this server: there is no file {self._config_directory}/main.cf; "
                "install Postfix, or name the right config_directory."
            )
        parameters = expanded(self._config_directory, [])
        if "$" in (read_relay := run_or_fail(["postconf", "-h", "luser_relay"], self._config_directory).stdout):
            # $user and the like are local(8)'s own, and postconf(1) would make nothing of them.
            parameters["luser_relay"] = read_relay.strip()
        return parameters

    def _overrides(self) -> Iterator[str]:
        """Tell which services have values of their own, that were not followed."""
        for line in run_or_fail(["postconf", "-P"], self._config_directory).stdout.splitlines():
            place, _equals, value = line.partition(" = ")
            service, _slash, name = place.rpartition("/")
            if name in DECIDING:
                yield f"master.cf sets {name} for the service {service} alone, which was not followed: {value}"


def _gaps(parameters: Mapping[str, str], request: TraceRequest) -> Iterator[str]:
    if parameters.get("content_filter"):
        yield (
            f"content_filter is {parameters['content_filter']}: mail is handed there first, and what is told here is "
            "where it goes when it comes back"
        )
    for name in _COPIES:
        if parameters.get(name):
            yield f"{name} is set, and was not followed: a copy of mail may go somewhere else as well"
    for name in _SENDERS:
        if request.sender is None and parameters.get(name):
            yield f"{name} is set, and was not asked: give a sender to see where that sender's mail goes"


def _left_out_rules(settings: TraceSettings) -> Iterator[str]:
    for parameter in _WITHOUT_SUBSTITUTION:
        for table in settings.tables(parameter).tables:
            if substitutes(table.name, _read_configuration):
                yield (
                    f"{table.name} of {parameter} has rules with $1 or the like in their result, which Postfix leaves "
                    f"out in {parameter}, and which were followed here: write such rules without"
                )


def _read_configuration(path: str) -> str:
    return read_text_file(Path(path)) or ""


def _read_listed_file(path: str) -> str:
    text = read_text_file(Path(path))
    if text is None:
        raise ServerStateError(
            f"The file {path} stands in a list of main.cf and is not there, so that Postfix puts off mail: create it, "
            "or take it out of the list"
        )
    return text


def _table(name: str) -> Table:
    return Table(name, takes_parts(name, _read_configuration))


# Asking a server's lookup tables as postmap(1) can: many keys with one process a table, each key once.


class LookupTables:
    """The tables of one server, with all answers that they have given."""

    def __init__(self, config_directory: str) -> None:
        self._config_directory = config_directory
        self._answers: dict[Lookup, LookupResult] = {}
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

    def _answers_to(self, questions: Iterable[Lookup]) -> Mapping[Lookup, LookupResult]:
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
            self._answers.update((Lookup(table, key), LookupFailure(f"Postfix says: {said}")) for key in keys)
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
        self._answers.update((Lookup(table, key), found.get(key)) for key in keys)

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
