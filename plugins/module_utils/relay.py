# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A relay: the next hop of a site, one or more literal hosts and never a domain's MX. Pure. Private.

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.relay_login import parse_password, parse_username
from ansible_collections.mailops.split_domain.plugins.module_utils.relay_tls import (
    FINGERPRINTS_KEY,
    MAY,
    NAMES_KEY,
    match_arguments,
    parse_tls,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import kind_of, refuse_odd_keys

HIGHEST_PORT = 65535
_PORT = re.compile(r"[0-9]{1,9}")
# What may be written for a port, and is none.
_SERVICES = ("smtp", "smtps", "submission", "submissions")
_KEYS = ("host", "port", "tls", NAMES_KEY, FINGERPRINTS_KEY, "username", "password")


@dataclass(frozen=True, order=True)
class Relay:
    """The next hop of a site: a literal host name or address, never looked up as MX.

    ``others`` are the site's further servers, each with a policy of its own and no others: they are tried in their
    order while those before them cannot be reached, or put the mail off. ``tls_match`` are the names or fingerprints of
    its certificate. ``password`` is for the split map alone: what a server keeps of it is in no settings.
    """

    host: str
    port: int = 25
    tls: str = MAY
    others: tuple[Relay, ...] = ()
    tls_match: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return ",".join(place_of(server) for server in self.servers)

    @property
    def servers(self) -> tuple[Relay, ...]:
        """Each server of the next hop as a relay by itself, in the order in which they are tried."""
        return (replace(self, others=()), *self.others)

    def as_arguments(self) -> dict[str, Any]:
        """Give the first server as users write it, without its password and without what is not said of it."""
        return {
            "host": self.host,
            "port": self.port,
            "tls": self.tls,
            **match_arguments(self.tls, self.tls_match),
            **({} if self.username is None else {"username": self.username}),
        }


def place_of(server: Relay) -> str:
    """Give one server of a next hop as Postfix names it; the brackets switch off MX lookups."""
    return f"[{server.host}]:{server.port}"


def next_hop(servers: Sequence[Relay]) -> Relay:
    """Give servers, each a relay by itself, as one next hop."""
    return replace(servers[0], others=tuple(servers[1:]))


def parse_relay(value: Any, owner: str) -> Relay:
    """Read what a relay is as a mapping, a bare host, or a list of these; ``owner`` is whose it is in messages."""
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
    tls, match = parse_tls(value, canonical, owner)
    password = value.get("password")
    return Relay(
        host=canonical,
        port=parse_port(value.get("port"), owner),
        tls=tls,
        tls_match=match,
        username=parse_username(value.get("username"), tls, owner),
        password=None if password is None else parse_password(password, owner),
    )


def parse_port(value: Any, owner: str) -> int:
    """Read a TCP port, 25 when None; raises InvalidInput outside 1..65535."""
    if value is None:
        return 25
    # Only these digits: Python takes those of every script, and underscores between them.
    text = str(value).strip(" \t") if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    port = int(text) if _PORT.fullmatch(text) else 0
    if not 1 <= port <= HIGHEST_PORT:
        raise InvalidInput(f"{owner} has port {kind_of(value, _SERVICES)}: a port is a number from 1 to {HIGHEST_PORT}")
    return port
