# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Waiting until every authoritative server of a zone gives the new MX sets. Private to this collection.

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.connection import Connection
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.failures import DnsFailure, ServersDisagree
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.reading import ANSWERED, answered_set
from ansible_collections.mailops.split_domain.plugins.module_utils.mx import MxSet

PORT = 53
# Seconds between two rounds of questions: short at first, because most secondaries follow at once (RFC 1996).
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


def wait_for_agreement(
    connection: Connection, changes: Sequence[Change], wait_timeout: float, ask_timeout: float, port: int = PORT
) -> None:
    """Return when every server in the NS set of each zone gives the sets as they are to be.

    The NS sets and, where it knows them, the servers' addresses are asked of ``connection``; other addresses are
    looked up as the host does. The servers are asked on ``port`` over TCP, unsigned, as any resolver asks. Times are
    in seconds. Raises ServersDisagree, which names each server that is behind and what it said last.
    """
    deadline = time.monotonic() + wait_timeout
    pending = _authoritative_servers(connection, changes)
    expected = _expected_sets(connection, changes)
    pause = _FIRST_PAUSE
    while True:
        behind: dict[tuple[str, str], str] = {}
        for (server, address), of_server in pending.items():
            left = max(0.1, min(ask_timeout, deadline - time.monotonic()))
            complaint = _complaint(address, port, {change.name: expected[change.name] for change in of_server}, left)
            if complaint is not None:
                behind[server, address] = complaint
        if not behind:
            return
        if time.monotonic() + pause > deadline:
            told = "; ".join(f"{server} ({address}) {complaint}" for (server, address), complaint in behind.items())
            raise ServersDisagree(
                f"after {wait_timeout:g} s not every authoritative server gives the new MX sets, which are written on "
                f"{connection.party}: {told}: check zone transfers and NOTIFY to them, then run the task again"
            )
        pending = {key: pending[key] for key in behind}
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)


def _expected_sets(connection: Connection, changes: Sequence[Change]) -> dict[str, MxSet]:
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


def _authoritative_servers(connection: Connection, changes: Sequence[Change]) -> dict[tuple[str, str], list[Change]]:
    """Give, for each server name and address in the NS sets, the changes it must show."""
    by_zone: dict[str, list[Change]] = {}
    for change in changes:
        by_zone.setdefault(change.zone, []).append(change)
    servers: dict[str, list[Change]] = {}
    for (zone, in_zone), reply in zip(by_zone.items(), connection.ask([(zone, "NS") for zone in by_zone])):
        names = [record.value for record in reply.answer if record.rdtype == "NS"]
        if reply.rcode not in ANSWERED or not names:
            raise ServersDisagree(
                f"{connection.party} does not tell the name servers of {zone} ({reply.rcode}), so nobody can tell "
                "whether they give the new MX sets, which are written: let it answer queries for the zone, "
                "or do not wait"
            )
        for name in names:
            servers.setdefault(name, []).extend(in_zone)
    known = _addresses_known_to(connection, list(servers))
    return {
        (server, address): of_server
        for server, of_server in servers.items()
        for address in known[server] or _looked_up(server)
    }


def _addresses_known_to(connection: Connection, servers: Sequence[str]) -> dict[str, list[str]]:
    questions = [(server, kind) for server in servers for kind in ("A", "AAAA")]
    known: dict[str, list[str]] = {server: [] for server in servers}
    for (server, kind), reply in zip(questions, connection.ask(questions)):
        known[server] += [record.value for record in reply.answer if record.rdtype == kind]
    return known


def _looked_up(server: str) -> list[str]:
    try:
        found = socket.getaddrinfo(server, PORT, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ServersDisagree(
            f"the authoritative server {server} has no address that can be looked up from here ({error.strerror}), so "
            "nobody can tell whether it gives the new MX sets: correct the NS set of the zone, or do not wait"
        ) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _complaint(address: str, port: int, expected: Mapping[str, MxSet], timeout: float) -> str | None:
    """Give what is wrong with a server's answers in one clause, or None when they are as wanted."""
    with Connection(address, port, timeout=timeout) as server:
        try:
            replies = server.ask([(name, "MX") for name in expected])
        except DnsFailure as error:
            return f"cannot be asked: {error}"
    for (name, wanted), reply in zip(expected.items(), replies):
        if reply.rcode not in ANSWERED:
            return f"answered {reply.rcode} for {name}"
        if not reply.is_authoritative:
            return f"is not authoritative for {name}"
        shown = answered_set(name, reply)
        if shown != wanted:
            records = ", ".join(str(record) for record in shown.records) or "no MX record"
            return f"gives for {name}: {records} (TTL {shown.ttl})"
    return None
