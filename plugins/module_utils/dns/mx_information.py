# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of mx_info: names in, what the DNS says of their mail, its faults and the routing mode out. Private.

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import (
    canonical_host,
    canonical_owner,
    is_ip_address,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown_host
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.fan_out import FanOut
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import (
    MINIMUM_FOR_LOOKING_UP,
    require_dnspython,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.own_resolvers import (
    resolvers_of_this_host,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.resolving import Resolver
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.survey.surveying import survey
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.description import (
    describe_exchangers,
    describe_set,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.faults import find_faults
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import (
    decide_routing,
    parse_addresses,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.survey import MxSurvey, ServerAnswer

_MAX_PORT = 65535
# An hour, in seconds: more is a slip of the pen.
_LONGEST_TIMEOUT = 3600
_ROOT = "."


def inform_about_mx(params: dict[str, Any], _check_mode: bool) -> Outcome:
    """Look up what the options of ``mx_info`` name; nothing is ever changed.

    Raises InvalidInput before anything is sent, LibraryMissing, and ResolverUseless when no resolver answers.
    """
    names = _parse_names(params["names"])
    own_addresses = parse_addresses(params["own_addresses"] or ())
    servers = [_parse_server(server) for server in params["servers"] or ()]
    resolvers = [_parse_resolver(address) for address in params["resolver"] or ()]
    _check_numbers(params)
    require_dnspython(MINIMUM_FOR_LOOKING_UP)
    resolver = Resolver(resolvers or resolvers_of_this_host(), params["resolver_port"], params["timeout"])
    found = survey(resolver, FanOut(params["port"], params["timeout"]), names, servers)
    return Outcome(changed=False, values={"names": [_returned(found[name], own_addresses) for name in names]})


def _parse_names(texts: Iterable[str]) -> list[str]:
    """Give the canonical names, each once, in their order."""
    names: dict[str, None] = {}
    for number, text in enumerate(texts):
        try:
            names[_ROOT if text.strip(" \t") == _ROOT else canonical_owner(text)] = None
        except InvalidInput as error:
            raise InvalidInput(f"names[{number}]: {error}") from error
    return list(names)


def _parse_server(text: str) -> str:
    try:
        return text.strip(" \t") if is_ip_address(text) else canonical_host(text)
    except InvalidInput as error:
        raise InvalidInput(f"the option servers names no name server: {error}") from error


def _parse_resolver(text: str) -> str:
    if not is_ip_address(text):
        raise InvalidInput(
            f"the option resolver has {shown_host(text)}, which is no IP address: name resolvers by their addresses"
        )
    return text.strip(" \t")


def _check_numbers(params: dict[str, Any]) -> None:
    for option in ("port", "resolver_port"):
        if not 1 <= params[option] <= _MAX_PORT:
            raise InvalidInput(f"the option {option} is {params[option]}: write a number from 1 to {_MAX_PORT}")
    if not 0 < params["timeout"] <= _LONGEST_TIMEOUT:
        raise InvalidInput(
            f"the option timeout is {params['timeout']:g}: "
            f"write a number of seconds above 0 and up to {_LONGEST_TIMEOUT}"
        )


def _returned(found: MxSurvey, own_addresses: frozenset[str]) -> dict[str, Any]:
    held = found.exchangers
    decision = decide_routing(held, own_addresses) if own_addresses else None
    return {
        **describe_exchangers(held),
        "zone": found.zone,
        "resolved": describe_set(found.resolved.mx),
        "servers": [_server(answer) for answer in found.servers],
        "faults": [fault.as_returned() for fault in find_faults(found)],
        "routing_mode": decision.mode if decision else None,
        "routing_reason": decision.reason if decision else None,
    }


def _server(answer: ServerAnswer) -> dict[str, Any]:
    return {
        "server": answer.server,
        "address": answer.address,
        "answer": answer.problem or "authoritative",
        "detail": answer.detail or None,
        "serial": answer.serial,
        **describe_set(answer.mx),
    }
