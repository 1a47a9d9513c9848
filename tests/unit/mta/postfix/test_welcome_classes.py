# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of who is welcome with mail of which domains, for any sites and networks.

from __future__ import annotations

import ipaddress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    HeldDomains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import (
    SplitConfiguration,
    compile_split,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.trusted_sites import (
    JUDGING_LISTS,
    with_trusted_sites,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

TABLES = TableNames("/etc/postfix/split_domain", "lmdb")
NETWORKS = [
    ipaddress.ip_network(text)
    for text in ("198.51.100.20", "198.51.100.16/28", "198.51.100.0/24", "203.0.113.9", "2001:db8::25", "2001:db8::/64")
]
Networks = dict[Peer, tuple[ipaddress._BaseNetwork, ...]]


@st.composite
def servers(draw: st.DrawFn) -> tuple[list[DomainSettings], Networks]:
    """One to three domains, each with one or two peers that send from one or two networks."""
    settings: list[DomainSettings] = []
    networks_of: Networks = {}
    for domain in ("example.com", "b.example.com", "example.org")[: draw(st.integers(1, 3))]:
        peers = []
        for site in ("hq", "lab")[: draw(st.integers(1, 2))]:
            networks = tuple(sorted(draw(st.sets(st.sampled_from(NETWORKS), min_size=1, max_size=2)), key=str))
            peer = Peer(site, Relay(f"{site}.test"), tuple(map(str, networks)), managed=draw(st.booleans()))
            peers.append(peer)
            networks_of[peer] = networks_of.get(peer, networks)
        aliases = draw(st.sampled_from([(), (f"alias.{domain}",)]))
        settings.append(DomainSettings(domain, "slave", tuple(peers), alias_domains=aliases))
    return settings, networks_of


def compiled(server: tuple[list[DomainSettings], Networks], *lists: str) -> SplitConfiguration:
    before = compile_split(server[0], server[1], HeldDomains(), TABLES)  # type: ignore[arg-type]
    return with_trusted_sites(before, server[0], server[1], TABLES, lists)  # type: ignore[arg-type]


def holds(outer: ipaddress._BaseNetwork, inner: ipaddress._BaseNetwork) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[attr-defined, no-any-return]


@given(servers())
def test_a_client_is_welcome_with_the_domains_that_it_is_a_site_of_and_with_no_other(server) -> None:  # type: ignore[no-untyped-def]
    configuration = compiled(server, *JUDGING_LISTS)
    rows = [line.split() for line in configuration.plain_tables["welcome"].splitlines() if not line.startswith("#")]
    assert {network for network, _class in rows} == {str(one) for group in server[1].values() for one in group}
    received = {
        tuple(line.split()[0].split("?"))
        for line in configuration.indexed_tables["received_domains"].splitlines()
        if not line.startswith("#")
    }
    for written, name in rows:
        own = ipaddress.ip_network(written)
        # A site is known by its relay, in whichever domain it was named with this client.
        relays = {peer.relay for peer, group in server[1].items() if any(holds(other, own) for other in group)}
        wanted = {
            domain
            for entry in server[0]
            if any(peer.relay in relays for peer in entry.peers)
            for domain in (entry.domain, *entry.alias_domains)
        }
        assert {domain for owner, domain in received if owner == name} == wanted
        assert name in configuration.last["smtpd_restriction_classes"]
        assert f" {name}?$1" in configuration.plain_tables[f"recipients_{name}"]


@given(servers())
def test_a_domain_that_comes_changes_no_parameter(server) -> None:  # type: ignore[no-untyped-def]
    settings, networks_of = server
    more = [*settings, replace(settings[0], domain="new.example")]
    before, after = compiled(server, *JUDGING_LISTS), compiled((more, networks_of), *JUDGING_LISTS)
    assert (before.values, before.first, before.last) == (after.values, after.first, after.last)


@given(servers())
def test_only_managed_sites_may_say_from_whom_they_have_their_mail(server) -> None:  # type: ignore[no-untyped-def]
    configuration = compiled(server)
    managed = {str(one) for peer, group in server[1].items() if peer.managed for one in group}
    rows = configuration.plain_tables.get("xforward", "").splitlines()
    assert {line.split()[0] for line in rows if not line.startswith("#")} == managed
    assert ("smtpd_authorized_xforward_hosts" in configuration.last) == bool(managed)


@given(servers())
def test_lists_that_a_server_does_not_use_stay_as_they_are(server) -> None:  # type: ignore[no-untyped-def]
    configuration = compiled(server, "smtpd_client_restrictions")
    assert set(configuration.first) & set(JUDGING_LISTS) == {"smtpd_client_restrictions"}
    assert not set(compiled(server).first) & set(JUDGING_LISTS)
