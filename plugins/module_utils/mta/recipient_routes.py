# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module recipient_routes: arguments to request, request to outcome. Private.

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.model.local_transport import parse_local_transport
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import (
    LOCAL_ROUTE,
    RoutesRequest,
    RoutesText,
    copies_in,
    parse_routes,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import parse_alias_domains
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import POSTFIX, chosen_mta
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan, carry_out
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes_server import PostfixRoutesServer


class RoutesServer(Protocol):
    """What a mail server offers for per-address routes."""

    def locked(self, patience: float) -> AbstractContextManager[None]:
        """Keep other runs away from the server's configuration between plan and apply, waiting for so many seconds."""

    def plan_routes(self, request: RoutesRequest) -> Plan:
        """Plan the per-address routes of one domain, and write nothing."""


_SERVERS: dict[str, Callable[[str], RoutesServer]] = {POSTFIX: PostfixRoutesServer}


def set_routes(arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring the routes of a domain to what the module's arguments say."""
    request = parse_routes_request(arguments)
    server = _SERVERS[chosen_mta(arguments["mta"])](arguments["config_directory"])
    lock = server.locked(arguments["lock_timeout"])
    missing = {"domain": request.text.domain}
    return carry_out(lock, lambda: server.plan_routes(request), check_mode, if_missing=missing)


def parse_routes_request(arguments: dict[str, Any]) -> RoutesRequest:
    """Read the module's arguments; raises InvalidInput for what cannot be used."""
    domain = canonical_domain(arguments["domain"])
    state = arguments["state"]
    if arguments["content"]:
        text = RoutesText.unpack(arguments["content"])
        if text.domain != domain:
            raise InvalidInput(f"the option 'content' is of {text.domain}, the task of {domain}: leave 'content' out")
    elif arguments["src"] is not None:
        # Not an empty directory: with state exact that would remove every route.
        raise InvalidInput(f"the option src of {domain} names no file that was read on the controller: name one there")
    else:
        entries = arguments["routes"] or []
        # A server may have no mailbox of its own, which is no mistake of whoever lists the users.
        if not entries and state != "exact" and not arguments["only_local"]:
            raise InvalidInput(f"the routes of {domain} are empty: list addresses, or give state exact to remove all")
        if state == "absent":
            entries = [{"address": entry.get("address"), "to": LOCAL_ROUTE} for entry in entries]
        text = RoutesText.of(domain, parse_routes(entries, domain), copies_in(entries, domain))
    if arguments["only_local"] and state != "present":
        raise InvalidInput(f"the routes of {domain} have only_local with state {state}: it goes with present only")
    transport = arguments["local_transport"]
    transport = transport and parse_local_transport(transport, f"the routes of {domain}")
    subdomain = canonical_domain(arguments["subdomain"]) if arguments["subdomain"] else None
    aliases = arguments["alias_domains"]
    return RoutesRequest(
        text,
        state,
        transport,
        only_local=arguments["only_local"],
        subdomain=subdomain,
        catch_all=bool(arguments["catch_all"]),
        alias_domains=None if aliases is None else parse_alias_domains(aliases, domain),
    )
