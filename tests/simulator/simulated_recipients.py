# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What an address is on a planned server: whether it is known there, and where a message for it goes. Pure.

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulated_sites import PlannedDomain, PlannedServer

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import Rewriting, RouteDestination


@dataclass(frozen=True)
class Onward:
    """One way on for a message: to a peer under some address, or into a mailbox of the server itself."""

    address: Address
    peer: Peer | None = None
    next_hop: str = ""
    """As the loop guard names it: the peer's relay, or its subdomain."""


@dataclass(frozen=True)
class Recipient:
    """An address on a server. What is not known there has the fallback of its domain as its only way on, or none."""

    entry: PlannedDomain
    known: bool
    ways: tuple[Onward, ...]
    relayed: bool = False
    """Whether the address is in no domain of this server, which takes it from its own users alone."""
    copied_to: frozenset[str] = frozenset()
    """The next hops of sites that are not managed and get copies, wherever these are made."""

    @property
    def fallback(self) -> Peer | None:
        """The peer that mail for an unknown address goes to; None when there is none, or the address is known."""
        return self.ways[0].peer if self.ways and not self.known else None

    def leads_back_to(self, next_hops: Iterable[str]) -> bool:
        """Tell whether a message would go back to the client that stands for these next hops.

        A copy for a site that is managed may go back there, for it is told from other mail by its name.
        """
        back = set(next_hops)
        return not back.isdisjoint(self.copied_to) or any(
            way.next_hop in back and not (way.peer is not None and way.peer.managed and self._is_local)
            for way in self.ways
        )

    @property
    def _is_local(self) -> bool:
        return any(way.peer is None for way in self.ways)


def recipient_at(server: PlannedServer, address: Address) -> Recipient | None:
    """Give what an address is on a server; None where no split domain has to do with it."""
    for entry in server.domains.values():
        settings = entry.settings
        base = Address(settings.domain, address.local_part)
        if address.domain in (settings.domain, *settings.alias_domains):
            return _in_domain(entry, base, address)
        if address.domain == settings.subdomain:
            known = base in entry.routes and entry.routes[base] is None
            return Recipient(entry, known, _ways_of(entry, base, None) if known else (), copied_to=_copied(entry, base))
        if address.domain == copy_domain(entry.site, settings.domain):
            arrives = entry.site in entry.copies.get(base, ()) and entry.routes.get(base) is not None
            return Recipient(entry, arrives, (Onward(base),) if arrives else ())
        for peer in settings.peers:
            if address.domain == copy_domain(peer.site, settings.domain):
                # Servers without the mailbox know the copies that a site which is not managed may send back.
                returns = (
                    not peer.managed and peer.site in entry.copies.get(base, ()) and entry.routes[base] is not None
                )
                way = (_copy(entry, base, peer),) if returns else ()
                return Recipient(entry, known=returns, ways=way)
            if address.domain == peer.subdomain:
                way = Onward(address, peer, peer.subdomain)
                return Recipient(entry, known=True, ways=(way,), relayed=True)
    return None


def _in_domain(entry: PlannedDomain, base: Address, written: Address) -> Recipient:
    if base in entry.routes:
        return Recipient(entry, True, _ways_of(entry, base, entry.routes[base]), copied_to=_copied(entry, base))
    if written in entry.unlisted:
        return Recipient(entry, known=True, ways=(Onward(base),))
    if entry.settings.catch_all is not None:
        caught = Address(base.domain, entry.settings.catch_all.rpartition("@")[0])
        return Recipient(entry, known=True, ways=_ways_of(entry, caught, None))
    fallback = None if entry.settings.unknown is None else entry.peer(entry.settings.unknown)
    ways = () if fallback is None else (Onward(written, fallback, str(fallback.relay)),)
    return Recipient(entry, known=False, ways=ways)


def _ways_of(entry: PlannedDomain, base: Address, destination: RouteDestination) -> tuple[Onward, ...]:
    if destination is None:
        copies = (entry.peer(site) for site in entry.copies.get(base, ()))
        return (Onward(base), *(_copy(entry, base, peer) for peer in copies if peer is not None))
    if isinstance(destination, Rewriting):
        rewritten = Address(destination.subdomain, destination.local_part or base.local_part)
        by_mx = (peer for peer in entry.settings.peers if peer.subdomain == destination.subdomain)
        return tuple(Onward(rewritten, peer, destination.subdomain) for peer in by_mx)
    by_relay = (peer for peer in entry.settings.peers if str(peer.relay) == str(destination))
    return tuple(Onward(base, peer, str(destination)) for peer in by_relay)


def _copied(entry: PlannedDomain, base: Address) -> frozenset[str]:
    copied = (entry.peer(site) for site in entry.copies.get(base, ()))
    return frozenset(str(peer.relay) for peer in copied if peer is not None and not peer.managed)


def _copy(entry: PlannedDomain, base: Address, peer: Peer) -> Onward:
    """Give the copy of a message for a site: under a name of its own, not to sites that are not managed."""
    name = copy_domain(peer.site, base.domain) if peer.managed else base.domain
    return Onward(Address(name, base.local_part), peer, str(peer.relay))
