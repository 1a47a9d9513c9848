# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The parameters of main.cf that decide where mail goes, lists of domains among them, as values. Pure. Private.

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import (
    Asking,
    ExtensionRules,
    Hit,
    Key,
    Lookup,
    Table,
    TableList,
    answer_of,
    domain_keys,
)

# What the way of an address depends on. master.cf may give a service other values of its own (postconf -P).
DECIDING = (
    "alias_maps", "allow_min_user", "append_at_myorigin", "append_dot_mydomain", "canonical_classes", "canonical_maps",
    "content_filter", "default_transport", "fallback_transport", "fallback_transport_maps", "local_recipient_maps",
    "local_transport", "luser_relay", "mailbox_transport", "mailbox_transport_maps", "mydestination", "mydomain",
    "myorigin", "parent_domain_matches_subdomains", "propagate_unmatched_extensions", "receive_override_options",
    "recipient_canonical_classes", "recipient_canonical_maps", "recipient_delimiter", "relay_domains",
    "relay_recipient_maps", "relay_transport", "relayhost", "relocated_maps", "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps", "smtpd_client_restrictions", "smtpd_helo_restrictions",
    "smtpd_recipient_restrictions", "smtpd_reject_unlisted_recipient", "smtpd_relay_restrictions",
    "smtpd_sender_restrictions", "transport_maps", "virtual_alias_domains", "virtual_alias_maps",
    "virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_transport",
)  # fmt: skip


class TraceSettings:
    """A server's main.cf, every ``$name`` expanded. Each list in it is read once, for all addresses."""

    def __init__(
        self, parameters: Mapping[str, str], read_file: Callable[[str], str], table_of: Callable[[str], Table]
    ) -> None:
        """``read_file`` gives the text of a file in a list of domains, ``table_of`` the table of a name in main.cf."""
        self.parameters = parameters
        self.table_of = table_of
        self._read_file = read_file
        self.words = lru_cache(maxsize=None)(self._words)
        """Gives the elements of a list value; raises ServerStateError for one that Postfix cannot read either."""
        self.tables = lru_cache(maxsize=None)(self._tables)
        """Gives the tables of a parameter."""
        self.domains = lru_cache(maxsize=None)(self._domains)
        """Gives the domains of a parameter."""

    def value(self, name: str) -> str:
        """Give the value of a parameter; one that this Postfix does not have is empty."""
        return self.parameters.get(name, "")

    def is_on(self, name: str) -> bool:
        """Tell whether a parameter says yes."""
        return self.value(name).lower() == "yes"

    def parents_match(self, name: str) -> bool:
        """Tell whether ``example.com`` stands for its subdomains too in a parameter's tables."""
        return name in self.words("parent_domain_matches_subdomains")

    @cached_property
    def extensions(self) -> ExtensionRules:
        """How addresses fall into user and extension here."""
        return ExtensionRules(
            self.value("recipient_delimiter"),
            self.value("owner_request_special").lower() != "no",
            self.value("double_bounce_sender") or "double-bounce",
        )

    def propagates(self, kind: str) -> bool:
        """Tell whether an extension that no key had goes to the addresses of a result (``canonical``, ``virtual``)."""
        return kind in self.words("propagate_unmatched_extensions")

    def _words(self, name: str) -> tuple[str, ...]:
        try:
            return words(self.value(name))
        except InvalidInput as error:
            raise ServerStateError(
                f"The value of {name} in main.cf is {self.value(name)!r}, with an opening brace that is not closed: "
                "close it first"
            ) from error

    def _tables(self, name: str) -> TableList:
        return TableList(name, tuple(self.table_of(word) for word in self.words(name)))

    def _domains(self, name: str) -> DomainList:
        patterns = tuple(parse_patterns(self.words(name), self._read_file, self.table_of))
        # Of the lists that name an address class, relay_domains alone knows parents.
        return DomainList(name, patterns, self.parents_match(name) if name == "relay_domains" else None)


# Lists of domains in main.cf, and whether a domain is in one: names, files, tables, exceptions.


@dataclass(frozen=True)
class Pattern:
    """One element of a list: a name, or a table whose keys are names."""

    text: str
    excludes: bool
    """Whether what it matches is not in the list (``!``)."""
    table: Table | None


@dataclass(frozen=True)
class DomainList:
    """The list of a parameter. The first pattern that matches decides."""

    parameter: str
    patterns: tuple[Pattern, ...]
    parents_match: bool | None
    """Whether ``example.com`` matches its subdomains too, or ``.example.com`` does; None: only the name itself."""


def parse_patterns(
    listed: Iterable[str], read_file: Callable[[str], str], table_of: Callable[[str], Table], excludes: bool = False
) -> Iterator[Pattern]:
    """Read the elements of a list; ``read_file`` gives the text of a file that stands in it as ``/path``."""
    for word in listed:
        if word.startswith("#"):
            return
        bare = word.lstrip("!")
        is_exception = excludes != bool((len(word) - len(bare)) % 2)
        if bare.startswith("/"):
            for line in read_file(bare).splitlines():
                if not line.startswith("#"):
                    yield from parse_patterns(words(line), read_file, table_of, is_exception)
        elif ":" in bare and not bare.startswith("["):
            yield Pattern(bare, is_exception, table_of(bare))
        elif bare:
            yield Pattern(bare.lower(), is_exception, None)


def find_member(members: DomainList, name: str) -> Asking[Hit | None]:
    """Tell what makes a name a member of a list; None when it is none."""
    keys = _keys(members, name)
    questions = tuple(
        Lookup(pattern.table.name, key.text)
        for pattern in members.patterns
        if pattern.table is not None
        for key in keys
        if pattern.table.takes_parts or not key.is_part
    )
    answers = (yield questions) if questions else {}
    for pattern in members.patterns:
        found: Hit | None = None
        if pattern.table is None:
            if _names(pattern.text, keys[0].text, members.parents_match):
                found = Hit(members.parameter, value=pattern.text)
        else:
            for key in keys:
                if pattern.table.takes_parts or not key.is_part:
                    value = answer_of(answers, Lookup(pattern.table.name, key.text), members.parameter)
                    if value is not None:
                        found = Hit(members.parameter, pattern.table.name, key.text, value)
                        break
        if found is not None:
            return None if pattern.excludes else found
    return None


def _keys(members: DomainList, name: str) -> tuple[Key, ...]:
    folded = name.lower()
    if members.parents_match is None:
        return (Key(folded, is_part=False),)
    return tuple(domain_keys(folded, members.parents_match))


def _names(pattern: str, name: str, parents_match: bool | None) -> bool:
    if pattern == name or parents_match is None:
        return pattern == name
    return name.endswith(f".{pattern}") if parents_match else pattern.startswith(".") and name.endswith(pattern)
