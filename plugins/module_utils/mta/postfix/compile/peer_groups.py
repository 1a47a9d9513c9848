# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whose mail a client's is: the clients of all peers, grouped by the relays that they stand for. Pure. Private.

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.host_addresses import Network
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import (
    RELAY_SERVICE,
    transport_of,
)


@dataclass(frozen=True)
class PeerGroup:
    """Clients that stand for the same relays: mail from them never goes back to one of these."""

    restriction_class: str
    transports: tuple[str, ...]


def peer_groups(
    settings: Sequence[DomainSettings], networks_of: Mapping[Peer, Sequence[Network]]
) -> list[tuple[Network, PeerGroup]]:
    """Give each client network with the relays it stands for, the narrowest first, as cidr_table(5) wants it."""
    transports: dict[Network, set[str]] = {}
    sites: dict[str, set[str]] = {}
    for entry in settings:
        for peer in entry.peers:
            for transport in transports_of_site(peer):
                sites.setdefault(transport, set()).add(peer.site)
            for network in networks_of[peer]:
                transports.setdefault(network, set()).update(transports_of_site(peer))
    joined = {
        network: tuple(sorted(set().union(*(found for other, found in transports.items() if contains(other, network)))))
        for network in transports
    }
    names = _class_names(set(joined.values()), sites)
    ordered = narrowest_first(joined)
    return [(network, PeerGroup(names[joined[network]], joined[network])) for network in ordered]


def narrowest_first(networks: Iterable[Network]) -> list[Network]:
    """Give networks in the order in which cidr_table(5) finds the one that says most of a client."""
    return sorted(networks, key=lambda network: (network.version, -network.prefixlen, network.network_address))


def contains(outer: Network, inner: Network) -> bool:
    """Tell whether one network is the other or holds it."""
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _class_names(groups: set[tuple[str, ...]], sites: Mapping[str, set[str]]) -> dict[tuple[str, ...], str]:
    names: dict[tuple[str, ...], str] = {}
    for group in sorted(groups):
        label = "_".join(sorted(set().union(*(sites[transport] for transport in group))))
        stem = "split_domain_from_" + re.sub(r"[^a-z0-9]+", "_", label.lower())
        numbered = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
        names[group] = next(name for name in numbered if name not in names.values())
    return names


def transports_of_site(peer: Peer) -> tuple[str, ...]:
    """Give every transport(5) result that stands for a site: its relay, each of the relay's servers, its subdomain.

    The subdomain's next hop is looked up as MX.
    """
    by_mx = () if peer.subdomain is None else (f"{RELAY_SERVICE}:{peer.subdomain}",)
    return tuple(dict.fromkeys((*map(transport_of, (peer.relay, *peer.relay.servers)), *by_mx)))
