# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Topologies of any kind, as Hypothesis draws them: sites, who forwards to whom, what is listed where, and what is down.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from simulated_sites import (
    ExternalSite,
    Outage,
    Place,
    PlannedServer,
    Sites,
    sites_of_plans,
)
from simulation import WayIn

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import plan_server
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import MappedDomain
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import Site, SplitDomain, SubDomain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import MASTER, SLAVE
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, next_hop

DOMAIN = "example.com"
NAMES = ("a", "b", "c", "d", "e", "f")
NOBODY = Address(DOMAIN, "nobody")
# Where an address stands: for all servers, for those of its site, for those and another one's, for others alone;
# only in tables that its servers had before the split, or there and in the list of another site.
SHARED, OWN, OWN_AND_OTHER, OTHER = "shared", "own", "own and other", "other"
UNLISTED, UNLISTED_AND_OTHER = "unlisted", "unlisted and other"


@dataclass(frozen=True)
class Person:
    """Somebody with a mailbox on a site, and where that is listed."""

    address: Address
    home: str
    listed: str = SHARED
    other: str = ""
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topology:
    """A split map with its directories, and what is true of the sites that it does not manage."""

    mapped: MappedDomain
    people: tuple[Person, ...] = ()
    careless: frozenset[str] = frozenset()
    """External sites that take everything."""
    without_copies: frozenset[str] = frozenset()
    """External sites that have no mailboxes for the copies that they get."""

    @property
    def sites(self) -> Mapping[str, Site]:
        return {site.name: site for site in self.mapped.split_domain.sites}

    def entry(self) -> dict[str, Any]:
        """Give the domain as an entry of ``split_domains``, as users write it."""
        sites = [
            {
                "name": site.name,
                "role": site.role,
                "hosts": list(site.hosts),
                "relay": [{"host": server.host} for server in site.relay.servers],
                "unknown": site.unknown,
                "clients": list(site.clients),
                "subdomain": None if site.subdomain is None else site.subdomain.name,
                "verification_address": site.verification_address,
                "call_ahead": site.name not in self.mapped.call_ahead_off,
                "directory": list(self.mapped.site_directories.get(site.name, ())) or None,
            }
            for site in self.sites.values()
        ]
        directory = list(self.mapped.directory) or None
        return {"domain": DOMAIN, "sites": sites, "directory": directory, "alias_domains": [*self.mapped.alias_domains]}

    def refusal(self) -> str | None:
        """Give what validation has against the map and its directories; None where they are let through."""
        try:
            for site in self.sites.values():
                for host in site.hosts:
                    server_arguments([self.entry()], host)
        except InvalidInput as error:
            return str(error)
        return None

    def simulated(self, rewriting: bool = True, only_listed: bool = False) -> Sites:
        """Compile the plans of all servers, whether the map is valid or not, before subdomains are there or after.

        ``only_listed`` takes no notice of mailboxes that the map cannot know of.
        """
        unlisted = {
            host: [one.address for one in self.people if one.home == site.name and one.listed.startswith(UNLISTED)]
            for site in self.sites.values()
            for host in site.hosts
            if not only_listed
        }
        hosts = [host for site in self.sites.values() for host in site.hosts]
        external = [
            ExternalSite(
                DOMAIN,
                site.name,
                site.relay,
                frozenset(one.address for one in self.people if site.name in self.mailboxes_of(one)),
                None if site.subdomain is None else site.subdomain.name,
                site.unknown,
                site.name in self.careless,
            )
            for site in self.sites.values()
            if not site.hosts
        ]
        return sites_of_plans(
            [plan_server([self.mapped], host, rewriting=rewriting) for host in hosts], external, unlisted
        )

    def mailboxes_of(self, person: Person) -> set[str]:
        """Give the sites on which somebody has a mailbox."""
        return {person.home, *person.copies} - (self.without_copies - {person.home})

    def knows(self, site: str, address: Address) -> str | None:
        """Give the site on which a site has somebody's mailbox, None for those whom it does not know.

        External sites know nothing of alias domains.
        """
        for person in self.people:
            if person.address.local_part != address.local_part:
                continue
            if not self.sites[site].hosts:
                lives_there = site in self.mailboxes_of(person) and address.domain == DOMAIN
                return site if lives_there else None
            is_listed = person.listed == SHARED or site in _own_lists(person)
            in_own_tables = person.listed.startswith(UNLISTED) and site == person.home and address.domain == DOMAIN
            return person.home if is_listed or in_own_tables else None
        return None


def ways_in(sites: Sites, also_external: bool = False) -> Iterator[WayIn]:
    """Give every way into every server: from outside, from its own users, and from each other place.

    Mail from outside may come to external sites first.
    """
    if also_external:
        yield from map(WayIn, sites.external.values())
    places: list[Place] = [*sites.servers.values(), *sites.external.values()]
    for server in sites.servers.values():
        yield WayIn(server)
        yield WayIn(server, own_user=True)
        for place in places:
            if site_of(place) != site_of(server):
                yield WayIn(server, place)


def site_of(place: Place) -> str:
    return place.domains[DOMAIN].site if isinstance(place, PlannedServer) else place.site


@st.composite
def topologies(
    draw: st.DrawFn, careless: bool = True, untrue: bool = True, verified: bool = True, safe: bool | None = None
) -> Topology:
    """Draw a topology of two to six sites.

    ``careless`` lets some of them take mail without asking, ``untrue`` directories name homes that know nothing of it,
    or external sites for copies that have no such mailbox, ``verified`` sites have to prove themselves. ``safe`` ones
    have no circle of three sites, None is either.
    """
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    external = draw(st.sets(st.sampled_from(names[1:]), max_size=len(names) - 1))
    proving = draw(st.sets(st.sampled_from(names), max_size=1)) if verified else set()
    is_safe = draw(st.booleans()) if safe is None else safe
    targets = _draw_targets(draw, names, is_safe)
    sites = tuple(
        _draw_site(draw, name, targets[name], external=name in external, verified=name in proving) for name in names
    )
    people = [
        _draw_person(draw, f"p{number}", names, external, untrue=untrue) for number in range(draw(st.integers(0, 3)))
    ]
    people += [Person(Address(DOMAIN, f"verify-{name}"), name, OWN) for name in proving]
    takes_unasked = st.sets(st.sampled_from(names), max_size=1) if careless else st.just(set())
    mapped = MappedDomain(
        SplitDomain(DOMAIN, sites),
        directory=tuple(_row(one) for one in people if one.listed == SHARED),
        site_directories={
            name: rows
            for name in names
            for rows in [tuple(_row(one) for one in people if name in _own_lists(one) - external)]
            if rows
        },
        call_ahead_off=frozenset(draw(takes_unasked) - external),
        alias_domains=("example.org",) if draw(st.booleans()) else (),
    )
    without_copies = draw(st.sets(st.sampled_from(names))) if untrue else set()
    return Topology(
        mapped, tuple(people), frozenset(draw(takes_unasked) & external), frozenset(without_copies & external)
    )


@st.composite
def topologies_with_unwanted_copies(draw: st.DrawFn) -> Topology:
    """Draw a topology in which somebody has copies for other sites, and no external one has a mailbox for them."""
    drawn = draw(topologies(verified=False))
    external = frozenset(name for name, site in drawn.sites.items() if not site.hosts)
    home = draw(st.sampled_from(sorted({*drawn.sites} - external)))
    copies = draw(st.sets(st.sampled_from(sorted({*drawn.sites} - {home})), min_size=1))
    person = Person(Address(DOMAIN, "p"), home, copies=tuple(sorted(copies)))
    mapped = replace(drawn.mapped, directory=(_row(person),), site_directories={})
    return replace(drawn, mapped=mapped, people=(person,), without_copies=external)


def _draw_targets(draw: st.DrawFn, names: tuple[str, ...], is_safe: bool) -> dict[str, str | None]:
    """Draw where each site forwards what it does not know."""
    targets: dict[str, str | None] = {}
    for position, name in enumerate(names):
        # Only to an earlier site, but for the first: then the longest circle that can arise has two sites.
        earlier = names[:position] or names[1:2]
        others = earlier if is_safe else tuple(other for other in names if other != name)
        targets[name] = draw(st.sampled_from([None, *others, *others]))
    return targets


@st.composite
def outages(draw: st.DrawFn) -> Outage:
    """Draw what is down or cut off."""
    names = st.sampled_from(NAMES[:4])
    return Outage(frozenset(draw(st.sets(names, max_size=2))), frozenset(draw(st.sets(st.tuples(names, names)))))


def _draw_site(draw: st.DrawFn, name: str, target: str | None, external: bool, verified: bool) -> Site:
    hosts = () if external else tuple(f"mx{number}.{name}.example.net" for number in range(draw(st.integers(1, 2))))
    at_its_servers = [Relay(host) for host in hosts]
    return Site(
        name,
        MASTER if name == NAMES[0] else SLAVE,
        next_hop(at_its_servers) if hosts and draw(st.booleans()) else Relay(f"relay.{name}.example.net"),
        hosts=hosts,
        unknown=target,
        clients=(f"198.51.100.{ord(name)}",) if draw(st.booleans()) else (),
        subdomain=SubDomain(f"{name}.{DOMAIN}") if draw(st.integers(0, 3)) == 0 else None,
        verification_address=f"verify-{name}@{DOMAIN}" if verified else None,
    )


def _draw_person(draw: st.DrawFn, name: str, names: tuple[str, ...], external: set[str], untrue: bool) -> Person:
    home, other = draw(st.permutations(names))[:2]
    styles = [SHARED, OWN, OWN_AND_OTHER, UNLISTED, UNLISTED_AND_OTHER]
    listed = draw(st.sampled_from([*styles, OTHER] if untrue or home in external else styles))
    copies = draw(st.sets(st.sampled_from([one for one in names if one != home]), max_size=2))
    # Copies in a site's own directory are refused.
    copied = (SHARED, OWN) if draw(st.integers(0, 7)) == 0 else (SHARED,)
    return Person(
        Address(DOMAIN, name),
        home,
        listed,
        other,
        tuple(sorted(copies)) if listed in copied and home not in external else (),
    )


def _own_lists(person: Person) -> set[str]:
    """Give the sites whose own directories have somebody."""
    at_home = {person.home} if person.listed in (OWN, OWN_AND_OTHER) else set()
    elsewhere = {person.other} if person.listed in (OWN_AND_OTHER, OTHER, UNLISTED_AND_OTHER) else set()
    return at_home | elsewhere


def _row(person: Person) -> dict[str, object]:
    return {"address": str(person.address), "site": person.home, "copy": list(person.copies)}
