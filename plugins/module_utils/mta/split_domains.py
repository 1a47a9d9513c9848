# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module split_domains: arguments to request, request to outcome. Private.

from __future__ import annotations

from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import open_mail_server
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import DomainsRequest, carry_out
from ansible_collections.mailops.split_domain.plugins.module_utils.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import parse_settings


def set_domains(arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring the split settings of a server to what the module's arguments say."""
    request = parse_request(arguments)
    server = open_mail_server(arguments["mta"], arguments["config_directory"])
    fresh = [
        {"domain": entry.domain, "before": None, "after": entry.as_arguments(), "changed": True}
        for entry in request.present
    ]
    return carry_out(
        server,
        lambda opened: opened.plan_domains(request),
        check_mode,
        if_missing={"domains": fresh, "server_changed": True},
    )


def parse_request(arguments: dict[str, Any]) -> DomainsRequest:
    """Read the module's arguments; raises InvalidInput for what cannot be used."""
    entries = arguments["domains"] or []
    purge = bool(arguments["purge"])
    if not entries and not purge:
        raise InvalidInput("the option domains is empty: name at least one domain, or give purge to remove all of them")
    present = tuple(parse_settings(entry) for entry in entries if entry["state"] == "present")
    absent = tuple(canonical_domain(entry["domain"]) for entry in entries if entry["state"] == "absent")
    names = [*(settings.domain for settings in present), *absent]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"the option domains names {twice} twice: merge the two entries")
    return DomainsRequest(present, absent, purge)
