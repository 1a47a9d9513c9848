# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A split domain: its sites, their relays, where unknown recipients go, and what must hold among them. Private.

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown_name
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import refuse_like_names
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import MASTER
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, place_of

FEWEST_SITES = 2
# The loop guard ends the circle of two sites that forward to each other; it cannot see further than one hop.
LONGEST_SAFE_CIRCLE = 2


@dataclass(frozen=True)
class SubDomain:
    """The subdomain of a site, a mail domain of its own; ``mx`` is its exact MX set, None to leave that alone."""

    name: str
    mx: tuple[MxRecord, ...] | None = None


@dataclass(frozen=True)
class Site:
    """One mail system that holds some of a domain's mailboxes. ``hosts`` is empty for an external site."""

    name: str
    role: str
    relay: Relay
    hosts: tuple[str, ...] = ()
    unknown: str | None = None
    local_transport: str | None = None
    clients: tuple[str, ...] = ()
    subdomain: SubDomain | None = None
    catch_all: str | None = None
    """The mailbox of this site that gets what is for nobody."""
    verification_address: str | None = None
    """An address of the domain that exists at this site, by which others see whether they can trust its answers."""
    allow_wide_clients: bool = False
    """Whether networks in ``clients`` are meant that are wider than those of one site."""


@dataclass(frozen=True)
class DirectoryEntry:
    """One line of a directory: an address, the site that holds its mailbox, and where the line stands."""

    address: Address
    site: str
    source: str
    copies: tuple[str, ...] = ()
    """Other sites that get a copy of the mail."""


@dataclass(frozen=True)
class SplitDomain:
    """A mail domain whose mailboxes live on more than one site."""

    domain: str
    sites: tuple[Site, ...] = field(default=())

    def site(self, name: str) -> Site:
        """Give the site of that name; raises InvalidInput when there is none."""
        for site in self.sites:
            if site.name == name:
                return site
        known = ", ".join(site.name for site in self.sites)
        raise InvalidInput(f"{self.domain} has no site {name!r}: name one of its sites ({known})")

    def site_of_host(self, host: str) -> Site | None:
        """Give the site that the server ``host`` (an inventory name) belongs to, None for a stranger."""
        return next((site for site in self.sites if host in site.hosts), None)


def validate(split_domain: SplitDomain) -> SplitDomain:
    """Give the domain back when its sites can work as one; raises InvalidInput with the first thing that forbids it.

    Checked: two sites at least and unique names, a master, servers that belong to one site only, targets of unknown
    recipients that exist, and a forwarding graph without a circle that nothing would end.
    """
    _refuse_odd_sites(split_domain)
    for site in split_domain.sites:
        if site.unknown is not None:
            _refuse_odd_target(split_domain, site, site.unknown)
    circle = forwarding_circle(split_domain)
    if circle:
        raise InvalidInput(
            f"the sites of {split_domain.domain} forward unknown recipients in a circle ({' -> '.join(circle)}), "
            f"so mail for nobody would never get an answer: remove 'unknown' from one of them"
        )
    return split_domain


def forwarding_circle(split_domain: SplitDomain) -> tuple[str, ...]:
    """Give the first circle in the forwarding graph that nothing ends, its start repeated at its end, or ().

    Two sites may forward to each other when one of them is managed: its loop guard ends such a circle at its first
    return.
    """
    managed = {site.name for site in split_domain.sites if site.hosts}
    target_of = {site.name: site.unknown for site in split_domain.sites}
    for start in sorted(target_of):
        path = [start]
        following = target_of[start]
        while following is not None and following not in path:
            path.append(following)
            following = target_of[following]
        if following == start and (len(path) > LONGEST_SAFE_CIRCLE or managed.isdisjoint(path)):
            return (*path, start)
    return ()


def refuse_unasked_circle(split_domain: SplitDomain, unasked: Collection[str]) -> None:
    """Raise InvalidInput where two sites forward to each other, and a managed one of them takes mail unasked.

    The loop guard knows the other site by its clients. Where both know each other by wrong ones, as behind NAT, nothing
    but a question that comes back (450) keeps mail for nobody from going round: it needs both sites to ask.
    """
    target_of = {site.name: site.unknown for site in split_domain.sites}
    for site in split_domain.sites:
        other = site.unknown
        if other is not None and target_of.get(other) == site.name and site.hosts and site.name in unasked:
            raise InvalidInput(
                f"the sites {site.name} and {other} of {split_domain.domain} forward unknown recipients to each other, "
                f"and {site.name} does so without asking first (call_ahead: false), so that mail for nobody would go "
                f"round wherever 'clients' is wrong: remove call_ahead, or list all users and remove 'unknown' from "
                f"one of the two"
            )


def site_by_address(listings: Iterable[DirectoryEntry]) -> dict[Address, str]:
    """Give the site of every listed address; raises InvalidInput when one is listed with two sites."""
    found: dict[Address, DirectoryEntry] = {}
    for listing in listings:
        earlier = found.setdefault(listing.address, listing)
        if earlier.site != listing.site:
            raise InvalidInput(
                f"{listing.address} is listed with two sites, {earlier.site} ({earlier.source}) and {listing.site} "
                f"({listing.source}): a mailbox lives on one site, remove one of the lines"
            )
    return {address: listing.site for address, listing in found.items()}


def peers_of(split_domain: SplitDomain, site: Site) -> Iterator[Site]:
    """Give every other site of the domain, in the order of the split map."""
    return (other for other in split_domain.sites if other.name != site.name)


def _refuse_odd_sites(split_domain: SplitDomain) -> None:
    domain = split_domain.domain
    names = [site.name for site in split_domain.sites]
    if len(names) < FEWEST_SITES:
        raise InvalidInput(f"{domain} has {len(names)} site(s): a split domain needs at least two, add the other one")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{domain} has two sites named {twice!r}: give each site a name of its own")
    refuse_like_names(names, domain)
    if not any(site.role == MASTER for site in split_domain.sites):
        raise InvalidInput(f"{domain} has no site with role 'master': name the one that receives its MX traffic")
    owner: dict[str, str] = {}
    for site in split_domain.sites:
        for host in site.hosts:
            if owner.setdefault(host, site.name) != site.name:
                raise InvalidInput(
                    f"the host {host!r} is in two sites of {domain}, {owner[host]} and {site.name}: "
                    f"a server belongs to one site of a domain, remove it from one of them"
                )
    verified: dict[str, str] = {}
    for site in split_domain.sites:
        address = site.verification_address
        if address is not None and verified.setdefault(address, site.name) != site.name:
            raise InvalidInput(
                f"the sites {verified[address]} and {site.name} of {domain} have the same verification address "
                f"{address}: a mailbox lives on one site, give each site an address of its own"
            )
    site_of: dict[str, str] = {}
    for site in split_domain.sites:
        for place in map(place_of, site.relay.servers):
            if site_of.setdefault(place, site.name) != site.name:
                raise InvalidInput(
                    f"the sites {site_of[place]} and {site.name} of {domain} have the same relay {place}: "
                    f"give each site its own"
                )


def _refuse_odd_target(split_domain: SplitDomain, site: Site, target: str) -> None:
    domain = split_domain.domain
    names = [other.name for other in split_domain.sites]
    if target == site.name:
        raise InvalidInput(
            f"the site {site.name} of {domain} forwards unknown recipients to itself: "
            f"name another site in 'unknown', or remove it so that they are refused"
        )
    if target not in names:
        raise InvalidInput(
            f"the site {site.name} of {domain} forwards unknown recipients to {shown_name(target)}, which is no site "
            f"of the domain: name one of {', '.join(names)}"
        )
