# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What one server has to know about one split domain: the values behind `split_domains`. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of, shown_name
from ansible_collections.mailops.split_domain.plugins.module_utils.model.clients import (
    parse_client,
    read_allow_wide_clients,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import refuse_like_names
from ansible_collections.mailops.split_domain.plugins.module_utils.model.local_transport import parse_local_transport
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import (
    ROLES,
    SLAVE,
    parse_alias_domains,
    parse_catch_all,
    parse_site_name,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import parse_verification_address
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import (
    Relay,
    parse_relay,
    refuse_password,
)


@dataclass(frozen=True)
class Peer:
    """Another site of a domain as this server sees it. ``clients``: the addresses, networks and hosts it sends from.

    ``subdomain``: the mail domain of the site alone that its addresses may be rewritten to.
    """

    site: str
    relay: Relay
    clients: tuple[str, ...]
    verification_address: str | None = None
    subdomain: str | None = None
    managed: bool = False
    """Whether the site is set up by this collection, too, and knows copies of mail by their names."""
    allow_wide_clients: bool = False
    """Whether networks in ``clients`` are meant that are wider than those of one site."""


@dataclass(frozen=True)
class DomainSettings:
    """The split settings of one domain on one server, in canonical form."""

    domain: str
    role: str
    peers: tuple[Peer, ...]
    unknown: str | None = None
    call_ahead: bool = True
    local_transport: str | None = None
    verdict: str | None = field(default=None, compare=False)
    """What was found of the site in ``unknown``; no setting, so that it neither makes a difference nor is kept here."""
    subdomain: str | None = None
    """The mail domain of this server's own site alone, in which its mailboxes have an address each."""
    alias_domains: tuple[str, ...] = ()
    """Other names of the domain, sorted, in which each of its addresses has an address."""
    site: str | None = None
    """The name of this server's own site, where sites get copies of mail."""
    catch_all: str | None = None
    """The mailbox of this server's own site that gets what is for nobody."""

    @property
    def unknown_relay(self) -> Relay | None:
        """The relay that unknown recipients are forwarded to; None when they are refused."""
        return next((peer.relay for peer in self.peers if peer.site == self.unknown), None)

    @property
    def verified_peer(self) -> Peer | None:
        """The peer that has to prove itself before its refusals count; None when it is believed, or never asked."""
        asked = (peer for peer in self.peers if peer.site == self.unknown and self.call_ahead)
        return next((peer for peer in asked if peer.verification_address is not None), None)

    def as_arguments(self) -> dict[str, Any]:
        """Give the settings as one entry of ``split_domains``' option ``domains``."""
        return {
            "domain": self.domain,
            "role": self.role,
            "unknown": self.unknown,
            "call_ahead": self.call_ahead,
            "local_transport": self.local_transport,
            "subdomain": self.subdomain,
            "alias_domains": list(self.alias_domains),
            "site": self.site,
            "catch_all": self.catch_all,
            "peers": [
                {
                    "site": peer.site,
                    **_relay_arguments(peer.relay),
                    "clients": list(peer.clients),
                    "verification_address": peer.verification_address,
                    "subdomain": peer.subdomain,
                    "managed": peer.managed,
                    **({"allow_wide_clients": True} if peer.allow_wide_clients else {}),
                }
                for peer in self.peers
            ],
        }


@dataclass(frozen=True)
class DomainsRequest:
    """What ``split_domains`` is asked for: domains as they shall be, domains that shall go, and whether others go."""

    present: tuple[DomainSettings, ...]
    absent: tuple[str, ...] = ()
    purge: bool = False
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Passwords of relays by their place, ``[host]:port``."""


def servers_of(settings: Iterable[DomainSettings]) -> list[Relay]:
    """Give every server of every relay of these domains once."""
    return list(dict.fromkeys(one for entry in settings for peer in entry.peers for one in peer.relay.servers))


def parse_settings(arguments: Mapping[str, Any]) -> DomainSettings:
    """Read one entry of ``split_domains``' option ``domains``; raises InvalidInput for what cannot be used."""
    domain = canonical_domain(str(arguments["domain"]))
    role = arguments.get("role") or SLAVE
    if role not in ROLES:
        raise InvalidInput(f"{domain} has role {kind_of(role, ROLES)}: use one of {', '.join(ROLES)}")
    peers = tuple(_parse_peer(peer, domain) for peer in arguments.get("peers") or ())
    if not peers:
        raise InvalidInput(f"{domain} has no peers: name at least one other site with its relay")
    sites = [peer.site for peer in peers]
    if len(set(sites)) != len(sites):
        raise InvalidInput(f"{domain} names a peer site twice ({', '.join(sites)}): give each site one entry")
    site = parse_site_name(arguments["site"], domain) if arguments.get("site") else None
    if site is not None:
        refuse_like_names([site, *sites], domain)
    unknown = arguments.get("unknown")
    if unknown is not None and unknown not in sites:
        raise InvalidInput(
            f"{domain} forwards unknown recipients to {shown_name(unknown)}, which is none of its peers: "
            f"name one of {', '.join(sites)}"
        )
    catch_all = parse_catch_all(arguments.get("catch_all"), domain, domain)
    if catch_all is not None and unknown is not None:
        raise InvalidInput(
            f"{domain} has a catch_all and forwards unknown recipients to {unknown}: one of them would get nothing, "
            "remove it"
        )
    call_ahead = arguments.get("call_ahead")
    subdomain = _parse_subdomain(arguments.get("subdomain"))
    alias_domains = parse_alias_domains(arguments.get("alias_domains"), domain)
    _refuse_shared_subdomain(domain, [subdomain, *(peer.subdomain for peer in peers)])
    if subdomain in alias_domains:
        raise InvalidInput(
            f"{domain} has the subdomain {subdomain}, which is an alias domain of {domain}: remove it from one of them"
        )
    return DomainSettings(
        domain=domain,
        role=role,
        peers=tuple(sorted(peers, key=lambda peer: peer.site)),
        unknown=unknown,
        call_ahead=True if call_ahead is None else bool(call_ahead),
        local_transport=parse_local_transport(arguments.get("local_transport"), domain),
        subdomain=subdomain,
        alias_domains=alias_domains,
        catch_all=catch_all,
        site=site,
    )


def _parse_peer(value: Mapping[str, Any], domain: str) -> Peer:
    site = parse_site_name(value.get("site"), domain)
    relay = parse_relay(value.get("relays") or value.get("relay"), f"the relay of the peer {site} of {domain}")
    refuse_password(relay)
    written = value.get("clients") or [server.host for server in relay.servers]
    owner = f"the peer {site} of {domain}"
    clients = {parse_client(client, owner) for client in written}
    verification_address = parse_verification_address(
        value.get("verification_address"), domain, f"the peer {site} of {domain}"
    )
    return Peer(
        site=site,
        relay=relay,
        clients=tuple(sorted(clients)),
        verification_address=verification_address,
        subdomain=_parse_subdomain(value.get("subdomain")),
        managed=bool(value.get("managed")),
        allow_wide_clients=read_allow_wide_clients(value.get("allow_wide_clients"), owner),
    )


def _relay_arguments(relay: Relay) -> dict[str, Any]:
    """Give a relay as the option ``relay`` of a peer, or ``relays`` where it is more than one server."""
    servers = [server.as_arguments() for server in relay.servers]
    return {"relays": servers} if relay.others else {"relay": servers[0]}


def _parse_subdomain(value: Any) -> str | None:
    return canonical_domain(str(value)) if value else None


def _refuse_shared_subdomain(domain: str, subdomains: Sequence[str | None]) -> None:
    named = [name for name in subdomains if name is not None]
    for name in named:
        if name == domain or named.count(name) > 1:
            owner = "the domain itself" if name == domain else "that of two sites"
            raise InvalidInput(
                f"{domain} has the subdomain {name}, which is {owner}: give each site a subdomain of its own"
            )
