# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Plans of servers as places that mail can be walked through: who knows whom, and who is known as what. Private.

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Optional, Union

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory import (
    copies_of_listings,
    read_listings,
    routes_of_listings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import ServerPlan
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import RouteDestination
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, place_of


@dataclass(frozen=True)
class PlannedDomain:
    """One split domain on one server: its settings, its routes, and the sites of copies by address."""

    settings: DomainSettings
    site: str
    routes: Mapping[Address, RouteDestination]
    copies: Mapping[Address, tuple[str, ...]]
    unlisted: frozenset[Address] = frozenset()
    """Mailboxes that the server's own tables have, where the split is laid over a domain that was there."""

    def peer(self, site: str) -> Peer | None:
        """Give another site of the domain as this server sees it."""
        return next((peer for peer in self.settings.peers if peer.site == site), None)


@dataclass(frozen=True)
class PlannedServer:
    """One server as its plan makes it."""

    host: str
    domains: Mapping[str, PlannedDomain]

    @property
    def name(self) -> str:
        """The name by which reports call it."""
        return self.host

    def sites(self) -> frozenset[str]:
        """Give the names of the sites that the server belongs to."""
        return frozenset(domain.site for domain in self.domains.values())

    def stands_for(self, names: Iterable[str]) -> frozenset[str]:
        """Give the next hops that a client with these names and addresses stands for, in any domain; () for none.

        These are relays, each of their servers, and subdomains, as the loop guard counts them.
        """
        names = tuple(names)
        found: set[str] = set()
        for domain in self.domains.values():
            for peer in domain.settings.peers:
                if any(_is_client(name, client) for name in names for client in peer.clients):
                    found |= {str(peer.relay), *map(place_of, peer.relay.servers), *filter(None, [peer.subdomain])}
        return frozenset(found)


@dataclass(frozen=True)
class ExternalSite:
    """A site that is not managed, with what is true of it: no plan says that, and nothing holds it to it."""

    domain: str
    site: str
    relay: Relay
    mailboxes: frozenset[Address] = frozenset()
    subdomain: str | None = None
    forwards_to: str | None = None
    """The site that gets what this one does not know, also when it came from there."""
    takes_everything: bool = False
    """Whether it accepts the unknown before it looks for them."""

    @property
    def name(self) -> str:
        """The name by which reports call it."""
        return self.site

    def mailbox(self, address: Address) -> Address | None:
        """Give the mailbox of an address, which may be written in the site's own subdomain; None for nobody's."""
        in_domain = Address(self.domain, address.local_part)
        known = address.domain in (self.domain, self.subdomain) and in_domain in self.mailboxes
        return in_domain if known else None


@dataclass(frozen=True)
class Outage:
    """What does not work: sites and servers that are down, and pairs of them of which the first cannot reach the other.

    An external site is named as a site.
    """

    down: frozenset[str] = frozenset()
    cut: frozenset[tuple[str, str]] = frozenset()

    def parts(self, sender: Iterable[str], receiver: Iterable[str]) -> bool:
        """Tell whether a sender cannot reach a receiver, each with all names that it has."""
        names = set(receiver)
        return bool(self.down & names) or any((one, other) in self.cut for one in sender for other in names)


NOTHING_IS_DOWN = Outage()
NO_OTHERS: Mapping[str, Iterable[Address]] = MappingProxyType({})

Place = Union[PlannedServer, ExternalSite]
"""Where mail can be: a server, or a site that is not managed."""


@dataclass(frozen=True)
class Sites:
    """All servers of a split map, and the sites around them."""

    servers: Mapping[str, PlannedServer]
    external: Mapping[tuple[str, str], ExternalSite]
    """By domain and name."""
    clients: Optional[Mapping[str, frozenset[str]]] = field(default_factory=dict)
    """The names and addresses that each server sends from, as others list them; None where nobody lists them."""

    def members(self, domain: str, site: str) -> tuple[Place, ...]:
        """Give the servers of a site of a domain, or the external site itself."""
        external = self.external.get((domain, site))
        if external is not None:
            return (external,)
        return tuple(
            server
            for server in self.servers.values()
            if domain in server.domains and server.domains[domain].site == site
        )

    def receivers(self, domain: str, peer: Peer) -> tuple[Place, ...]:
        """Give the places that take what is sent to a site's relay, in the order in which they are tried.

        A relay that is none of the site's servers leads to all of them.
        """
        members = self.members(domain, peer.site)
        found: list[Place] = []
        for relay in peer.relay.servers:
            found += [one for one in members if one.name == relay.host] or members
        return tuple({place.name: place for place in found}.values())

    def names(self, place: Place) -> frozenset[str]:
        """Give all names of a place: those of the server or the site."""
        if isinstance(place, ExternalSite):
            return frozenset({place.site})
        return frozenset({place.host}) | place.sites()

    def behind_other_addresses(self) -> Sites:
        """Give the same sites where mail of each comes from an address that nobody lists."""
        return replace(self, clients=None)

    def client_names(self, place: Place) -> frozenset[str]:
        """Give the names and addresses by which others know a client."""
        if self.clients is None:
            return frozenset()
        if isinstance(place, PlannedServer):
            return self.clients[place.host]
        planned = (server.domains.get(place.domain) for server in self.servers.values())
        peers = (entry.peer(place.site) for entry in planned if entry is not None)
        return frozenset(client for peer in peers if peer is not None for client in peer.clients)


def sites_of_plans(
    plans: Iterable[ServerPlan],
    external: Iterable[ExternalSite] = (),
    unlisted: Mapping[str, Iterable[Address]] = NO_OTHERS,
) -> Sites:
    """Give the sites of a split map by the plans of all its servers; directories are read, from files as well.

    ``external`` says what is true of sites that are not managed. Of others it is taken that they have exactly the
    mailboxes that directories list there, and refuse all others. ``unlisted`` are the mailboxes that a server (by its
    inventory name) has by its own tables. Raises InvalidInput for a fault in a directory.
    """
    servers = {
        plan.host: PlannedServer(plan.host, _planned_domains(plan, frozenset(unlisted.get(plan.host, ()))))
        for plan in plans
    }
    described = {(one.domain, one.site): one for one in external}
    found: dict[tuple[str, str], ExternalSite] = {}
    for server in servers.values():
        for domain, entry in server.domains.items():
            for peer in entry.settings.peers:
                if not peer.managed:
                    site = _listed_site(domain, peer, entry, found.get((domain, peer.site)))
                    found[domain, peer.site] = described.get((domain, peer.site), site)
    clients = {host: _names_of(server, servers.values()) for host, server in servers.items()}
    return Sites(servers, found, clients)


def _planned_domains(plan: ServerPlan, unlisted: frozenset[Address]) -> dict[str, PlannedDomain]:
    domains = {}
    for settings, routes in zip(plan.settings, plan.routes):
        listings = (
            *read_listings(routes.source, routes.domain),
            *read_listings(routes.own_source, routes.domain, own_site=routes.own_site),
        )
        domains[routes.domain] = PlannedDomain(
            settings,
            routes.own_site,
            routes_of_listings(listings, routes.domain, routes.destination_of_site),
            copies_of_listings(listings, routes.domain, routes.own_site, routes.unmanaged_sites),
            frozenset(address for address in unlisted if address.domain == routes.domain),
        )
    return domains


def _listed_site(domain: str, peer: Peer, entry: PlannedDomain, earlier: Optional[ExternalSite]) -> ExternalSite:
    """Give an external site with the mailboxes that a server routes there, or sends copies to."""
    listed = {
        address
        for address, destination in entry.routes.items()
        if destination is not None and str(destination) in (str(peer.relay), f"@{peer.subdomain}")
    }
    copied = {address for address, sites in entry.copies.items() if peer.site in sites}
    before = frozenset() if earlier is None else earlier.mailboxes
    return ExternalSite(domain, peer.site, peer.relay, before | listed | copied, peer.subdomain)


def _names_of(server: PlannedServer, others: Iterable[PlannedServer]) -> frozenset[str]:
    """Give the names of a server as a client: its own where others list that, else all that they list for its site."""
    names = {server.host}
    for other in others:
        for domain, entry in other.domains.items():
            planned = server.domains.get(domain)
            peer = None if planned is None else entry.peer(planned.site)
            if peer is not None and server.host not in peer.clients:
                names |= set(peer.clients)
    return frozenset(names)


def _is_client(name: str, listed: str) -> bool:
    """Tell whether a client of this name or address, or of a network within it, is meant by one that is listed."""
    if name == listed:
        return True
    address, listed_address = name.partition("/")[0], listed.partition("/")[0]
    if not (is_ip_address(address) and is_ip_address(listed_address)):
        return False
    inner, outer = ipaddress.ip_network(name), ipaddress.ip_network(listed)
    return inner.version == outer.version and inner.prefixlen >= outer.prefixlen and inner.network_address in outer
