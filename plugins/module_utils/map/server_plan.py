# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# From the split map to the settings and routes of one server. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import MappedDomain
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import Site, SubDomain, peers_of
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import Rewriting, RouteDestination
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord


@dataclass(frozen=True)
class DomainRoutes:
    """The routes of one domain on one server: its directories, and what each site means from here."""

    domain: str
    own_site: str
    source: tuple[Any, ...]
    own_source: tuple[Any, ...]
    destination_of_site: Mapping[str, RouteDestination]
    """The relay or subdomain of every site of the domain; None for the server's own, whose addresses are local."""
    local_transport: str | None = None
    subdomain: str | None = None
    """The subdomain of the server's own site."""
    unmanaged_sites: tuple[str, ...] = ()
    """Sites that may send copies back to any server."""
    catch_all: bool = False
    """Whether the site has a catch-all, from which routes have to be kept."""
    alias_domains: tuple[str, ...] = ()

    @property
    def rewrites(self) -> bool:
        """Tell whether some site is reached by rewriting."""
        return any(isinstance(destination, Rewriting) for destination in self.destination_of_site.values())


@dataclass(frozen=True)
class ServerPlan:
    """All that one server is told: domains that are split, their routes, and domains that are no longer split."""

    host: str
    settings: tuple[DomainSettings, ...] = ()
    routes: tuple[DomainRoutes, ...] = ()
    absent: tuple[str, ...] = ()


def plan_server(
    mapped_domains: Iterable[MappedDomain], host: str, role: str | None = None, rewriting: bool = True
) -> ServerPlan:
    """Compile the plan of the server ``host`` (an inventory name), for the domains in which it has ``role``.

    ``role`` None takes both roles. A host that is in no site gets an empty plan. Without ``rewriting`` mail goes to the
    relays of sites that have a subdomain, too, as it may until that subdomain takes mail.
    """
    settings: list[DomainSettings] = []
    routes: list[DomainRoutes] = []
    absent: list[str] = []
    for mapped in mapped_domains:
        site = mapped.split_domain.site_of_host(host)
        if site is None or role not in (None, site.role):
            continue
        if not mapped.present:
            absent.append(mapped.split_domain.domain)
            continue
        settings.append(_settings(mapped, site))
        routes.append(_routes(mapped, site, rewriting))
    return ServerPlan(host, tuple(settings), tuple(routes), tuple(absent))


def roles_of_host(mapped_domains: Iterable[MappedDomain], host: str) -> tuple[str, ...]:
    """Give the roles that a server has over all domains, sorted; () for a server of no site."""
    sites = (mapped.split_domain.site_of_host(host) for mapped in mapped_domains)
    return tuple(sorted({site.role for site in sites if site is not None}))


def left_out_servers(mapped_domains: Iterable[MappedDomain], host: str, taking_part: Iterable[str]) -> tuple[str, ...]:
    """Give the servers that share a domain with ``host`` and are not among those ``taking_part`` in a run, sorted."""
    partners = {
        partner
        for mapped in mapped_domains
        if mapped.split_domain.site_of_host(host) is not None
        for site in mapped.split_domain.sites
        for partner in site.hosts
    }
    return tuple(sorted(partners - set(taking_part)))


def mx_record_sets(mapped_domains: Iterable[MappedDomain], of: str = "all") -> list[dict[str, Any]]:
    """Give the ``record_sets`` of the module ``mx_records`` for every domain and subdomain of the map with an MX set.

    ``of`` limits them to ``domains``, the alias domains of each with its set, or ``subdomains``. The TTL of a domain is
    that of its subdomains, too. A domain that is no longer split keeps its MX records: they belong to its mail, not to
    the split.
    """
    record_sets: list[dict[str, Any]] = []
    for mapped in mapped_domains:
        if not mapped.present:
            continue
        subdomains = (site.subdomain for site in mapped.split_domain.sites if site.subdomain is not None)
        names = (mapped.split_domain.domain, *mapped.alias_domains)
        wanted = [
            *((name, mapped.mx) for name in names if of != "subdomains"),
            *((one.name, one.mx) for one in subdomains if of != "domains"),
        ]
        record_sets += [_record_set(name, mx, mapped.mx_ttl) for name, mx in wanted if mx is not None]
    return record_sets


def foreign_subdomains(mapped_domains: Iterable[MappedDomain], publishing: bool) -> list[str]:
    """Give the subdomains whose MX sets are not published from the map, which is done when ``publishing``."""
    return [
        site.subdomain.name
        for mapped in mapped_domains
        if mapped.present
        for site in mapped.split_domain.sites
        if site.subdomain is not None and not (publishing and site.subdomain.mx is not None)
    ]


def _record_set(name: str, mx: Iterable[MxRecord], ttl: int | None) -> dict[str, Any]:
    records = [{"preference": record.preference, "exchange": record.exchange} for record in mx]
    return {"name": name, "mx": records} if ttl is None else {"name": name, "mx": records, "ttl": ttl}


def _settings(mapped: MappedDomain, site: Site) -> DomainSettings:
    peers = (
        Peer(
            site=other.name,
            relay=other.relay,
            clients=tuple(
                sorted(set(other.clients or (*(server.host for server in other.relay.servers), *other.hosts)))
            ),
            verification_address=other.verification_address,
            subdomain=_name(other.subdomain),
            managed=bool(other.hosts),
            allow_wide_clients=other.allow_wide_clients,
        )
        for other in peers_of(mapped.split_domain, site)
    )
    return DomainSettings(
        domain=mapped.split_domain.domain,
        role=site.role,
        peers=tuple(sorted(peers, key=lambda peer: peer.site)),
        unknown=site.unknown,
        call_ahead=site.name not in mapped.call_ahead_off,
        local_transport=site.local_transport,
        subdomain=_name(site.subdomain),
        catch_all=site.catch_all,
        alias_domains=mapped.alias_domains,
    )


def _routes(mapped: MappedDomain, site: Site, rewriting: bool) -> DomainRoutes:
    return DomainRoutes(
        domain=mapped.split_domain.domain,
        own_site=site.name,
        source=mapped.directory,
        own_source=tuple(mapped.site_directories.get(site.name, ())),
        destination_of_site={
            site.name: None,
            **{other.name: _destination(other, rewriting) for other in peers_of(mapped.split_domain, site)},
        },
        local_transport=site.local_transport,
        subdomain=_name(site.subdomain),
        unmanaged_sites=tuple(other.name for other in mapped.split_domain.sites if not other.hosts),
        catch_all=site.catch_all is not None,
        alias_domains=mapped.alias_domains,
    )


def _destination(site: Site, rewriting: bool) -> RouteDestination:
    return Rewriting(site.subdomain.name) if rewriting and site.subdomain is not None else site.relay


def _name(subdomain: SubDomain | None) -> str | None:
    return None if subdomain is None else subdomain.name
