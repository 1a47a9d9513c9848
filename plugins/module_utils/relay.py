# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A relay: the next hop of a site, one or more literal hosts and never a domain's MX. Pure. Private.

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import refuse_odd_keys

TLS_POLICIES = ("none", "may", "encrypt")
HIGHEST_PORT = 65535
_KEYS = ("host", "port", "tls")


@dataclass(frozen=True, order=True)
class Relay:
    """The next hop of a site: a literal host name or address, never looked up as MX.

    ``others`` are the site's further servers, each with a policy of its own and no others: they are tried in their
    order while those before them cannot be reached, or put the mail off.
    """

    host: str
    port: int = 25
    tls: str = "may"
    others: tuple[Relay, ...] = ()

    def __str__(self) -> str:
        return ",".join(place_of(server) for server in self.servers)

    @property
    def servers(self) -> tuple[Relay, ...]:
        """Each server of the next hop as a relay by itself, in the order in which they are tried."""
        return (replace(self, others=()), *self.others)


def place_of(server: Relay) -> str:
    """Give one server of a next hop as Postfix names it; the brackets switch off MX lookups."""
    return f"[{server.host}]:{server.port}"


def next_hop(servers: Sequence[Relay]) -> Relay:
    """Give servers, each a relay by itself, as one next hop."""
    return replace(servers[0], others=tuple(servers[1:]))


def parse_relay(value: Any, owner: str) -> Relay:
    """Read ``{host, port, tls}``, a bare host, or a list of these; ``owner`` names whose relay it is in messages."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        servers = [_parse_server(entry, owner) for entry in value]
        if not servers:
            raise InvalidInput(f"{owner} is an empty list: name the servers that take its mail")
        places = [place_of(server) for server in servers]
        twice = next((place for place in places if places.count(place) > 1), None)
        if twice is not None:
            raise InvalidInput(f"{owner} names the server {twice} twice: name each server once")
        return next_hop(servers)
    return _parse_server(value, owner)


def _parse_server(value: Any, owner: str) -> Relay:
    if isinstance(value, str):
        value = {"host": value}
    refuse_odd_keys(value, _KEYS, owner)
    host = value.get("host")
    if not isinstance(host, str) or not host.strip():
        raise InvalidInput(f"{owner} has no host: give the name or address of the server that takes its mail")
    bare = host.strip(" \t").strip("[]")
    canonical = str(ipaddress.ip_address(bare)) if is_ip_address(bare) else canonical_host(bare)
    tls = value.get("tls") or "may"
    if tls not in TLS_POLICIES:
        raise InvalidInput(f"{owner} has tls {tls!r}: use one of {', '.join(TLS_POLICIES)}")
    return Relay(canonical, parse_port(value.get("port"), owner), tls)


def parse_port(value: Any, owner: str) -> int:
    """Read a TCP port, 25 when None; raises InvalidInput outside 1..65535."""
    if value is None:
        return 25
    try:
        port = int(str(value).strip())
    except ValueError:
        port = 0
    if not 1 <= port <= HIGHEST_PORT or isinstance(value, bool):
        raise InvalidInput(f"{owner} has port {value!r}: a port is a number from 1 to {HIGHEST_PORT}")
    return port
