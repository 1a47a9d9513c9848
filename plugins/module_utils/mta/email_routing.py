# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module email_routing: arguments to request, request to outcome. Private.

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.model.mode_settings import (
    AUTO_MODE,
    RoutingRequest,
    parse_routing,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import POSTFIX, chosen_mta
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan, carry_out
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routing_server import (
    PostfixRoutingServer,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.description import read_exchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import MailExchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import BACKUP_MODE, parse_addresses
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import parse_port


class LookUp(Protocol):
    """Gives what the DNS says of domains, asked of resolvers (by address, and port) or of this host's own."""

    def __call__(
        self, domains: Iterable[str], resolvers: Sequence[str], port: int, is_needed: bool = True
    ) -> Mapping[str, MailExchangers]:
        """Look the domains up; what is not needed may be left out."""


class RoutingServer(Protocol):
    """What a mail server offers for routing modes."""

    def locked(self, patience: float) -> AbstractContextManager[None]:
        """Keep other runs away from the server's configuration between plan and apply, waiting for so many seconds."""

    def plan_modes(self, request: RoutingRequest) -> Plan:
        """Plan the routing modes, and write nothing; raises ServerStateError where they do not fit the server."""


_SERVERS: dict[str, Callable[[str], RoutingServer]] = {POSTFIX: PostfixRoutingServer}


def set_modes(arguments: dict[str, Any], check_mode: bool, look_up: LookUp) -> Outcome:
    """Bring the routing modes of domains on a server to what the module's arguments say."""
    request = parse_routing_request(arguments, look_up)
    server = _SERVERS[chosen_mta(arguments["mta"])](arguments["config_directory"])
    return carry_out(
        server.locked(arguments["lock_timeout"]),
        lambda: server.plan_modes(request),
        check_mode,
        if_missing={
            "domains": [
                {
                    "domain": entry.domain,
                    "before": {"domain": entry.domain, "state": "absent"},
                    "after": {**entry.as_arguments(), "state": "present"},
                    "changed": True,
                }
                for entry in request.wanted
            ],
            "server_changed": True,
        },
    )


def parse_routing_request(arguments: Mapping[str, Any], look_up: LookUp) -> RoutingRequest:
    """Read the module's arguments and, for modes that follow the DNS, the DNS; raises InvalidInput."""
    entries = arguments["domains"] or []
    if not entries:
        raise InvalidInput("the option domains is empty: name at least one domain with its mode")
    own_addresses = parse_addresses(arguments["own_addresses"] or ())
    wanted = tuple(parse_routing(entry, own_addresses) for entry in entries if entry["state"] == "present")
    absent = tuple(canonical_domain(entry["domain"]) for entry in entries if entry["state"] == "absent")
    names = [*(entry.domain for entry in wanted), *absent]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise InvalidInput(f"the option domains names {twice} twice: merge the two entries")
    undecided = [entry.domain for entry in wanted if entry.mode == AUTO_MODE]
    given = {found.domain: found for found in map(read_exchangers, arguments["mx_sets"] or ())}
    missing = [name for name in undecided if name not in given]
    if arguments["mx_sets"] and missing:
        raise InvalidInput(
            f"the option mx_sets says nothing of {missing[0]}, whose mode is auto: ask mx_info for this name, too, or "
            "leave mx_sets out"
        )
    resolvers = arguments["resolver"] or ()
    parse_addresses(resolvers)
    port = parse_port(arguments["resolver_port"], "the option resolver_port")
    # A backup is one whatever the DNS says, but that nobody comes before it is worth a warning.
    doubtful = [entry.domain for entry in wanted if entry.mode == BACKUP_MODE and entry.domain not in given]
    asked = [*missing, *([] if arguments["mx_sets"] else doubtful)]
    found = {**given, **(look_up(asked, resolvers, port, is_needed=bool(missing)) if asked else {})}
    named = {entry.domain for entry in wanted}
    return RoutingRequest(wanted, absent, {name: one for name, one in found.items() if name in named})
