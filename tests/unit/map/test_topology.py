# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the forwarding graph and of what must hold among the sites of a split domain.

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import parse_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import (
    DirectoryEntry,
    Site,
    SplitDomain,
    forwarding_circle,
    peers_of,
    refuse_unasked_circle,
    site_by_address,
    validate,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import MASTER, SLAVE
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

NAMES = ("a", "b", "c", "d", "e", "f")


def domain_of(targets: dict[str, str | None]) -> SplitDomain:
    return SplitDomain(
        "example.com",
        tuple(
            Site(
                name,
                MASTER if name == "a" else SLAVE,
                Relay(f"{name}.example.net"),
                hosts=(f"{name}.example.net",),
                unknown=target,
            )
            for name, target in targets.items()
        ),
    )


@st.composite
def forwarding_graphs(draw: st.DrawFn) -> dict[str, str | None]:
    """Graphs of two to six sites, each of which forwards to another one or refuses."""
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    return {
        name: draw(st.one_of(st.none(), st.sampled_from([other for other in names if other != name]))) for name in names
    }


def hops(targets: dict[str, str | None], start: str, steps: int) -> str | None:
    """Walk so many steps through the graph, in the plainest way."""
    place: str | None = start
    for _step in range(steps):
        place = None if place is None else targets[place]
    return place


@given(forwarding_graphs())
def test_a_circle_is_found_exactly_where_a_walk_returns_after_three_steps_or_more(
    targets: dict[str, str | None],
) -> None:
    returns = any(
        hops(targets, name, steps) == name and hops(targets, name, 2) != name
        for name in targets
        for steps in range(3, len(targets) + 1)
    )
    assert bool(forwarding_circle(domain_of(targets))) == returns


@given(forwarding_graphs())
def test_a_circle_that_is_found_follows_the_forwarding_of_its_sites(targets: dict[str, str | None]) -> None:
    circle = forwarding_circle(domain_of(targets))
    assert all(targets[site] == following for site, following in zip(circle, circle[1:]))
    if circle:
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1 >= 3


@given(forwarding_graphs())
def test_a_graph_is_refused_exactly_for_its_circle_and_the_refusal_shows_it(targets: dict[str, str | None]) -> None:
    split_domain = domain_of(targets)
    circle = forwarding_circle(split_domain)
    if not circle:
        assert validate(split_domain) is split_domain
        return
    with pytest.raises(InvalidInput) as refusal:
        validate(split_domain)
    assert " -> ".join(circle) in str(refusal.value)
    assert "remove 'unknown' from one of them" in str(refusal.value)


def test_two_sites_may_forward_to_each_other_and_others_to_them() -> None:
    validate(domain_of({"a": "b", "b": "a", "c": "a", "d": "c"}))


def test_two_sites_may_not_forward_to_each_other_when_neither_is_managed() -> None:
    sites = domain_of({"a": "b", "b": "c", "c": "b"}).sites
    unmanaged = [dataclasses.replace(site, hosts=()) for site in sites]
    with pytest.raises(InvalidInput, match=r"forward unknown recipients in a circle \(b -> c -> b\)"):
        validate(SplitDomain("example.com", (sites[0], *unmanaged[1:])))
    validate(SplitDomain("example.com", (*sites[:2], unmanaged[2])))


@pytest.mark.parametrize("unasked", [{"a"}, {"b"}, {"a", "b"}, {"a", "c"}])
def test_two_sites_that_forward_to_each_other_both_have_to_ask_first(unasked: set[str]) -> None:
    circle = domain_of({"a": "b", "b": "a", "c": "a"})
    first = min(unasked)
    sentence = f"forward unknown recipients to each other, and {first} does so without asking first (call_ahead: false)"
    with pytest.raises(InvalidInput, match=re.escape(sentence)) as refusal:
        refuse_unasked_circle(circle, unasked)
    assert "remove call_ahead, or list all users and remove 'unknown' from one of the two" in str(refusal.value)


def test_a_site_may_take_mail_unasked_where_nothing_comes_back_or_where_it_is_not_ours_to_ask() -> None:
    refuse_unasked_circle(domain_of({"a": "b", "b": "a", "c": "a"}), {"c"})
    refuse_unasked_circle(domain_of({"a": "b", "b": "c", "c": None}), {"a", "b", "c"})
    managed, external = domain_of({"a": "b", "b": "a"}).sites
    with_external = SplitDomain("example.com", (managed, dataclasses.replace(external, hosts=())))
    refuse_unasked_circle(with_external, {"b"})
    with pytest.raises(InvalidInput, match="a does so without asking first"):
        refuse_unasked_circle(with_external, {"a"})


GOOD = domain_of({"a": "b", "b": None})


def with_site(position: int, **changes: object) -> SplitDomain:
    sites = list(GOOD.sites)
    sites[position] = dataclasses.replace(sites[position], **changes)  # type: ignore[arg-type]
    return SplitDomain(GOOD.domain, tuple(sites))


@pytest.mark.parametrize(
    ("split_domain", "message"),
    [
        (SplitDomain("example.com", GOOD.sites[:1]), "example.com has 1 site(s): a split domain needs at least two"),
        (SplitDomain("example.com"), "example.com has 0 site(s)"),
        (with_site(1, name="a"), "example.com has two sites named 'a'"),
        (with_site(0, role=SLAVE), "example.com has no site with role 'master'"),
        (with_site(1, hosts=("a.example.net",)), "'a.example.net' is in two sites of example.com, a and b"),
        (with_site(1, relay=Relay("a.example.net", 25, "encrypt")), "the sites a and b of example.com have the same"),
        (
            with_site(1, relay=Relay("b.example.net", others=(Relay("a.example.net"),))),
            "the sites a and b of example.com have the same relay [a.example.net]:25",
        ),
        (with_site(1, unknown="b"), "the site b of example.com forwards unknown recipients to itself"),
        (with_site(1, unknown="clowd"), "to 'clowd', which is no site of the domain: name one of a, b"),
    ],
)
def test_sites_that_cannot_work_as_one_are_refused_by_name(split_domain: SplitDomain, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        validate(split_domain)
    assert message in str(refusal.value)


def test_the_same_host_may_relay_for_two_sites_at_two_ports() -> None:
    validate(with_site(1, relay=Relay("a.example.net", 2525)))


def test_a_server_finds_its_site_and_its_peers() -> None:
    site = GOOD.site_of_host("a.example.net")
    assert site == GOOD.site("a")
    assert [peer.name for peer in peers_of(GOOD, GOOD.site("a"))] == ["b"]
    assert GOOD.site_of_host("stranger.example.net") is None


def test_a_site_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InvalidInput, match=r"example.com has no site 'x': name one of its sites \(a, b\)"):
        GOOD.site("x")


def test_an_address_listed_twice_with_one_site_is_one_mailbox() -> None:
    bob = parse_address("bob@example.com")
    assert site_by_address([DirectoryEntry(bob, "a", "line 2"), DirectoryEntry(bob, "a", "line 9")]) == {bob: "a"}


def test_an_address_listed_with_two_sites_is_refused_with_both_places() -> None:
    bob = parse_address("bob@example.com")
    with pytest.raises(InvalidInput) as refusal:
        site_by_address([DirectoryEntry(bob, "a", "one.csv, line 2"), DirectoryEntry(bob, "b", "two.csv, line 9")])
    assert str(refusal.value) == (
        "bob@example.com is listed with two sites, a (one.csv, line 2) and b (two.csv, line 9): "
        "a mailbox lives on one site, remove one of the lines"
    )
