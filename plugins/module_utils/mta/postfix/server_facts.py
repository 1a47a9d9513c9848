# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Facts about the server itself that decide whether a split fits: its addresses, its peers', its queue. Private.

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    run_or_fail,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.peer_groups import Network
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import DomainSettings, Peer

# Where mail from other servers comes in, with and without postscreen(8) before it.
_PUBLIC_SERVICES = ("smtp/inet", "25/inet", "smtpd/pass")
# What the kernel lists of the network that this thread is in: proc(5).
_KERNEL = Path("/proc/thread-self/net")
_LOCAL = re.compile(r"\|-- (\S+)\n(?: +/\d+ (?!host LOCAL).*\n)* +/(\d+) host LOCAL")
_VERSION = re.compile(r"(\d+)\.(\d+)")
# transport(5): a next hop of several servers.
_FIRST_WITH_LISTS = (3, 5)
_NEEDED_TYPES = ("cidr", "inline", "pipemap", "regexp", "static", "unionmap")


def refuse_old_postfix(server: PostfixServer, settings: Iterable[DomainSettings]) -> None:
    """Raise ServerStateError when Postfix lacks a table type that the split is made of, or what its relays need."""
    missing = [name for name in _NEEDED_TYPES if name not in server.map_types]
    if missing:
        raise ServerStateError(
            f"Postfix {server.mail_version} has no lookup tables of type {', '.join(missing)}: "
            f"install Postfix 3.4 or newer"
        )
    several = next((peer.relay for entry in settings for peer in entry.peers if peer.relay.others), None)
    found = _VERSION.match(server.mail_version)
    if several and found and tuple(map(int, found.groups())) < _FIRST_WITH_LISTS:
        raise ServerStateError(
            f"Postfix {server.mail_version} takes one server for a next hop, and a relay has several ({several}): "
            f"install Postfix 3.5 or newer, or name one of them"
        )


def refuse_overrides(server: PostfixServer, parameters: Iterable[str]) -> None:
    """Raise ServerStateError when master.cf gives the service on port 25 values of its own for these parameters.

    Split horizon and call-ahead would not be asked there, and main.cf would not show it.
    """
    names = set(parameters)
    for line in run_or_fail(["postconf", "-P"], server.config_directory).stdout.splitlines():
        place, _equals, _value = line.partition(" = ")
        service, _slash, name = place.rpartition("/")
        # The service may be bound to an address: 192.0.2.1:smtp/inet.
        if name in names and service.rpartition(":")[2] in _PUBLIC_SERVICES:
            raise ServerStateError(
                f"master.cf sets {name} for the service {service} alone (postconf -P), so that a split in main.cf "
                f"would not hold for mail from outside: move that setting to main.cf"
            )


def refuse_waiting_mail(server: PostfixServer, domains: Collection[str]) -> None:
    """Raise ServerStateError when mail for one of the domains waits in the queue.

    Without its route it would follow the domain's MX at its next try, come back here, and be bounced as a loop.
    Messages on hold do not count: nobody tries to deliver them.
    """
    waiting = [
        address
        for line in run_or_fail(["postqueue", "-j"], server.config_directory).stdout.splitlines()
        for message in (json.loads(line),)
        if message["queue_name"] != "hold"
        for address in (recipient["address"] for recipient in message["recipients"])
        if address.rpartition("@")[2].lower() in domains
    ]
    if waiting:
        raise ServerStateError(
            f"{len(waiting)} recipient(s) of {', '.join(sorted(domains))} wait in the queue of this server "
            f"({waiting[0]}), and without the split their mail would be bounced: let it be delivered (postqueue -f), "
            f"or remove it or put it on hold (postsuper), then run again"
        )


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
