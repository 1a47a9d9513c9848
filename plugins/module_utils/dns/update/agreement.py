# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Waiting until every authoritative server gives the new MX sets, and what each of them says. Private.

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.connection import DnsConnection
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    DnsFailure,
    NoWayThere,
    ServersDisagree,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.reading import ANSWERED, answered_set
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.transport import DNS_PORT
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet

# Seconds between two questions to a server: short at first, because most secondaries follow at once (RFC 1996).
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
# The least time that a server gets for an answer, in seconds, however late it is.
_LAST_CHANCE = 0.1
# So many servers are asked at the same time.
_SERVERS_AT_ONCE = 256
# So many names are looked up at the same time.
_LOOK_UPS_AT_ONCE = 32


@dataclass(frozen=True)
class Waiting:
    """For whom and how long to wait; times are in seconds.

    ``hidden`` are servers that no NS set names, by name or address in canonical form. ``ask_timeout`` is the longest
    silence of one server.
    """

    hidden: tuple[str, ...]
    timeout: float
    ask_timeout: float
    port: int = DNS_PORT


@dataclass(frozen=True)
class ServerView:
    """What one server said last, as a clause. ``agrees`` is None where this host has no way to the address."""

    waited: WaitedServer
    agrees: bool | None
    said: str

    def __str__(self) -> str:
        """Give the server and what it said."""
        address = "" if self.waited.address is None else f" ({self.waited.address})"
        return f"{self.waited.server}{address} {self.said}"

    def as_returned(self) -> dict[str, Any]:
        """Give the view as modules return it."""
        return {
            "zones": self.waited.zones,
            "server": self.waited.server,
            "address": self.waited.address,
            "agrees": self.agrees,
            "said": self.said,
        }


def wait_for_agreement(connection: DnsConnection, changes: Sequence[Change], waiting: Waiting) -> list[ServerView]:
    """Give what each server says when all of them give the sets as they are to be.

    The servers are those in the NS set of each zone, at all their addresses, and the hidden ones. All are asked at the
    same time, again and again, over TCP and unsigned. An address that this host has no way to is left out where its
    server has another one. Raises ServersDisagree, which tells what each said.
    """
    deadline = time.monotonic() + waiting.timeout
    servers = waited_servers(connection, changes, waiting.hidden)
    expected = _expected_sets(connection, changes)
    if not servers:
        return []
    has_hope = all(waited.address is not None for waited in servers)
    with ThreadPoolExecutor(min(len(servers), _SERVERS_AT_ONCE)) as pool:
        asked = [
            pool.submit(_last_view, waited, expected, waiting, deadline if has_hope else None) for waited in servers
        ]
        views = _with_dead_ends([view.result() for view in asked])
    behind = [str(view) for view in views if view.agrees is False]
    if behind:
        when = f"after {waiting.timeout:g} s " if has_hope else ""
        raise ServersDisagree(
            f"{when}not every authoritative server gives the new MX sets, which are written on {connection.party}: "
            f"{'; '.join(behind)}: check zone transfers and NOTIFY to them, then run the task again",
            tuple(view.as_returned() for view in views),
        )
    return views


def _expected_sets(connection: DnsConnection, changes: Sequence[Change]) -> dict[str, MxSet]:
    """Give the set of each name as every server is to give it.

    A name that has lost its set may be covered by a wildcard (RFC 4592); then all servers are to give what the one
    that was written to gives.
    """
    expected = {change.name: change.after for change in changes}
    removed = [change.name for change in changes if not change.after.records]
    for name, reply in zip(removed, connection.ask([(name, "MX") for name in removed])):
        if reply.rcode in ANSWERED:
            expected[name] = answered_set(name, reply)
    return expected


def _last_view(
    waited: WaitedServer, expected: Mapping[str, MxSet], waiting: Waiting, deadline: float | None
) -> ServerView:
    """Ask one server until it agrees or time is up, or only once where there is no deadline."""
    wanted = {change.name: expected[change.name] for change in waited.changes}
    if deadline is None:
        return _view(waited, waiting.port, wanted, waiting.ask_timeout)
    pause = _FIRST_PAUSE
    while True:
        patience = max(_LAST_CHANCE, min(waiting.ask_timeout, deadline - time.monotonic()))
        view = _view(waited, waiting.port, wanted, patience)
        left = deadline - time.monotonic()
        if view.agrees is not False or left <= 0:
            return view
        # The last question is asked when time is up, not a long pause before.
        time.sleep(min(pause, left))
        pause = min(_LONGEST_PAUSE, pause * 2)


def _view(waited: WaitedServer, port: int, wanted: Mapping[str, MxSet], timeout: float) -> ServerView:
    """Ask a server once for all names."""
    if waited.address is None:
        return ServerView(waited, False, "has no address that can be looked up from here: correct the name")
    with DnsConnection(waited.address, port, timeout=timeout) as server:
        try:
            replies = server.ask([(name, "MX") for name in wanted])
        except NoWayThere as error:
            return ServerView(waited, None, f"cannot be asked: {error}")
        except DnsFailure as error:
            return ServerView(waited, False, f"cannot be asked: {error}")
    complaints = []
    for (name, mx_set), reply in zip(wanted.items(), replies):
        if reply.rcode not in ANSWERED:
            complaints.append(f"answered {reply.rcode} for {name}")
        elif not reply.is_authoritative:
            complaints.append(f"is not authoritative for {name}")
        elif answered_set(name, reply) != mx_set:
            complaints.append(f"gives for {name}: {answered_set(name, reply)}")
    if not complaints:
        return ServerView(waited, True, "gives every set as it is to be")
    more = f" (and {len(complaints)} of {len(wanted)} names in all are not as they are to be)"
    return ServerView(waited, False, complaints[0] + (more if len(complaints) > 1 else ""))


def _with_dead_ends(views: Sequence[ServerView]) -> list[ServerView]:
    """Take a server to be behind where this host has no way to any of its addresses."""
    reached = {view.waited.server for view in views if view.agrees is not None}
    return [
        view if view.agrees is not None or view.waited.server in reached else replace(view, agrees=False)
        for view in views
    ]


# Which servers are to give the MX sets of a task: those of each zone's NS set, and those named.


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


def waited_servers(connection: DnsConnection, changes: Sequence[Change], hidden: Sequence[str]) -> list[WaitedServer]:
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


def _addresses(connection: DnsConnection, servers: Sequence[str]) -> dict[str, list[str]]:
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
