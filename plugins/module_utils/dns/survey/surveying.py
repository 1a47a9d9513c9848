# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Asking every authoritative server of many names for their MX sets, all at once. Private to this collection.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_ip_address, is_within, parents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.fan_out import (
    DnsAnswer,
    FanOut,
    NoReply,
    Query,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.reading import ANSWERED, answered_set
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.resolving import (
    DnsQuestion,
    Resolver,
    problem_of,
    resolved_set,
    time_left,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.wire import DnsReply
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.survey.zone_servers import (
    ZoneServers,
    find_zone_servers,
    zone_of_reply,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import Host, MailExchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.survey import (
    NOT_AUTHORITATIVE,
    RCODE,
    SERVER_NOT_ASKED,
    SILENT,
    WITHOUT_ADDRESS,
    MxSurvey,
    ServerAnswer,
    newest,
)


@dataclass(frozen=True)
class _Found:
    """What the servers and the resolver say of one name, before the addresses of its exchanges are known."""

    name: str
    zone: str | None
    servers: tuple[ServerAnswer, ...]
    resolved: MailExchangers
    held: MailExchangers
    wildcard: str | None = None

    def hosts(self) -> set[str]:
        """Give the hosts whose addresses are needed."""
        sets = [self.held.mx, self.resolved.mx, *(answer.mx for answer in self.servers if answer.problem is None)]
        hosts = {record.exchange for mx_set in sets for record in mx_set.records if not record.is_null}
        return hosts if all(mx_set.records for mx_set in sets) else hosts | {self.name}


def survey(resolver: Resolver, fan_out: FanOut, names: Sequence[str], servers: Sequence[str]) -> dict[str, MxSurvey]:
    """Give what is found of each canonical name.

    The servers asked are those of the NS set of the zone that holds the name, at all their addresses, or ``servers``
    (names or addresses) when there are any. Raises ResolverUseless.
    """
    answers = resolver.ask([(name, rdtype) for name in names for rdtype in ("MX", "NS")])
    if servers:
        zones = _zones_on(resolver, fan_out, names, servers)
    else:
        zones = find_zone_servers(resolver, fan_out, names, answers)
    found = _ask_servers(fan_out, names, zones, answers)
    found = _with_wildcards(fan_out, found)
    hosts = resolver.look_up_hosts(sorted({host for one in found for host in one.hosts()}))
    return {one.name: _completed(one, hosts) for one in found}


def _zones_on(
    resolver: Resolver, fan_out: FanOut, names: Sequence[str], servers: Sequence[str]
) -> dict[str, ZoneServers]:
    """Give the zone of each name as the given servers have it; a name that none has stands for its own zone."""
    looked_up = resolver.look_up_hosts(server for server in servers if not is_ip_address(server))
    hosts = tuple(looked_up.get(server) or Host(server, (server,)) for server in servers)
    answers = fan_out.ask(Query(address, name, "NS") for name in names for host in hosts for address in host.addresses)
    zones: dict[str, str] = {}
    for query, answer in answers.items():
        zone = zone_of_reply(query.name, answer)
        if zone is not None:
            zones.setdefault(query.name, zone)
    return {name: ZoneServers(zones.get(name, name), hosts) for name in names}


def _ask_servers(
    fan_out: FanOut, names: Sequence[str], zones: Mapping[str, ZoneServers], resolved: Mapping[DnsQuestion, DnsAnswer]
) -> list[_Found]:
    questions: list[Query] = []
    for name, zone in zones.items():
        for host in zone.servers:
            for address in host.addresses:
                questions += (Query(address, zone.zone, "SOA"), Query(address, name, "MX"))
    answers = fan_out.ask(questions)
    found = []
    for name in names:
        at = zones.get(name)
        servers = tuple(_server_answers(name, at, answers)) if at else ()
        by_resolver = _resolved(name, resolved[name, "MX"])
        found.append(_Found(name, at.zone if at else None, servers, by_resolver, _held(by_resolver, servers)))
    return found


def _server_answers(name: str, at: ZoneServers, answers: Mapping[Query, DnsAnswer]) -> Iterable[ServerAnswer]:
    for host in at.servers:
        if not host.addresses:
            detail = host.problem or ("it has no address" if host.exists else "it does not exist")
            yield ServerAnswer(host.name, None, problem=WITHOUT_ADDRESS, detail=detail)
        for address in host.addresses:
            answer = answers[Query(address, name, "MX")]
            serial = _serial(at.zone, answers[Query(address, at.zone, "SOA")])
            yield replace(_server_answer(host.name, address, name, answer), serial=serial)


def _server_answer(server: str, address: str, name: str, answer: DnsAnswer) -> ServerAnswer:
    if isinstance(answer, NoReply):
        return ServerAnswer(
            server, address, problem=SILENT if answer.was_asked else SERVER_NOT_ASKED, detail=answer.reason
        )
    if answer.rcode not in ANSWERED:
        return ServerAnswer(server, address, problem=RCODE, detail=answer.rcode)
    if not answer.is_authoritative:
        return ServerAnswer(server, address, problem=NOT_AUTHORITATIVE)
    alias_of = next(
        (record.value for record in answer.answer if record.rdtype == "CNAME" and record.name == name), None
    )
    # With an alias the rcode speaks of its target (RFC 6604).
    exists = answer.rcode != "NXDOMAIN" or alias_of is not None
    return ServerAnswer(server, address, answered_set(name, answer), exists=exists, alias_of=alias_of)


def _serial(zone: str, answer: DnsAnswer) -> int | None:
    if isinstance(answer, NoReply) or not answer.is_authoritative:
        return None
    return next((one.serial for one in answer.answer if one.rdtype == "SOA" and one.name == zone), None)


def _resolved(name: str, answer: DnsAnswer) -> MailExchangers:
    problem = problem_of(answer)
    if problem is not None or not isinstance(answer, DnsReply):
        return MailExchangers(name, problem=problem)
    found = resolved_set(name, answer)
    return MailExchangers(name, found, exists=answer.rcode != "NXDOMAIN", ttl_left=time_left(answer, found))


def _held(resolved: MailExchangers, servers: Sequence[ServerAnswer]) -> MailExchangers:
    """Give the set that holds; of an alias that is its target's, which the resolver has followed."""
    current = newest([answer for answer in servers if answer.problem is None])
    if current is None or current.alias_of is not None:
        return resolved
    return MailExchangers(resolved.domain, current.mx, exists=current.exists, ttl_left=resolved.ttl_left)


def _with_wildcards(fan_out: FanOut, found: Sequence[_Found]) -> list[_Found]:
    """Tell of each name the wildcard above it in its zone that has the same set (RFC 4592), as its servers have it."""
    queries: dict[str, list[Query]] = {}
    for one in found:
        address = next((answer.address for answer in one.servers if answer.problem is None), None)
        if address is None or one.zone is None or not one.held.mx.records or one.name.startswith("*."):
            continue
        above = [name for name in parents(one.name)[1:] if is_within(name, one.zone)]
        queries[one.name] = [Query(address, f"*.{name}", "MX") for name in above]
    answers = fan_out.ask(query for of_name in queries.values() for query in of_name)
    return [replace(one, wildcard=_same_set(one.held.mx, queries.get(one.name, ()), answers)) for one in found]


def _same_set(mx_set: MxSet, queries: Iterable[Query], answers: Mapping[Query, DnsAnswer]) -> str | None:
    for query in queries:
        answer = answers[query]
        if isinstance(answer, DnsReply) and answered_set(query.name, answer) == mx_set:
            return query.name
    return None


def _completed(found: _Found, hosts: Mapping[str, Host]) -> MxSurvey:
    needed = {name: hosts[name] for name in sorted(found.hosts())}
    return MxSurvey(
        found.name,
        found.zone,
        found.servers,
        replace(found.resolved, hosts=needed),
        replace(found.held, hosts=needed),
        found.wildcard,
    )
