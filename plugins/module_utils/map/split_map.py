# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The split map as users write it, read into values. Pure: directories are only named here. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import (
    kind_of,
    read_list,
    refuse_odd_keys,
    shown_host,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory_checks import refuse_odd_catch_all
from ansible_collections.mailops.split_domain.plugins.module_utils.map.mx_sets import (
    parse_mx_set,
    parse_mx_ttl,
    parse_subdomain,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import (
    Site,
    SplitDomain,
    refuse_unasked_circle,
    validate,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.clients import (
    parse_client,
    read_allow_wide_clients,
    refuse_wide_clients,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.local_transport import parse_local_transport
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import (
    ROLES,
    SLAVE,
    parse_alias_domains,
    parse_catch_all,
    parse_site_name,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import parse_verification_address
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import (
    parse_relay,
    refuse_two_policies,
)

_DOMAIN_KEYS = ("domain", "directory", "mx", "mx_ttl", "alias_domains", "sites", "state")
_STATES = ("present", "absent")
_SITE_KEYS = (
    "name",
    "role",
    "hosts",
    "relay",
    "unknown",
    "call_ahead",
    "local_transport",
    "directory",
    "clients",
    "allow_wide_clients",
    "subdomain",
    "subdomain_mx",
    "catch_all",
    "verification_address",
)
DirectorySource = tuple[Any, ...]
"""A directory as written: one or more paths (str) and inline rows (mappings)."""


@dataclass(frozen=True)
class MappedDomain:
    """One entry of the split map: the domain with its sites, and where its directories are."""

    split_domain: SplitDomain
    present: bool = True
    directory: DirectorySource = ()
    site_directories: Mapping[str, DirectorySource] = field(default_factory=dict)
    call_ahead_off: frozenset[str] = frozenset()
    mx: tuple[MxRecord, ...] | None = None
    mx_ttl: int | None = None
    alias_domains: tuple[str, ...] = ()


def parse_split_map(entries: Any) -> tuple[MappedDomain, ...]:
    """Read the inventory variable ``split_domains``: a list of domains in the shape that docs/reference.md gives.

    Raises InvalidInput that names the domain, the site and the key of the first thing that cannot be used.
    """
    mapped = tuple(_parse_domain(entry) for entry in read_list(entries, "split_domains", "a list of domains"))
    if not mapped:
        raise InvalidInput("split_domains is empty: describe at least one domain, or leave the roles out")
    seen: set[str] = set()
    for entry in mapped:
        domain = entry.split_domain.domain
        if domain in seen:
            raise InvalidInput(f"split_domains describes {domain} twice: merge the two entries")
        seen.add(domain)
    _refuse_shared_names(mapped)
    refuse_two_policies(site.relay for entry in mapped for site in entry.split_domain.sites)
    return mapped


def _parse_domain(entry: Any) -> MappedDomain:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("domain"), str):
        raise InvalidInput(f"split_domains has an entry without 'domain' ({kind_of(entry)}): name the mail domain")
    domain = canonical_domain(entry["domain"])
    refuse_odd_keys(entry, _DOMAIN_KEYS, domain)
    state = "present" if entry.get("state") is None else entry["state"]
    if state not in _STATES:
        raise InvalidInput(f"{domain} has state {kind_of(state, _STATES)}: use present or absent")
    written_sites = read_list(entry.get("sites"), f"'sites' of {domain}", "a list of sites")
    sites = tuple(_parse_site(site, domain) for site in written_sites)
    names = [site.name for site in sites]
    split_domain = validate(SplitDomain(domain, sites))
    call_ahead_off = frozenset(name for name, site in zip(names, written_sites) if site.get("call_ahead") is False)
    refuse_unasked_circle(split_domain, call_ahead_off)
    refuse_odd_catch_all(
        split_domain, [name for name, site in zip(names, written_sites) if site.get("directory") is not None]
    )
    return MappedDomain(
        split_domain=split_domain,
        present=state == "present",
        directory=_parse_directory(entry.get("directory"), f"'directory' of {domain}"),
        site_directories={
            name: _parse_directory(site["directory"], f"'directory' of the site {name} of {domain}")
            for name, site in zip(names, written_sites)
            if site.get("directory") is not None
        },
        call_ahead_off=call_ahead_off,
        mx=parse_mx_set(entry.get("mx"), f"'mx' of {domain}"),
        mx_ttl=parse_mx_ttl(entry.get("mx_ttl"), f"'mx_ttl' of {domain}"),
        alias_domains=parse_alias_domains(entry.get("alias_domains"), domain),
    )


def _parse_site(value: Any, domain: str) -> Site:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{domain} has a site that is no mapping ({kind_of(value)}): write name, role and hosts")
    name = parse_site_name(value.get("name"), domain)
    owner = f"the site {name} of {domain}"
    refuse_odd_keys(value, _SITE_KEYS, owner)
    role = value.get("role") or SLAVE
    if role not in ROLES:
        raise InvalidInput(f"{owner} has role {kind_of(role, ROLES)}: use one of {', '.join(ROLES)}")
    hosts = tuple(read_list(value.get("hosts") or [], f"'hosts' of {owner}", "a list of servers"))
    if not all(isinstance(host, str) and host for host in hosts):
        raise InvalidInput(f"'hosts' of {owner} is {kind_of(hosts)}: write the inventory name of each server")
    if not isinstance(value.get("call_ahead"), (bool, type(None))):
        raise InvalidInput(f"{owner} has call_ahead {kind_of(value['call_ahead'])}: write true or false")
    relay = value.get("relay")
    if relay is None and not hosts:
        raise InvalidInput(f"{owner} has neither hosts nor a relay: without one of them no mail can reach it, add one")
    next_hop = parse_relay(list(hosts) if relay is None else relay, f"the relay of {owner}")
    for server in next_hop.servers:
        if (server.username is None) != (server.password is None):
            raise InvalidInput(f"the relay {server} of {owner} has a username or a password alone: give both or none")
    allows_wide = read_allow_wide_clients(value.get("allow_wide_clients"), owner)
    return Site(
        name=name,
        role=role,
        relay=next_hop,
        hosts=hosts,
        unknown=value.get("unknown"),
        local_transport=parse_local_transport(value.get("local_transport"), owner),
        clients=_parse_clients(value.get("clients") or [], allows_wide, hosts, owner),
        allow_wide_clients=allows_wide,
        subdomain=parse_subdomain(value, domain, next_hop, owner),
        catch_all=parse_catch_all(value.get("catch_all"), domain, owner),
        verification_address=parse_verification_address(value.get("verification_address"), domain, owner),
    )


def _refuse_shared_names(mapped: Sequence[MappedDomain]) -> None:
    """Raise InvalidInput where an alias domain or a subdomain is a domain of the map itself, or that of two."""
    owner_of = {entry.split_domain.domain: "a domain of split_domains itself" for entry in mapped}
    for entry in mapped:
        for name in entry.alias_domains:
            owner = entry.split_domain.domain
            earlier = owner_of.setdefault(name, f"an alias domain of {owner}")
            if earlier != f"an alias domain of {owner}":
                raise InvalidInput(
                    f"{owner} has the alias domain {name}, which is {earlier}: a name stands for one domain, "
                    f"remove it from one of them"
                )
    for entry in mapped:
        for site in entry.split_domain.sites:
            if site.subdomain is None:
                continue
            owner = f"the site {site.name} of {entry.split_domain.domain}"
            earlier = owner_of.setdefault(site.subdomain.name, f"the subdomain of {owner}")
            if earlier != f"the subdomain of {owner}":
                raise InvalidInput(
                    f"{owner} has the subdomain {site.subdomain.name}, which is {earlier}: "
                    "give each site a subdomain of its own"
                )


def _parse_clients(value: Any, allows_wide: bool, hosts: Sequence[str], owner: str) -> tuple[str, ...]:
    """Read the clients of a site; where there are none its hosts stand for them, and have to be names of hosts."""
    written = read_list(value, f"'clients' of {owner}", "a list of addresses")
    clients = tuple(parse_client(client, owner) for client in written)
    refuse_wide_clients(clients, allows_wide, owner)
    for host in () if clients else hosts:
        try:
            parse_client(host, owner)
        except InvalidInput as error:
            raise InvalidInput(
                f"{owner} has the host {shown_host(host)}, which is no name that other servers can look up: "
                f"list the addresses that the site's mail comes from in 'clients'"
            ) from error
    return clients


def _parse_directory(value: Any, owner: str) -> DirectorySource:
    if value is None:
        return ()
    sources = [value] if isinstance(value, str) else value
    rows = tuple(read_list(sources, owner, "a path, or a list of {address, site}"))
    if not rows:
        raise InvalidInput(f"{owner} is an empty list: list its addresses, or leave the key out")
    return rows
