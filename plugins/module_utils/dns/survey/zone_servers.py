# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Finding the zones that hold names and the addresses of their authoritative servers, through a resolver. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_within, parents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.fan_out import (
    DnsAnswer,
    FanOut,
    NoReply,
    Query,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.resolving import (
    DnsQuestion,
    Resolver,
    problem_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import Host

_ROOT = "."


@dataclass(frozen=True)
class ZoneServers:
    """One zone and its name servers with their addresses, as the resolver knows them."""

    zone: str
    servers: tuple[Host, ...]


def find_zone_servers(
    resolver: Resolver, fan_out: FanOut, names: Sequence[str], answers: Mapping[DnsQuestion, DnsAnswer]
) -> dict[str, ZoneServers]:
    """Give the zone of each canonical name, and the zone's servers; ``answers`` has those to NS for the names.

    A zone that cannot be looked up is found as its parent's servers delegate it. Names of which nothing is found are
    left out. Raises ResolverUseless.
    """
    known_answers = dict(answers)
    zones = _zones_above(resolver, names, known_answers)
    broken = [name for name in names if problem_of(answers[name, "NS"]) is not None]
    servers = _name_servers(resolver, zones.values(), known_answers)
    found = {name: ZoneServers(zones[name], servers[zones[name]]) for name in zones if name not in broken}
    delegated = _delegations(fan_out, {name: servers[zones[name]] for name in broken if name in zones})
    # Servers below the zone itself have their address in the delegation, and others somewhere else.
    without_glue = {host.name for zone in delegated.values() for host in zone.servers if not host.addresses}
    looked_up = resolver.look_up_hosts(sorted(without_glue))
    for name, zone in delegated.items():
        found[name] = ZoneServers(zone.zone, tuple(looked_up.get(host.name, host) for host in zone.servers))
    return found


def zone_of_reply(name: str, answer: DnsAnswer) -> str | None:
    """Give the zone that an answer to a question for the name servers of a name tells, or None.

    A name with an NS set is a zone. The SOA in the authority section of a negative answer is that of the name's zone
    (RFC 2308 section 2); that of an alias would be the one of its target.
    """
    if isinstance(answer, NoReply) or any(record.rdtype == "CNAME" for record in answer.answer):
        return None
    if any(record.rdtype == "NS" and record.name == name for record in answer.answer):
        return name
    return next((one.name for one in answer.authority if one.rdtype == "SOA" and is_within(name, one.name)), None)


def _zones_above(resolver: Resolver, names: Sequence[str], answers: dict[DnsQuestion, DnsAnswer]) -> dict[str, str]:
    """Give the zone of each name, or the closest zone above of which anything can be had; adds to the answers."""
    zones: dict[str, str] = {}
    left = {name: name for name in names}
    while left:
        above = {}
        for name, at in left.items():
            answer = answers[at, "NS"]
            zone = zone_of_reply(at, answer) if problem_of(answer) is None else None
            if zone is not None:
                zones[name] = zone
            elif at != _ROOT:
                above[name] = parents(at)[1] if "." in at else _ROOT
        answers.update(resolver.ask(sorted({(at, "NS") for at in above.values()} - set(answers))))
        left = above
    return zones


def _name_servers(
    resolver: Resolver, zones: Iterable[str], answers: dict[DnsQuestion, DnsAnswer]
) -> dict[str, tuple[Host, ...]]:
    distinct = sorted(set(zones))
    answers.update(resolver.ask([(zone, "NS") for zone in distinct if (zone, "NS") not in answers]))
    named = {zone: _targets(zone, answers[zone, "NS"]) for zone in distinct}
    hosts = resolver.look_up_hosts(server for servers in named.values() for server in servers)
    return {zone: tuple(hosts[server] for server in servers) for zone, servers in named.items()}


def _targets(zone: str, answer: DnsAnswer) -> list[str]:
    if isinstance(answer, NoReply):
        return []
    records = (*answer.answer, *answer.authority)
    return sorted({record.value for record in records if record.rdtype == "NS" and record.name == zone})


def _delegations(fan_out: FanOut, parents_of: Mapping[str, Sequence[Host]]) -> dict[str, ZoneServers]:
    """Give, for each name, the zone that holds it and the zone's servers, as a server of the parent zone has them."""
    answers = fan_out.ask(
        Query(address, name, "NS") for name, hosts in parents_of.items() for host in hosts for address in host.addresses
    )
    found: dict[str, ZoneServers] = {}
    for query, answer in answers.items():
        if isinstance(answer, NoReply):
            continue
        zone = next((record.name for record in (*answer.authority, *answer.answer) if record.rdtype == "NS"), None)
        if zone is not None and is_within(query.name, zone):
            hosts = (
                Host(server, tuple(sorted(record.value for record in answer.glue if record.name == server)))
                for server in _targets(zone, answer)
            )
            found.setdefault(query.name, ZoneServers(zone, tuple(hosts)))
    return found
