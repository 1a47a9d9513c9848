# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module route_info: addresses to where this server would send them. Private.

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, MailServerMissing
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.detection import POSTFIX, chosen_mta
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace_server import PostfixRouteTracer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.traced_routes import TracedRoutes, TraceRequest

NULL_SENDER = "<>"
# RFC 5321 section 4.1.2, without "!" and "%", which are routes within an address to many servers.
_LOCAL_PART = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~.-]{1,64}")
_SINGLE_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class RouteTracer(Protocol):
    """What a mail server offers to tell where addresses go."""

    def trace(self, request: TraceRequest) -> TracedRoutes:
        """Follow the addresses; nothing is written, and no mail is sent."""


_SERVERS: dict[str, Callable[[str], RouteTracer]] = {POSTFIX: PostfixRouteTracer}


def tell_routes(arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Tell where this server would send the addresses of the module's arguments."""
    request = parse_trace_request(arguments)
    tracer = _SERVERS[chosen_mta(arguments["mta"])](arguments["config_directory"])
    try:
        traced = tracer.trace(request)
    except MailServerMissing:
        if check_mode:
            # The run would come after the installation of a mail server.
            return Outcome(changed=False, values={"installed": False, "addresses": []})
        raise
    return Outcome(False, {"installed": True, "addresses": traced.addresses}, warnings=traced.warnings)


def parse_trace_request(arguments: dict[str, Any]) -> TraceRequest:
    """Read the module's arguments; raises InvalidInput for what is no address."""
    addresses = tuple(_address(text, "addresses") for text in arguments["addresses"])
    if not addresses:
        raise InvalidInput("the option addresses is empty: list the addresses to follow")
    sender = arguments["sender"]
    if sender is not None:
        sender = "" if sender == NULL_SENDER else _address(sender, "sender")
    return TraceRequest(addresses, sender)


def _address(text: str, option: str) -> str:
    local_part, at_sign, domain = text.strip(" \t").rpartition("@")
    if not at_sign or not local_part or not domain:
        raise InvalidInput(f"{text!r} in {option} is not a mail address: write it as user@example.com")
    if not _LOCAL_PART.fullmatch(local_part):
        raise InvalidInput(
            f"the address {text!r} in {option} has a local part that cannot be followed: write one of at most 64 ASCII "
            "letters, digits and signs, without quotes, white space, '!' and '%'"
        )
    if _SINGLE_LABEL.fullmatch(domain):
        return f"{local_part}@{domain.lower()}"
    return f"{local_part}@{canonical_domain(domain)}"
