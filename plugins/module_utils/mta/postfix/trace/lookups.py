# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is asked of lookup tables on the way of an address, and by which keys; the asking is elsewhere. Pure.
#
# A piece of the way is a generator: it yields the lookups that it may need next, all at once, is sent the answers, and
# returns what follows. So the ways of a thousand addresses can be walked in step, with one question to each table.

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, Union

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import CommandFailed

# Postfix never takes these apart (RFC 5321, section 4.5.1, and its own names).
_WHOLE_NAMES = ("postmaster", "mailer-daemon")


@dataclass(frozen=True)
class Lookup:
    """One lookup: a table as main.cf names it, and a key."""

    table: str
    key: str


@dataclass(frozen=True)
class LookupFailure:
    """The answer of a table that could not be asked: what Postfix said about it."""

    said: str


LookupResult = Union[str, LookupFailure, None]
"""The value of a key; None when the table does not have it."""
LookupResults = Mapping[Lookup, LookupResult]
_Found = TypeVar("_Found")
Asking = Generator[tuple[Lookup, ...], LookupResults, _Found]


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
    answers = yield tuple(dict.fromkeys(Lookup(table.name, key.text) for key, table in pairs))
    for key, table in pairs:
        value = answer_of(answers, Lookup(table.name, key.text), tables.parameter)
        if value is not None:
            return Hit(tables.parameter, table.name, key.text, value, key.extension)
    return None


def answer_of(answers: LookupResults, question: Lookup, parameter: str) -> str | None:
    """Give the value of a key; raises CommandFailed with what Postfix said when the table could not be asked."""
    answer = answers[question]
    if answer == "":
        answer = LookupFailure("the value is empty, which Postfix takes for a failed lookup")
    if isinstance(answer, LookupFailure):
        raise CommandFailed(
            f"The lookup table {question.table} of {parameter} cannot be asked for {question.key}, so that Postfix "
            f"puts off mail that needs it: {answer.said}; repair the table, or take it out of {parameter}"
        )
    return answer


def together(ways: Sequence[Asking[_Found]]) -> Asking[list[_Found]]:
    """Walk several ways in step, each question of all of them being asked at the same time."""
    found: dict[int, _Found] = {}
    waiting: dict[int, tuple[Lookup, ...]] = {}
    answers: LookupResults = {}

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


# The keys under which Postfix looks for an address, in their order: virtual(5), transport(5), access(5).


@dataclass(frozen=True)
class ExtensionRules:
    """How a local part falls into user and extension."""

    delimiters: str
    """The characters of recipient_delimiter, each of which is one."""
    owner_request_special: bool = True
    """Whether owner-list and list-request stay whole where the hyphen is a delimiter."""
    double_bounce: str = "double-bounce"

    def split(self, local_part: str) -> tuple[str, str]:
        """Give user and extension, the delimiter being the extension's first character; the extension may be empty."""
        folded = local_part.lower()
        if folded in (*_WHOLE_NAMES, self.double_bounce.lower()):
            return local_part, ""
        is_of_list = folded.startswith("owner-") or (folded.endswith("-request") and folded != "-request")
        if is_of_list and "-" in self.delimiters and self.owner_request_special:
            return local_part, ""
        end = next((place for place, letter in enumerate(local_part) if letter in self.delimiters), 0)
        return (local_part[:end], local_part[end:]) if end else (local_part, "")


def parts_of(address: str) -> tuple[str, str]:
    """Give the local part and the domain of an address."""
    local_part, _at_sign, domain = address.rpartition("@")
    return local_part, domain


def rewriting_keys(address: str, rules: ExtensionRules, is_local: bool) -> tuple[Key, ...]:
    """Give the keys of canonical(5), virtual(5), relocated(5) and of recipient tables.

    ``is_local`` tells whether the domain is $myorigin or in $mydestination, where a user alone is a key too.
    """
    local_part, domain = parts_of(address)
    keys = list(_whole_and_user(address, rules))
    if is_local:
        keys += [Key(key.text.rpartition("@")[0], True, key.extension) for key in keys]
    return (*keys, Key(f"@{domain}"))


def transport_keys(address: str, rules: ExtensionRules, parents_match: bool) -> tuple[Key, ...]:
    """Give the keys of transport(5), the wildcard last."""
    # The wildcard is asked of every table, patterns included.
    return (*_whole_and_user(address, rules), *_domains(address, parents_match), Key("*", is_part=False))


def access_keys(address: str, rules: ExtensionRules, parents_match: bool) -> tuple[Key, ...]:
    """Give the keys of access(5) for a mail address."""
    whole = tuple(_whole_and_user(address, rules))
    users = (Key(key.text.rpartition("@")[0] + "@", True, key.extension) for key in whole)
    return (*whole, *_domains(address, parents_match), *users)


def domain_keys(domain: str, parents_match: bool) -> Iterator[Key]:
    """Give a domain and its parents: ``example.com`` where parents match subdomains, else ``.example.com``."""
    name, is_part = domain, False
    while name:
        yield Key(name, is_part)
        is_part = True
        place = name.find(".", 1)
        name = "" if place < 0 else name[place + 1 :] if parents_match else name[place:]


def _domains(address: str, parents_match: bool) -> Iterator[Key]:
    return (Key(key.text) for key in domain_keys(parts_of(address)[1], parents_match))


def _whole_and_user(address: str, rules: ExtensionRules) -> Iterator[Key]:
    local_part, domain = parts_of(address)
    yield Key(address, is_part=False)
    user, extension = rules.split(local_part)
    if extension:
        yield Key(f"{user}@{domain}", True, extension)
