# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A relay: the next hop of a site, a literal host and never a domain's MX. Pure. Private to this collection.

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import refuse_odd_keys

TLS_POLICIES = ("none", "may", "encrypt")
HIGHEST_PORT = 65535
_KEYS = ("host", "port", "tls")


@dataclass(frozen=True, order=True)
class Relay:
    """The next hop of a site: a literal host name or address, never looked up as MX."""

    host: str
    port: int = 25
    tls: str = "may"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}"


def parse_relay(value: Any, owner: str) -> Relay:
    """Read ``{host, port, tls}`` or a bare host; ``owner`` names whose relay it is in messages."""
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
