# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a server must have before a split fits: version, master.cf, an empty queue, Internet protocols. Private.

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Iterable

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    run_or_fail,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

# Where mail from other servers comes in, with and without postscreen(8) before it.
_PUBLIC_SERVICES = ("smtp/inet", "25/inet", "smtpd/pass")
_VERSION = re.compile(r"(\d+)\.(\d+)")
# transport(5): a next hop of several servers.
_FIRST_WITH_LISTS = (3, 5)
_NEEDED_TYPES = ("cidr", "inline", "pipemap", "regexp", "static", "unionmap")
PROTOCOLS = "inet_protocols"
_ALL = "all"


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

    The loop guard and call-ahead would not be asked there, and main.cf would not show it.
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


# Whether a Postfix server speaks the Internet protocols of its relays' addresses.


def refuse_unspoken_addresses(servers: Iterable[Relay], inet_protocols: str) -> None:
    """Raise ServerStateError for a relay with an address that the server would never send to (postconf(5)).

    Which addresses a name has is known to the DNS alone, at the time of sending.
    """
    spoken = words(inet_protocols.lower())
    for server in servers:
        if _ALL in spoken or not is_ip_address(server.host):
            continue
        protocol = f"ipv{ipaddress.ip_address(server.host).version}"
        if protocol not in spoken:
            raise ServerStateError(
                f"the relay {server} has an {protocol} address, and this server sends over {inet_protocols} alone: "
                f"add {protocol} to inet_protocols in main.cf and restart Postfix, or give another address"
            )
