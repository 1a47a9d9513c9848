# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which servers are to give the MX sets of a task: those of each zone's NS set, and those named. Private.

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.connection import Connection
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.failures import ServersDisagree
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.reading import ANSWERED
from ansible_collections.mailops.split_domain.plugins.module_utils.names import is_ip_address

# So many names are looked up at the same time.
_LOOK_UPS_AT_ONCE = 32


@dataclass(frozen=True)
class WaitedServer:
    """One server at one of its addresses, or None where it has none, and the changes that it is to show."""

    server: str
    address: str | None
    changes: tuple[Change, ...]

    @property
    def zones(self) -> list[str]:
        """Give the zones of the changes, each once."""
        return list(dict.fromkeys(change.zone for change in self.changes))


def waited_servers(connection: Connection, changes: Sequence[Change], hidden: Sequence[str]) -> list[WaitedServer]:
    """Give every server in the NS set of each zone, and the ``hidden`` ones, at each of its addresses.

    The hidden ones, names or addresses in canonical form, are to have all zones. The NS sets and, where it knows them,
    the servers' addresses are asked of ``connection``; other addresses are looked up as the host does. An address comes
    once, under the first name that has it. Raises ServersDisagree where the NS set is not told.
    """
    servers: dict[str, list[Change]] = {}
    by_zone = _by_zone(changes)
    for (zone, in_zone), reply in zip(by_zone.items(), connection.ask([(zone, "NS") for zone in by_zone])):
        names = sorted(record.value for record in reply.answer if record.rdtype == "NS" and record.name == zone)
        if reply.rcode not in ANSWERED or not names:
            raise ServersDisagree(
                f"{connection.party} does not tell the name servers of {zone} ({reply.rcode}), so nobody can tell "
                "whether they give the new MX sets, which are written: let it answer queries for the zone, "
                "or do not wait"
            )
        for name in names:
            servers.setdefault(name, []).extend(in_zone)
    for name in hidden:
        servers[name] = list(changes)
    waited: dict[str, WaitedServer] = {}
    for server, addresses in _addresses(connection, list(servers)).items():
        shown = tuple(servers[server])
        for address in addresses:
            earlier = waited.get(address, WaitedServer(server, address, ()))
            both = tuple(dict.fromkeys((*earlier.changes, *shown)))
            waited[address] = WaitedServer(earlier.server, address, both)
        if not addresses:
            waited[server] = WaitedServer(server, None, shown)
    return list(waited.values())


def _by_zone(changes: Sequence[Change]) -> dict[str, list[Change]]:
    by_zone: dict[str, list[Change]] = {}
    for change in changes:
        by_zone.setdefault(change.zone, []).append(change)
    return by_zone


def _addresses(connection: Connection, servers: Sequence[str]) -> dict[str, list[str]]:
    """Give the addresses of each server: itself, or those that the connection knows, or those the host finds."""
    found = {server: [server] if is_ip_address(server) else [] for server in servers}
    names = [server for server in servers if not found[server]]
    questions = [(name, rdtype) for name in names for rdtype in ("A", "AAAA")]
    for (name, rdtype), reply in zip(questions, connection.ask(questions, may_be_foreign=True)):
        found[name] += [record.value for record in reply.answer if record.rdtype == rdtype and record.name == name]
    unknown = [name for name in names if not found[name]]
    if unknown:
        with ThreadPoolExecutor(min(len(unknown), _LOOK_UPS_AT_ONCE)) as pool:
            found.update(zip(unknown, pool.map(_looked_up, unknown)))
    return found


def _looked_up(server: str) -> list[str]:
    try:
        found = socket.getaddrinfo(server, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
