# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what settings compile to: tables and main.cf elements that fit each other, for any settings.

from __future__ import annotations

import ipaddress
import re

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    HeldDomains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    LOOP,
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import (
    SplitConfiguration,
    compile_split,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "198.51.100.20",
        "198.51.100.21",
        "198.51.100.16/28",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::25",
        "2001:db8::/64",
        "2001:db8::/32",
    )
]
TABLES = TableNames("/etc/postfix/split_domain", "lmdb")
SITES = ("hq", "cloud", "Cloud_2", "cloud-2", "lab")


@st.composite
def servers(draw: st.DrawFn) -> tuple[list[DomainSettings], dict[Peer, tuple[ipaddress._BaseNetwork, ...]]]:
    """One to three domains, each with one to three peers that send from one to three networks."""
    settings, networks_of = [], {}
    for domain in ("example.com", "b.example.com", "example.org")[: draw(st.integers(1, 3))]:
        peers = []
        for site in sorted(draw(st.lists(st.sampled_from(SITES), min_size=1, max_size=3, unique=True))):
            host = draw(st.sampled_from(["mx1.example.net", "mx2.example.net", "198.51.100.20"]))
            networks = tuple(sorted(draw(st.sets(st.sampled_from(NETWORKS), min_size=1, max_size=3)), key=str))
            tls = draw(st.sampled_from(["may", "encrypt"]))
            others = draw(st.sampled_from([(), (Relay("mx3.example.net", tls=tls),)]))
            peer = Peer(site, Relay(host, tls=tls, others=others), tuple(map(str, networks)))
            peers.append(peer)
            networks_of[peer] = networks
        unknown = draw(st.one_of(st.none(), st.sampled_from([peer.site for peer in peers])))
        settings.append(DomainSettings(domain, "slave", tuple(peers), unknown, draw(st.booleans())))
    return settings, networks_of


def compiled(server: tuple[list[DomainSettings], dict[Peer, tuple[ipaddress._BaseNetwork, ...]]]) -> SplitConfiguration:
    return compile_split(server[0], server[1], HeldDomains(aliases=("lmdb:/etc/aliases",)), TABLES)  # type: ignore[arg-type]


def rows(text: str) -> list[list[str]]:
    return [line.split(None, 1) for line in text.splitlines() if not line.startswith("#")]


@given(servers())
def test_the_first_network_that_has_a_client_is_the_narrowest(server) -> None:  # type: ignore[no-untyped-def]
    networks = [ipaddress.ip_network(network) for network, _class in rows(compiled(server).plain_tables["peers"])]
    for position, network in enumerate(networks):
        for later in networks[position + 1 :]:
            assert later.version != network.version or later == network or not later.subnet_of(network)


@given(servers())
def test_every_client_network_stands_once_and_has_a_class_that_is_defined_and_listed(server) -> None:  # type: ignore[no-untyped-def]
    configuration = compiled(server)
    peers = rows(configuration.plain_tables["peers"])
    wanted = {str(network) for networks in server[1].values() for network in networks}
    assert sorted(network for network, _class in peers) == sorted(wanted)
    for _network, name in peers:
        assert name in configuration.values
        assert name in configuration.last["smtpd_restriction_classes"]


@given(servers())
def test_nothing_goes_back_to_any_relay_that_a_client_stands_for(server) -> None:  # type: ignore[no-untyped-def]
    """A client's class refuses the relays of all peers whose networks hold it."""
    configuration = compiled(server)
    for network, name in rows(configuration.plain_tables["peers"]):
        own = ipaddress.ip_network(network)
        relays = {
            transport_of(way)
            for peer, networks in server[1].items()
            if any(own.version == other.version and own.subnet_of(other) for other in networks)
            for way in (peer.relay, *peer.relay.servers)
        }
        refused = set(re.findall(r"\{([^{}\s]+) = " + re.escape(LOOP) + r"\}", configuration.values[name]))
        assert refused == relays


@given(servers())
def test_every_class_that_is_listed_is_defined_and_no_name_is_used_for_two(server) -> None:  # type: ignore[no-untyped-def]
    configuration = compiled(server)
    classes = configuration.last["smtpd_restriction_classes"]
    assert len(set(classes)) == len(classes)
    assert set(classes) <= set(configuration.values)
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in configuration.values)


@given(servers())
def test_every_parameter_that_a_value_names_is_defined(server) -> None:  # type: ignore[no-untyped-def]
    configuration = compiled(server)
    texts = [*configuration.values.values()]
    texts += [
        element for edits in (configuration.first, configuration.last) for group in edits.values() for element in group
    ]
    names = {name for text in texts for name in re.findall(r"\$(\w+)", text)}
    assert names <= set(configuration.values)


@given(servers())
def test_every_domain_has_its_fallback_and_braces_are_closed(server) -> None:  # type: ignore[no-untyped-def]
    configuration = compiled(server)
    found = dict(rows(configuration.indexed_tables["mail_domains"]))
    for entry in server[0]:
        relay = entry.unknown_relay
        assert found[entry.domain] == (transport_of(relay) if relay else entry.local_transport or "local:")
        forwarded = "split_domain_call_ahead" if entry.call_ahead else "split_domain_skip"
        assert found[f"?{entry.domain}"] == ("split_domain_refuse_unlisted" if relay is None else forwarded)
    assert all(value.count("{") == value.count("}") for value in configuration.values.values())


@given(servers())
def test_the_order_of_the_domains_does_not_matter(server) -> None:  # type: ignore[no-untyped-def]
    settings, networks_of = server
    assert compiled((settings[::-1], dict(reversed(networks_of.items())))) == compiled(server)


@given(servers())
def test_a_policy_is_kept_for_just_those_relays_that_ask_for_one(server) -> None:  # type: ignore[no-untyped-def]
    wanted = {str(one) for peer in server[1] for one in peer.relay.servers if one.tls != "may"}
    configuration = compiled(server)
    assert {relay for relay, _policy in rows(configuration.indexed_tables["tls_policy"])} == wanted
    assert ("smtp_tls_policy_maps" in configuration.first) == bool(wanted)
