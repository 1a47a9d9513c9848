# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Addresses of this host and of its peers: which are its own, and from which networks a peer's mail comes. Private.

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Union

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
# What the kernel lists of the network that this thread is in: proc(5).
_KERNEL = Path("/proc/thread-self/net")
_LOCAL = re.compile(r"\|-- (\S+)\n(?: +/\d+ (?!host LOCAL).*\n)* +/(\d+) host LOCAL")


def networks_of_peers(settings: Sequence[DomainSettings]) -> dict[Peer, tuple[Network, ...]]:
    """Resolve the clients of every peer; raises ServerStateError for a name without address, and for ourselves."""
    resolved: dict[str, tuple[Network, ...]] = {}
    found: dict[Peer, tuple[Network, ...]] = {}
    for entry in settings:
        for peer in entry.peers:
            owner = f"the peer {peer.site} of {entry.domain}"
            networks: set[Network] = set()
            for client in peer.clients:
                if client not in resolved:
                    resolved[client] = _networks(client, owner)
                networks.update(resolved[client])
            found[peer] = tuple(sorted(networks, key=str))
            for server in peer.relay.servers:
                networks.update(_networks(server.host, owner))
            for network in networks:
                if network.num_addresses == 1 and is_own_address(str(network.network_address)):
                    raise ServerStateError(
                        f"{owner} is this server itself (relay {peer.relay}, address {network.network_address}): "
                        f"mail for it would come back here, give the relay and clients of the other site"
                    )
    return found


def _networks(client: str, owner: str) -> tuple[Network, ...]:
    try:
        return (ipaddress.ip_network(client),)
    except ValueError:
        pass
    try:
        answers = socket.getaddrinfo(client, 25, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ServerStateError(
            f"{owner} has the host {client}, whose address this server cannot find ({error.strerror}): "
            f"correct the name, or give addresses in relay and clients"
        ) from error
    return tuple(sorted({ipaddress.ip_network(str(answer[4][0]).partition("%")[0]) for answer in answers}, key=str))


def is_own_address(address: str) -> bool:
    """Tell whether an address belongs to this machine, as the kernel lists them.

    Elsewhere than on Linux whether a socket can be bound to it tells, which sockets can to 0.0.0.0, too, and where the
    kernel was told so (net.ipv4.ip_nonlocal_bind, as with keepalived) to everything.
    """
    wanted = ipaddress.ip_address(address)
    if wanted.is_unspecified or wanted.is_multicast:
        return False
    try:
        if wanted.version == 6:  # noqa: PLR2004 - a version, no number of anything
            return wanted.packed.hex() in {line[:32] for line in (_KERNEL / "if_inet6").read_text().splitlines()}
        listed = _LOCAL.findall((_KERNEL / "fib_trie").read_text())
        return any(wanted in ipaddress.ip_network("/".join(found)) for found in listed)
    except OSError:
        return _can_be_bound(address)


def _can_be_bound(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
