# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module split_domains: arguments to request, request to outcome. Private.

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.model.clients import refuse_wide_clients
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import (
    DomainsRequest,
    parse_settings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import AskPeer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import POSTFIX, chosen_mta
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan, carry_out
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.domains_server import (
    PostfixDomainsServer,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import AskForProof
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import parse_passwords


class DomainsServer(Protocol):
    """What a mail server offers for split settings."""

    def locked(self, patience: float) -> AbstractContextManager[None]:
        """Keep other runs away from the server's configuration between plan and apply, waiting for so many seconds."""

    def plan_domains(self, request: DomainsRequest) -> Plan:
        """Plan the split settings, and write nothing; raises ServerStateError where they do not fit the server."""


_SERVERS: dict[str, Callable[[AskPeer, AskForProof, str], DomainsServer]] = {POSTFIX: PostfixDomainsServer}


def set_domains(ask_peer: AskPeer, ask_for_proof: AskForProof, arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring the split settings of a server to what the module's arguments say.

    ``ask_peer`` asks other sites, ``ask_for_proof`` the DNS.
    """
    request = parse_domains_request(arguments)
    server = _SERVERS[chosen_mta(arguments["mta"])](ask_peer, ask_for_proof, arguments["config_directory"])
    fresh = [
        {
            "domain": entry.domain,
            "before": None,
            "after": entry.as_arguments(),
            "verdict_before": None,
            "verdict": None,
            "changed": True,
        }
        for entry in request.present
    ]
    return carry_out(
        server.locked(arguments["lock_timeout"]),
        lambda: server.plan_domains(request),
        check_mode,
        if_missing={"domains": fresh, "server_changed": True},
    )


def parse_domains_request(arguments: dict[str, Any]) -> DomainsRequest:
    """Read the module's arguments; raises InvalidInput for what cannot be used."""
    entries = arguments["domains"] or []
    purge = bool(arguments["purge"])
    if not entries and not purge:
        raise InvalidInput("the option domains is empty: name at least one domain, or give purge to remove all of them")
    present = tuple(parse_settings(entry) for entry in entries if entry["state"] == "present")
    for settings in present:
        for peer in settings.peers:
            refuse_wide_clients(peer.clients, peer.allow_wide_clients, f"the peer {peer.site} of {settings.domain}")
    absent = tuple(canonical_domain(entry["domain"]) for entry in entries if entry["state"] == "absent")
    names = [*(settings.domain for settings in present), *absent]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"the option domains names {twice} twice: merge the two entries")
    return DomainsRequest(present, absent, purge, parse_passwords(arguments["passwords"] or ()))
