# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Reading MX sets from an authoritative server, and what stands in the way. Private to this collection.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_within, parents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.connection import DnsConnection
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    ZoneMismatch,
    alias_as_exchange,
    query_refused,
    update_refused,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import dns
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.wire import DnsReply
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet, Reading, as_found

# The rcodes of replies that say what there is and what there is not.
ANSWERED = ("NOERROR", "NXDOMAIN")


@dataclass(frozen=True)
class _Answer:
    """One reply, reduced to what matters here."""

    current: MxSet
    alias_of: str | None
    zone: str | None


def read_sets(connection: DnsConnection, names: Mapping[str, str | None]) -> dict[str, Reading]:
    """Give what the server holds for each name; the values of ``names`` are the zones the user gave, or None.

    All questions of one kind are pipelined. Raises ServerRefused for every rcode but NOERROR and NXDOMAIN, and
    ZoneMismatch where the server is not authoritative for a name or the name is in another zone than the one given.
    """
    wanted = list(names)
    replies = connection.ask([(name, "MX") for name in wanted])
    answers = {name: _read_answer(connection, name, names[name], reply) for name, reply in zip(wanted, replies)}
    zones = {name: answer.zone for name, answer in answers.items() if answer.zone is not None}
    zones.update(_zones_by_soa(connection, [name for name in wanted if name not in zones], answers))
    readings = {}
    for name in wanted:
        given = names[name]
        if given is not None and given != zones[name]:
            raise ZoneMismatch(
                f"{connection.party} has {name} in the zone {zones[name]}, not in {given}: correct the zone or omit it"
            )
        readings[name] = Reading(name, zones[name], answers[name].current, answers[name].alias_of)
    readings.update(_without_wildcards(connection, readings))
    return readings


def addresses_of_exchanges(connection: DnsConnection, exchanges: Iterable[str]) -> dict[str, tuple[str, ...] | None]:
    """Give the addresses of those exchanges, sorted by name, for which the server is authoritative; None for others.

    Raises AliasInTheWay for an exchange that the server knows to be an alias (RFC 2181 section 10.3). Only the named
    server is asked, and not recursively: what it does not know by itself is not objected to.
    """
    hosts = sorted(set(exchanges))
    replies = connection.ask([(host, rdtype) for host in hosts for rdtype in ("A", "AAAA")], may_be_foreign=True)
    known: dict[str, tuple[str, ...] | None] = {}
    for host, ipv4, ipv6 in zip(hosts, replies[::2], replies[1::2]):
        target = _alias_target(host, ipv4) or _alias_target(host, ipv6)
        if target is not None:
            raise alias_as_exchange(host, target)
        held = [
            record.value
            for reply, rdtype in ((ipv4, "A"), (ipv6, "AAAA"))
            for record in reply.answer
            if record.rdtype == rdtype
        ]
        known[host] = tuple(held) if ipv4.is_authoritative and ipv6.is_authoritative else None
    return known


def _read_answer(connection: DnsConnection, name: str, zone: str | None, reply: DnsReply) -> _Answer:
    if reply.rcode not in ANSWERED:
        place = f"{name} (zone {zone})" if zone else name
        raise query_refused(connection.party, place, reply.rcode)
    if not reply.is_authoritative:
        delegation = next((record.name for record in reply.authority if record.rdtype == "NS"), None)
        known = f"it refers to the servers of {delegation}" if delegation else "it gave no authoritative answer"
        raise ZoneMismatch(
            f"{connection.party} is not authoritative for {name}, {known}: "
            "name the primary server of the zone that holds this name"
        )
    zone_by_authority = next((record.name for record in reply.authority if record.rdtype in ("SOA", "NS")), None)
    alias_of = _alias_target(name, reply)
    if alias_of is not None:
        # The authority section may then speak of the target's zone.
        return _Answer(MxSet(), alias_of, None)
    return _Answer(answered_set(name, reply), None, zone_by_authority)


def answered_set(name: str, reply: DnsReply) -> MxSet:
    """Give the MX set that a reply holds for a canonical name, empty where it holds none.

    Where the TTLs differ, as in a database they may, the lowest counts (RFC 2181 section 5.2).
    """
    found = [record for record in reply.answer if record.rdtype == "MX" and record.name == name]
    lowest = min((record.ttl for record in found), default=None)
    return MxSet.of([as_found(record.preference, record.value) for record in found], lowest)


def _alias_target(name: str, reply: DnsReply) -> str | None:
    return next((record.value for record in reply.answer if record.rdtype == "CNAME" and record.name == name), None)


def _zones_by_soa(connection: DnsConnection, names: Sequence[str], answers: Mapping[str, _Answer]) -> dict[str, str]:
    """Find zones by SOA (RFC 2308 section 2: a negative answer carries the SOA of its zone, too)."""
    # An alias answers every question with its target; it is never an apex, so its parent is in the same zone.
    asked = {name: parents(name)[1] if answers[name].alias_of and "." in name else name for name in names}
    distinct = sorted(set(asked.values()))
    found = {}
    for name, reply in zip(distinct, connection.ask([(name, "SOA") for name in distinct])):
        if reply.rcode not in ANSWERED:
            raise query_refused(connection.party, name, reply.rcode)
        for record in [*reply.answer, *reply.authority]:
            if record.rdtype == "SOA" and is_within(name, record.name):
                found[name] = record.name
                break
        else:
            raise ZoneMismatch(
                f"{connection.party} names no zone for {name}: give the zone, or name the zone's primary server"
            )
    return {name: found[asked[name]] for name in names}


def _without_wildcards(connection: DnsConnection, readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """Give anew the readings of names that only seem to have a set, because a wildcard above them has it.

    A server does not tell which of its answers a wildcard made (RFC 4592), so where a name has the same set as a
    wildcard that may cover it, an update that requires the name's own set to be missing and changes nothing tells.
    """
    coverers: dict[str, list[str]] = {}
    for name, reading in readings.items():
        if not reading.current.records or name.startswith("*."):
            continue
        for above in parents(name)[1:]:
            if is_within(above, reading.zone):
                coverers.setdefault("*." + above, []).append(name)
    wildcards = sorted(coverers)
    doubtful: dict[str, None] = {}
    for wildcard, reply in zip(wildcards, connection.ask([(wildcard, "MX") for wildcard in wildcards])):
        covered = answered_set(wildcard, reply)
        if covered.records:
            doubtful.update(dict.fromkeys(name for name in coverers[wildcard] if readings[name].current == covered))
    if not doubtful:
        return {}
    probes = []
    for name in doubtful:
        probe = dns.update.UpdateMessage(dns.name.from_text(readings[name].zone))
        probe.absent(dns.name.from_text(name), dns.rdatatype.MX)
        probes.append(probe)
    replies = connection.rehearse(probes)
    corrected = {}
    for name, reply in zip(doubtful, replies):
        if reply.rcode == "NOERROR":
            corrected[name] = replace(readings[name], current=MxSet())
        elif reply.rcode != "YXRRSET":
            raise update_refused(connection.party, readings[name].zone, reply.rcode)
    return corrected
