# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which domains the settings of a Postfix server that are not ours have in an address class. Private.

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    expanded,
    read_text,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.laid_over import (
    DESTINATIONS,
    MAILBOX_DOMAINS,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.own_tables import asked

ALIAS_DOMAINS = "virtual_alias_domains"
RELAY_DOMAINS = "relay_domains"
PARENTS_MATCH = "parent_domain_matches_subdomains"
# The lists that make a domain the server's own (ADDRESS_CLASS_README), in the order in which Postfix asks them.
_DOMAIN_LISTS = (DESTINATIONS, ALIAS_DOMAINS, MAILBOX_DOMAINS, RELAY_DOMAINS)


@dataclass(frozen=True)
class Place:
    """Where a setting that is not ours names a domain: an element of one of the domain lists."""

    parameter: str
    element: str
    by_parent: bool = False
    """Whether the element names a parent of the domain, or ``.parent``, and not the domain itself."""

    @property
    def is_final(self) -> bool:
        """Tell whether the server delivers the domain's mail itself (ADDRESS_CLASS_README)."""
        return self.parameter != RELAY_DOMAINS

    @property
    def takes_a_split(self) -> bool:
        """Tell whether a split can be laid over the domain: the list is one of domains with users here."""
        return self.parameter in (DESTINATIONS, MAILBOX_DOMAINS)


def foreign_domains(server: PostfixServer, domains: Iterable[str], own_directory: str) -> dict[str, Place]:
    """Give those of the domains that another setting of the server has in a class already, and where."""
    names = sorted(domains)
    lists = expanded(server.config_directory, _DOMAIN_LISTS)
    found: dict[str, Place] = {}
    for parameter in _DOMAIN_LISTS:
        for element in words(lists.get(parameter, "")):
            if own_directory in element or element.startswith("!"):
                continue
            for name in _members(server, element, names):
                found.setdefault(name, Place(parameter, element))
            if parameter == RELAY_DOMAINS:
                for name in _members_by_parent(server, element, names):
                    found.setdefault(name, Place(parameter, element, by_parent=True))
    return found


def _members(server: PostfixServer, element: str, domains: Sequence[str]) -> list[str]:
    """Give those of the domains that one element of a domain list has: a name, a file, or a table."""
    if ":" in element and not element.startswith("["):
        found = asked(server.config_directory, element, domains)
        return [domain for domain in domains if domain in found]
    if element.startswith("/"):
        text = read_text(Path(element))
        if text is None:
            raise ServerStateError(f"{element} cannot be read (there is no such file): correct main.cf first")
        listed = set(text.lower().split())
        return [domain for domain in domains if domain in listed]
    return [domain for domain in domains if domain == element.lower()]


def _members_by_parent(server: PostfixServer, element: str, domains: Sequence[str]) -> list[str]:
    """Give those of the domains of which an element of relay_domains has a parent."""
    key = "{}" if RELAY_DOMAINS in words(server.parameters.get(PARENTS_MATCH, "")) else ".{}"
    parents_of = {name: [key.format(parent) for parent in _parents(name)] for name in domains}
    listed = set(_members(server, element, sorted({parent for parents in parents_of.values() for parent in parents})))
    return [name for name, parents in parents_of.items() if not listed.isdisjoint(parents)]


def _parents(domain: str) -> list[str]:
    labels = domain.split(".")
    return [".".join(labels[number:]) for number in range(1, len(labels))]
