# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is set up on a mail server, as it is written down there: split domains and routing modes. Private.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import (
    DomainSettings,
    parse_settings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.mode_settings import RoutingSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import LAID_OVER
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import LOCAL_MODE


@dataclass(frozen=True)
class ServerState:
    """What is set up on a server: split domains, and domains with a routing mode. No domain is in both."""

    domains: Mapping[str, DomainSettings] = field(default_factory=dict)
    modes: Mapping[str, RoutingSettings] = field(default_factory=dict)
    laid_over: Mapping[str, str] = field(default_factory=dict)
    """The split domains that the server's own settings have already, each with the list that has it."""

    @property
    def names(self) -> frozenset[str]:
        """All domains of the state, with their other names and the subdomains that this server's own sites have."""
        own = {name for entry in self.domains.values() for name in (entry.subdomain, *entry.alias_domains) if name}
        return frozenset({*self.domains, *self.modes, *own})

    @property
    def copies(self) -> frozenset[str]:
        """The domains in which copies come to this server's own sites."""
        return frozenset(copy_domain(one.site, one.domain) for one in self.domains.values() if one.site is not None)

    @property
    def rewritten_to(self) -> frozenset[str]:
        """The subdomains of other sites, to which addresses may be rewritten, and the names of copies."""
        found = {peer.subdomain for entry in self.domains.values() for peer in entry.peers}
        copies = {
            copy_domain(site, entry.domain)
            for entry in self.domains.values()
            if entry.site is not None
            for site in (entry.site, *(peer.site for peer in entry.peers))
        }
        return frozenset(name for name in found if name is not None) | copies

    def refuse_double_use(self) -> None:
        """Raise ServerStateError where one name stands for two domains, or mail for another site's would stay here."""
        use_of = dict.fromkeys(self.domains, "split on this server itself")
        use_of.update((name, "a domain with a routing mode here") for name in self.modes)
        for domain, entry in sorted(self.domains.items()):
            own = [(name, "alias domain") for name in entry.alias_domains]
            own += [(entry.subdomain, "subdomain")] if entry.subdomain is not None else []
            for name, use in own:
                earlier = use_of.setdefault(name, f"the {use} of {domain} on this server")
                if earlier != f"the {use} of {domain} on this server":
                    raise ServerStateError(
                        f"{domain} has the {use} {name}, which is {earlier}: a name stands for one domain, give it the "
                        f"state absent there first, or remove it here"
                    )
        for domain, entry in sorted(self.domains.items()):
            for peer in entry.peers:
                mode = self.modes.get(peer.subdomain or "")
                if peer.subdomain in use_of and (mode is None or mode.effective == LOCAL_MODE):
                    raise ServerStateError(
                        f"the site {peer.site} of {domain} has the subdomain {peer.subdomain}, which is "
                        f"{use_of[peer.subdomain]}, so that mail rewritten to it would stay here: remove it there, or "
                        f"give the site another subdomain"
                    )

    def joined(self, later: ServerState) -> ServerState:
        """Give the state while a server goes from this one to ``later``: nothing is forgotten before it is gone."""
        modes = {name: entry for name, entry in {**self.modes, **later.modes}.items() if name not in later.domains}
        domains = {name: entry for name, entry in {**self.domains, **later.domains}.items() if name not in later.modes}
        earlier = {name: place for name, place in self.laid_over.items() if name not in later.domains}
        return ServerState(domains, modes, {**earlier, **later.laid_over})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ServerState:
        """Read what ``as_json`` gave."""
        return cls(
            {entry.domain: entry for entry in map(parse_settings, data["domains"])},
            {entry.domain: entry for entry in map(RoutingSettings.from_json, data.get("modes", ()))},
            data.get(LAID_OVER, {}),
        )

    def as_json(self) -> dict[str, Any]:
        """Give the state as it is written down on the server."""
        modes = [entry.as_json() for _name, entry in sorted(self.modes.items())]
        return {
            "domains": [entry.as_arguments() for _name, entry in sorted(self.domains.items())],
            **({"modes": modes} if modes else {}),
            **({LAID_OVER: dict(sorted(self.laid_over.items()))} if self.laid_over else {}),
        }
