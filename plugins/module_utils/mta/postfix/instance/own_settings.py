# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The settings of a server that are not ours: domains by address class, tables, the local transport. Private.

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import CommandFailed, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    complains,
    expanded,
    failure,
    is_running,
    read_text_file,
    run,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words

ALIAS_DOMAINS = "virtual_alias_domains"
RELAY_DOMAINS = "relay_domains"
PARENTS_MATCH = "parent_domain_matches_subdomains"
MYDESTINATION = "mydestination"
# The lists of domains that a split is laid over.
MAILBOX_DOMAINS = "virtual_mailbox_domains"
# The lists that make a domain the server's own (ADDRESS_CLASS_README), in the order in which Postfix asks them.
_DOMAIN_LISTS = (MYDESTINATION, ALIAS_DOMAINS, MAILBOX_DOMAINS, RELAY_DOMAINS)
_ALIASES = "virtual_alias_maps"
_PROXY = "proxy:"


@dataclass(frozen=True)
class ListedDomain:
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
        return self.parameter in (MYDESTINATION, MAILBOX_DOMAINS)


def foreign_domains(server: PostfixServer, domains: Iterable[str], own_directory: str) -> dict[str, ListedDomain]:
    """Give those of the domains that another setting of the server has in a class already, and where."""
    names = sorted(domains)
    lists = expanded(server.config_directory, _DOMAIN_LISTS)
    found: dict[str, ListedDomain] = {}
    for parameter in _DOMAIN_LISTS:
        for element in words(lists.get(parameter, "")):
            if own_directory in element or element.startswith("!"):
                continue
            for name in _members(server, element, names):
                found.setdefault(name, ListedDomain(parameter, element))
            if parameter == RELAY_DOMAINS:
                for name in _members_by_parent(server, element, names):
                    found.setdefault(name, ListedDomain(parameter, element, by_parent=True))
    return found


def _members(server: PostfixServer, element: str, domains: Sequence[str]) -> list[str]:
    """Give those of the domains that one element of a domain list has: a name, a file, or a table."""
    if ":" in element and not element.startswith("["):
        found = asked(server.config_directory, element, domains)
        return [domain for domain in domains if domain in found]
    if element.startswith("/"):
        text = read_text_file(Path(element))
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


def default_local_transport(server: PostfixServer) -> str:
    """Give the transport(5) by which the server delivers to its own mailboxes, as its main.cf says.

    The first of virtual_transport and mailbox_transport that main.cf sets, else local(8) with its Unix users. Raises
    ServerStateError where that is virtual(8), which wants a path for each mailbox and not a route.
    """
    others = [word for word in words(server.main_cf.value("virtual_mailbox_domains") or "") if word[:1] != "$"]
    for parameter in ("virtual_transport", "mailbox_transport"):
        # Virtual domains of its own without a word about their transport: Postfix's default counts, virtual(8).
        if server.main_cf.value(parameter) or (others and parameter == "virtual_transport"):
            value = expanded(server.config_directory, [parameter])[parameter]
            if value.partition(":")[0] == "virtual":
                raise ServerStateError(
                    f"this server's {parameter} is virtual(8), which looks up a path for each mailbox and cannot "
                    f"deliver by route: name another local_transport, such as lmtp:unix:private/dovecot-lmtp"
                )
            return value if ":" in value else f"{value}:"
    return "local:"


# The lookup tables in a server's own settings: which they are, and what they have.


def own_tables(config_directory: str, parameters: Sequence[str], own_directory: str) -> dict[str, tuple[str, ...]]:
    """Give the lookup tables of each parameter that are the server's own and not ours."""
    found = expanded(config_directory, parameters)
    return {
        name: tuple(table for table in words(found.get(name, "")) if ":" in table and own_directory not in table)
        for name in parameters
    }


def asked(config_directory: str, table: str, keys: Sequence[str]) -> dict[str, str]:
    """Give the values of those keys that a lookup table has; raises CommandFailed when it cannot be asked."""
    # proxymap(8) answers only while Postfix runs, and postmap(1) would wait for it.
    reachable = table if _PROXY not in table or is_running(config_directory) else table.replace(_PROXY, "")
    arguments = ["postmap", "-q", "-", reachable]
    result = run(arguments, config_directory, "".join(f"{key}\n" for key in keys))
    if complains(result):
        raise failure(arguments, config_directory, result)
    lines = (line.partition("\t") for line in result.stdout.splitlines() if line.strip())
    return {key: value for key, _tab, value in lines}


def has_own_catch_all(config_directory: str, own_directory: str, domain: str) -> bool:
    """Tell whether an alias table of the server's own has a catch-all for the domain, or cannot be asked."""
    try:
        tables = own_tables(config_directory, [_ALIASES], own_directory)[_ALIASES]
        return any(asked(config_directory, table, [f"@{domain}"]) for table in tables)
    except CommandFailed:
        return True
