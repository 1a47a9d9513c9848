# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The split map's answers for the filters: arguments of modules, checked with all directories. Private.

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory import (
    copies_of_listings,
    locate,
    read_listings,
    routes_of_listings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory_checks import (
    refuse_missing_catch_all,
    refuse_stray_copies,
    refuse_stray_listings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import DomainRoutes, plan_server
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import MappedDomain, parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import DirectoryEntry, Site, peers_of
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import show
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchange_check import new_sets
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, place_of
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import ENCRYPT

NOBODY = "nobody-has-this-address"
# Of a domain whose exchanges are asked; more would not tell more, and a long directory takes time to read.
MOST_RECIPIENTS = 3
MOST_LISTINGS_READ = 1000


def server_arguments(
    split_domains: Any, host: str, role: str | None = None, search: Sequence[str] = (), rewriting: bool = True
) -> dict[str, list[dict[str, Any]]]:
    """Give the arguments of ``split_domains`` (``domains``) and of each ``recipient_routes`` (``routes``) of a server.

    ``host`` is an inventory name, ``role`` master, slave or None for both, ``search`` the folders on the controller
    below which relative paths of directories are looked for, ``rewriting`` as in ``plan_server``. Every directory of
    the server's domains is read and checked first: raises InvalidInput for the first fault in map or directories.
    """
    mapped_domains = located_map(split_domains, search)
    plan = plan_server(mapped_domains, host, role, rewriting)
    planned = {entry.domain for entry in plan.settings}
    copying = {
        mapped.split_domain.domain: mapped.split_domain.site_of_host(host)
        for mapped in mapped_domains
        if mapped.split_domain.domain in planned and _check_directories(mapped)
    }
    return {
        "domains": [
            *(
                {**replace(entry, site=_name(copying.get(entry.domain))).as_arguments(), "state": "present"}
                for entry in plan.settings
            ),
            *({"domain": domain, "state": "absent"} for domain in plan.absent),
        ],
        "routes": [{**_route_arguments(entry), "rewrites": entry.rewrites} for entry in plan.routes],
    }


def probe_arguments(split_domains: Any, host: str, sample: int, search: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Give the arguments of one ``smtp_probe`` task for each server of the relays that the server ``host`` sends to.

    Of every other site of its domains the verification address and up to ``sample`` addresses of the directory are
    expected to be accepted. An address that nobody has is expected to be refused where the site is managed, or unknown
    recipients are forwarded to it; a site with a verification address is asked that by ``split_domains``. Raises
    InvalidInput as ``server_arguments`` does.
    """
    probes: dict[Relay, list[dict[str, str]]] = {}
    for mapped in located_map(split_domains, search):
        own_site = mapped.split_domain.site_of_host(host)
        if own_site is None or not mapped.present:
            continue
        domain = mapped.split_domain.domain
        listings = list(all_listings(mapped))
        # Where a site has a catch-all, others may rightly take mail for nobody.
        caught = any(site.catch_all is not None for site in mapped.split_domain.sites)
        for site in peers_of(mapped.split_domain, own_site):
            living_there = [str(listing.address) for listing in listings if listing.site == site.name][:sample]
            if site.verification_address is not None:
                living_there = list(dict.fromkeys([site.verification_address, *living_there]))
            asked = [{"address": address, "expect": "accepted"} for address in living_there]
            # What a hosted service says to addresses that nobody forwards to it is its own affair.
            forwarded_to = site.hosts or own_site.unknown == site.name
            if forwarded_to and site.verification_address is None and not caught:
                asked.append({"address": f"{NOBODY}@{domain}", "expect": "refused"})
            for server in site.relay.servers:
                probes.setdefault(server, []).extend(asked)
    return [
        {
            **server.as_arguments(),
            # The policy of the map is the word for it that the password of such a relay may go to whoever answers.
            **({"validate_certs": False} if server.tls == ENCRYPT else {}),
            "recipients": recipients,
        }
        for server, recipients in probes.items()
        if recipients
    ]


def password_arguments(split_domains: Any, host: str) -> list[dict[str, Any]]:
    """Give the option ``passwords`` of ``split_domains`` for the server ``host``: those of the relays it sends to.

    Raises InvalidInput for a relay with a user name and no password.
    """
    found: dict[str, Relay] = {}
    for mapped in parse_split_map(split_domains):
        own_site = mapped.split_domain.site_of_host(host)
        if own_site is None or not mapped.present:
            continue
        for site in peers_of(mapped.split_domain, own_site):
            found.update((place_of(server), server) for server in site.relay.servers if server.password is not None)
    return [{"host": server.host, "port": server.port, "password": server.password} for server in found.values()]


def exchange_probe_arguments(
    split_domains: Any, published: Mapping[str, Any], search: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Give the arguments of one ``smtp_probe`` task for each exchange of the MX sets that are about to be published.

    ``published`` is the result of ``mx_records`` in check mode. Each exchange is asked for postmaster (RFC 5321 section
    4.5.1) and some listed addresses of the domains that name it. Raises InvalidInput as ``server_arguments`` does.
    """
    sets = new_sets(published)
    if not sets:
        return []
    recipients = _recipients_by_domain(split_domains, search)
    probes: dict[str, list[str]] = {}
    for new in sets:
        for exchange in new.exchanges:
            probes.setdefault(exchange, []).extend([f"postmaster@{new.name}", *recipients.get(new.name, ())])
    addresses = {one["exchange"]: one["addresses"] for one in published["exchanges"]}
    return [
        {"host": exchange, "addresses": addresses.get(exchange, []), "recipients": asked}
        for exchange, asked in probes.items()
    ]


def _recipients_by_domain(split_domains: Any, search: Sequence[str]) -> dict[str, list[str]]:
    """Give an address of each site, some at most, for every domain and subdomain of the map."""
    recipients: dict[str, list[str]] = {}
    for mapped in located_map(split_domains, search):
        living_at: dict[str, DirectoryEntry] = {}
        for listing in islice(all_listings(mapped), MOST_LISTINGS_READ) if mapped.present else ():
            living_at.setdefault(listing.site, listing)
        split_domain = mapped.split_domain
        found = [one.address.local_part for one in living_at.values()][:MOST_RECIPIENTS]
        for name in (split_domain.domain, *mapped.alias_domains):
            recipients[name] = [f"{local_part}@{name}" for local_part in found]
        for site in split_domain.sites:
            if site.subdomain is not None and site.name in living_at:
                name = site.subdomain.name
                recipients[name] = [f"{living_at[site.name].address.local_part}@{name}"]
    return recipients


def located_map(split_domains: Any, search: Sequence[str]) -> tuple[MappedDomain, ...]:
    """Read the split map, with the paths of all directories looked for below the folders of ``search``."""
    return tuple(_located(mapped, search) for mapped in parse_split_map(split_domains))


def _located(mapped: MappedDomain, search: Sequence[str]) -> MappedDomain:
    def locate_all(source: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(locate(part, search) if isinstance(part, str) else part for part in source)

    if not mapped.present:
        return mapped
    return replace(
        mapped,
        directory=locate_all(mapped.directory),
        site_directories={name: locate_all(source) for name, source in mapped.site_directories.items()},
    )


def _name(site: Site | None) -> str | None:
    return None if site is None else site.name


def _check_directories(mapped: MappedDomain) -> bool:
    """Read every directory of a domain together, so that two sites cannot both claim a mailbox.

    Tell whether any address has copies.
    """
    domain = mapped.split_domain.domain
    relays = {site.name: site.relay for site in mapped.split_domain.sites}
    shared = list(read_listings(mapped.directory, domain))
    own = {site: list(read_listings(source, domain, own_site=site)) for site, source in mapped.site_directories.items()}
    listings = [*shared, *chain.from_iterable(own.values())]
    routes_of_listings(listings, domain, relays)
    copies_of_listings(listings, domain, None)
    refuse_stray_copies(mapped.split_domain, shared, own)
    refuse_missing_catch_all(mapped.split_domain, listings)
    refuse_stray_listings(mapped.split_domain, shared, own)
    return any(listing.copies for listing in listings)


def all_listings(mapped: MappedDomain) -> Iterator[DirectoryEntry]:
    """Give every line of every directory of a domain."""
    domain = mapped.split_domain.domain
    yield from read_listings(mapped.directory, domain)
    for site, source in mapped.site_directories.items():
        yield from read_listings(source, domain, own_site=site)


def _route_arguments(routes: DomainRoutes) -> dict[str, Any]:
    source = (*routes.source, *routes.own_source)
    common = {
        "domain": routes.domain,
        "local_transport": routes.local_transport,
        "subdomain": routes.subdomain,
        "alias_domains": list(routes.alias_domains),
        "catch_all": routes.catch_all,
        "state": "exact",
    }
    if source and all(isinstance(part, str) for part in source):
        return {
            **common,
            "src": list(source),
            "site": routes.own_site,
            **({"unmanaged_sites": list(routes.unmanaged_sites)} if routes.unmanaged_sites else {}),
            "sites": {site: show(destination) for site, destination in routes.destination_of_site.items()},
        }
    listings = (
        *read_listings(routes.source, routes.domain),
        *read_listings(routes.own_source, routes.domain, own_site=routes.own_site),
    )
    found = routes_of_listings(listings, routes.domain, routes.destination_of_site)
    copies = copies_of_listings(listings, routes.domain, routes.own_site, routes.unmanaged_sites)
    return {
        **common,
        "routes": [
            {
                "address": str(address),
                "to": show(destination),
                **({"copy": list(copies[address])} if address in copies else {}),
            }
            for address, destination in found.items()
        ],
    }
