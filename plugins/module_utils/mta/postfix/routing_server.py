# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A Postfix server with routing modes: reading what stands there and planning what shall. Private.

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.model.mode_settings import (
    AUTO_MODE,
    RoutingRequest,
    RoutingSettings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.host_addresses import is_own_address
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.modes import PROXIES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    DEFAULT_CONFIG_DIRECTORY,
    expanded,
    is_running,
    read_server,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.configuration import Configurator
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.server_state import ServerState
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import (
    MailExchangers,
    canonical_address,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import (
    BACKUP_MODE,
    LOCAL_MODE,
    UNRESOLVABLE,
    RoutingDecision,
    decide_routing,
)


class PostfixRoutingServer:
    """The Postfix instance of one configuration directory, as a server of domains with routing modes."""

    def __init__(self, config_directory: str = DEFAULT_CONFIG_DIRECTORY) -> None:
        """Name the instance; nothing is read yet."""
        self._config_directory = config_directory
        self._configurator = Configurator(config_directory)

    def locked(self, patience: float) -> AbstractContextManager[None]:
        """Keep other runs away from the instance's configuration, waiting for their end for so many seconds."""
        return server_lock(self._config_directory, patience)

    def plan_modes(self, request: RoutingRequest) -> Plan:
        """Plan the routing modes: the tables that they compile to, our part of main.cf, and the reload."""
        state = self._configurator.state()
        before = state.modes
        for entry in request.wanted:
            if entry.domain in state.domains:
                raise ServerStateError(
                    f"{entry.domain} is split on this server (split_domains), which says where its mail goes: "
                    "leave it out of email_routing, or take the split away first"
                )
        server = read_server(self._config_directory)
        # Those that an interface has Postfix knows by itself.
        named = {entry.own_addresses for entry in request.wanted}
        behind = {found: tuple(one for one in found if not is_own_address(one)) for found in named}
        proxies = self._known_proxies()
        exchangers = request.exchangers or {}
        decisions = {
            entry.domain: _decide(exchangers[entry.domain], proxies.union(entry.own_addresses))
            for entry in request.wanted
            if entry.domain in exchangers
        }
        warnings: list[str] = []
        after = {name: old for name, old in before.items() if name not in request.absent}
        for entry in request.wanted:
            effective = entry.mode
            if entry.mode == AUTO_MODE:
                effective = _effective(entry, decisions[entry.domain], before.get(entry.domain), warnings)
            elif entry.mode == BACKUP_MODE and entry.domain in decisions:
                warnings += _doubts(exchangers[entry.domain], decisions[entry.domain])
            after[entry.domain] = replace(entry, effective=effective, own_addresses=behind[entry.own_addresses])
        running = is_running(self._config_directory)
        found = self._configurator.plan(server, state, ServerState(state.domains, after), running)
        return Plan(
            steps=found.steps,
            values={
                "domains": [
                    _reported(name, before.get(name), after.get(name), decisions.get(name))
                    for name in (*(entry.domain for entry in request.wanted), *request.absent)
                ],
                "running": running,
                "server_changed": bool(found.steps),
            },
            diffs=found.diffs,
            warnings=(*warnings, *found.warnings),
        )

    def _known_proxies(self) -> frozenset[str]:
        """Give the addresses behind which Postfix was told that it is."""
        listed = words(expanded(self._config_directory, [PROXIES])[PROXIES])
        return frozenset(canonical_address(word) for word in listed if is_ip_address(word))


def _decide(found: MailExchangers, known: frozenset[str]) -> RoutingDecision:
    named = {canonical_address(address) for host in found.hosts.values() for address in host.addresses}
    own = {address for address in named if is_own_address(address)}
    return decide_routing(found, known | own)


def _effective(
    entry: RoutingSettings, decision: RoutingDecision, earlier: Optional[RoutingSettings], warnings: list[str]
) -> str:
    if decision.mode != UNRESOLVABLE:
        return decision.mode
    kept = earlier.effective if earlier else LOCAL_MODE
    warnings.append(
        f"the routing mode of {entry.domain} cannot be told from the DNS, because {decision.reason}: "
        f"{'it stays' if earlier else 'having had none, it is'} {kept}; run again when the DNS answers"
    )
    return kept


def _doubts(found: MailExchangers, decision: RoutingDecision) -> tuple[str, ...]:
    """Give what the DNS has against a domain whose mail this server shall hold for another."""
    if found.takes_no_mail:
        return (
            f"{found.domain} is backup here, but its null MX says that it takes no mail, so that what is taken here "
            "would be bounced: correct its MX records, or take the mode away",
        )
    if decision.mode == LOCAL_MODE:
        return (
            f"{found.domain} is backup here, but {decision.reason}, so that its mail waits here until the MX records "
            "name another server before this one: correct them, or set another mode",
        )
    return ()


def _reported(
    domain: str,
    before: Optional[RoutingSettings],
    after: Optional[RoutingSettings],
    decision: Optional[RoutingDecision],
) -> dict[str, Any]:
    return {
        "domain": domain,
        "before": _entry(domain, before),
        "after": _entry(domain, after),
        "effective_before": before.effective if before else None,
        "effective": after.effective if after else None,
        "reason": decision.reason if decision and after and after.mode == AUTO_MODE else None,
        "changed": before != after,
    }


def _entry(domain: str, settings: Optional[RoutingSettings]) -> Mapping[str, Any]:
    """Give settings so that they can be asked for again."""
    if settings is None:
        return {"domain": domain, "state": "absent"}
    return {**settings.as_arguments(), "state": "present"}
