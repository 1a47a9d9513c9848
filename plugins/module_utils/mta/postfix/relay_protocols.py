# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether a Postfix server speaks the Internet protocols of its relays' addresses. Private.

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.relay import Relay

PROTOCOLS = "inet_protocols"
_ALL = "all"


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
