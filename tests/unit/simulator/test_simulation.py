# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of plans by walking them: what becomes of mail to any address, by any way in, in any topology.

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_topologies import (
    DOMAIN,
    NOBODY,
    Topology,
    outages,
    site_of,
    topologies,
    topologies_with_unwanted_copies,
    ways_in,
)
from simulated_sites import (
    NOTHING_IS_DOWN,
    Outage,
    Place,
    Sites,
)
from simulation import (
    BOUNCED,
    CIRCLES,
    DELIVERED,
    FAILED,
    LATER,
    REFUSED,
    RETURNED,
    TAKEN,
    WAITS,
    Fate,
    WayIn,
    simulate,
)

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map

EXAMPLES = settings(max_examples=60)
ASKING = topologies(careless=False, untrue=False, verified=False, safe=True)
Case = tuple[WayIn, Address, Fate]
NO_LOCAL_PART = ""


def is_let_through(topology: Topology) -> bool:
    return topology.refusal() is None


def fates(
    topology: Topology, sites: Sites, outage: Outage = NOTHING_IS_DOWN, also_external: bool = False
) -> Iterator[Case]:
    """Simulate every way in for everybody and nobody, under every name of the domain."""
    for way_in in ways_in(sites, also_external):
        for local_part in (
            NOBODY.local_part,
            NO_LOCAL_PART,
            *(person.address.local_part for person in topology.people),
        ):
            for name in (DOMAIN, *topology.mapped.alias_domains):
                address = Address(name, local_part)
                yield way_in, address, simulate(sites, address, way_in, outage)


def home_by_asking_around(topology: Topology, way_in: WayIn, address: Address) -> str | None:
    """Give the site at which mail arrives, by the map alone; None where it is refused on the way."""
    came_from = None if way_in.peer is None else site_of(way_in.peer)
    place: str | None = site_of(way_in.at)
    while place is not None:
        home = topology.knows(place, address)
        copies = next((one.copies for one in topology.people if one.address.local_part == address.local_part), ())
        if topology.sites[place].hosts and came_from in copies and not topology.sites[str(came_from)].hosts:
            return None
        if home == place:
            return home
        following = home or topology.sites[place].unknown
        if following == came_from and topology.sites[place].hosts:
            return None
        # Known addresses are written in the domain itself from there on.
        address = address if home is None else Address(DOMAIN, address.local_part)
        came_from, place = place, following
    return None


def where_delivered(sites: Sites, fate: Fate) -> list[str]:
    places: dict[str, Place] = {**sites.servers, **{name: one for (_domain, name), one in sites.external.items()}}
    return sorted(site_of(places[end.place]) for end in fate.those(DELIVERED))


@EXAMPLES
@given(topologies(safe=True))
def test_what_is_simulated_is_what_the_map_says(topology: Topology) -> None:
    assume(is_let_through(topology))
    (mapped,) = parse_split_map([topology.entry()])
    assert mapped.split_domain.domain == DOMAIN
    assert [site.unknown for site in mapped.split_domain.sites] == [site.unknown for site in topology.sites.values()]
    assert (mapped.directory, mapped.call_ahead_off) == (topology.mapped.directory, topology.mapped.call_ahead_off)
    assert mapped.site_directories == topology.mapped.site_directories


@EXAMPLES
@given(topologies(), outages(), st.booleans())
def test_nothing_goes_in_a_circle_where_the_map_is_let_through(
    topology: Topology, outage: Outage, rewriting: bool
) -> None:
    assume(is_let_through(topology))
    sites = topology.simulated(rewriting)
    found = fates(topology, sites, outage, also_external=True)
    assert [fate for _way_in, _address, fate in found if fate.goes_in_a_circle] == []


@EXAMPLES
@given(topologies(untrue=False), outages())
def test_no_mail_goes_in_a_circle_where_no_server_knows_another_by_its_clients(
    topology: Topology, outage: Outage
) -> None:
    """As behind a translation of addresses: then all mail is strangers' mail, and questions alone end a circle."""
    assume(is_let_through(topology) and not topology.careless)
    found = fates(topology, topology.simulated().behind_other_addresses(), outage)
    assert [fate for _way_in, _address, fate in found if fate.those(CIRCLES)] == []


@EXAMPLES
@given(topologies_with_unwanted_copies(), outages(), st.booleans())
def test_no_copy_goes_in_a_circle_where_external_sites_have_no_mailbox_for_it(
    topology: Topology, outage: Outage, rewriting: bool
) -> None:
    assume(is_let_through(topology))
    found = fates(topology, topology.simulated(rewriting), outage, also_external=True)
    assert [fate for _way_in, _address, fate in found if fate.goes_in_a_circle] == []


@EXAMPLES
@given(topologies(verified=False, safe=False))
def test_something_goes_in_a_circle_where_the_map_is_refused_for_one(topology: Topology) -> None:
    refusal = topology.refusal() or ""
    assume("in a circle (" in refusal or "would go round (" in refusal)
    # Until subdomains are there, which do not know who is not listed at home.
    found = fates(topology, topology.simulated(rewriting=False, only_listed=True), also_external=True)
    assert any(fate.goes_in_a_circle for _way_in, _address, fate in found)


@EXAMPLES
@given(ASKING)
def test_every_mailbox_gets_its_mail_once_where_somebody_on_the_way_knows_it_and_all_others_are_refused(
    topology: Topology,
) -> None:
    assume(is_let_through(topology))
    sites = topology.simulated()
    for way_in, address, fate in fates(topology, sites):
        home = home_by_asking_around(topology, way_in, address)
        if home is not None:
            (person,) = (one for one in topology.people if one.address.local_part == address.local_part)
            assert fate.reply.code == TAKEN
            assert where_delivered(sites, fate) == sorted([home, *person.copies])
            assert len(fate.ends) == 1 + len(person.copies)
            continue
        if way_in.own_user and fate.reply.code == TAKEN:
            assert [end.what for end in fate.ends] == [RETURNED]
        else:
            assert fate.reply.code in (REFUSED, FAILED)
        assert fate.reply.code != FAILED or address.local_part != NOBODY.local_part


@EXAMPLES
@given(topologies(), outages())
def test_an_address_without_a_local_part_is_refused_by_every_server_whoever_sends_there(
    topology: Topology, outage: Outage
) -> None:
    assume(is_let_through(topology))
    for _way_in, address, fate in fates(topology, topology.simulated(), outage):
        assert address.local_part != NO_LOCAL_PART or fate.reply.code == REFUSED


@EXAMPLES
@given(ASKING, outages())
def test_what_is_down_or_cut_off_means_later_and_never_yes_or_no(topology: Topology, outage: Outage) -> None:
    assume(is_let_through(topology))
    sites = topology.simulated()
    broken = outage.down | {receiver for _sender, receiver in outage.cut}
    for (_way_in, _address, well), (_same, _too, ill) in zip(fates(topology, sites), fates(topology, sites, outage)):
        assert ill.reply.code in (well.reply.code, LATER)
        assert well.reply.code != LATER
        late = [*ill.reply.unasked, *(name for end in ill.those(WAITS) for name in end.unreached)]
        assert bool(late) == (ill.reply.code == LATER or bool(ill.those(WAITS)))
        assert {site for name in late for site in names_of(sites, name)} <= broken
        assert not ill.those(BOUNCED)
        if ill.reply.code == TAKEN:
            arrived = where_delivered(sites, ill)
            assert len(arrived) == len(set(arrived))
            assert set(arrived) <= set(where_delivered(sites, well))
            assert ill.those(WAITS) or ill == well


def names_of(sites: Sites, name: str) -> set[str]:
    server = sites.servers.get(name)
    return {name} if server is None else set(server.sites())


@EXAMPLES
@given(topologies(careless=False, untrue=False), outages())
def test_no_stranger_gets_a_bounce_where_everybody_asks_first(topology: Topology, outage: Outage) -> None:
    assume(is_let_through(topology))
    found = fates(topology, topology.simulated(), outage)
    assert [fate for _way_in, _address, fate in found if fate.those(BOUNCED)] == []


@EXAMPLES
@given(topologies(untrue=False), outages())
def test_what_is_bounced_to_a_stranger_was_taken_unasked_by_a_site_that_says_so(
    topology: Topology, outage: Outage
) -> None:
    assume(is_let_through(topology))
    sites = topology.simulated()
    unasking = {*topology.mapped.call_ahead_off, *topology.careless}
    for _way_in, _address, fate in fates(topology, sites, outage):
        for end in fate.those(BOUNCED):
            assert any(names_of(sites, hop.receiver) & unasking for hop in end.hops)
