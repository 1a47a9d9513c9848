# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of mx_records: options in, MX sets published, outcome out. Private to this collection.

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import (
    Change,
    plan_change,
    zone_diffs,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.removal import (
    RemovalLimit,
    refuse_removals,
    removal_limit,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.wanted import (
    WantedSet,
    named_exchanges,
    parse_wanted_sets,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.connection import DnsConnection
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    DnsFailure,
    ServersDisagree,
    WriteNotSeen,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import require_dnspython
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.reading import (
    addresses_of_exchanges,
    read_sets,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.agreement import (
    ServerView,
    Waiting,
    wait_for_agreement,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.key_source import key_options, signing_key
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.sending import write
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.publishing import publish_in_file

# Seconds until each repeated look at what was written; a server that forwards updates shows them a little later.
_READ_BACK_PAUSES = (0.0, 0.1, 0.4, 1.5)
# A day, in seconds: more is a slip of the pen, and some more is beyond what sockets take.
_LONGEST_WAIT = 86400
_MAX_PORT = 65535


def publish_mx_records(params: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring MX sets to the state that the options of ``mx_records`` describe, or in check mode tell what would be done.

    Raises InvalidInput before anything is sent, and the failures of module_utils.dns.
    """
    wanted_sets = parse_wanted_sets(params["record_sets"])
    if params.get("zone_file") is not None:
        return publish_in_file(wanted_sets, params, check_mode)
    key = signing_key(key_options(params, os.environ))
    _check_numbers(params)
    limit = removal_limit(params["allow_removal"], params["removal_share"])
    hidden = tuple(_server(text, "wait_servers") for text in params["wait_servers"])
    waiting = Waiting(hidden, params["wait_timeout"], params["timeout"]) if params["wait"] else None
    require_dnspython()
    with DnsConnection(
        _server(params["server"], "server"),
        params["port"],
        protocol=params["protocol"],
        timeout=params["timeout"],
        key=key,
    ) as connection:
        planned = _plan(connection, wanted_sets)
        refuse_removals(planned, limit)
        addresses = addresses_of_exchanges(connection, named_exchanges(wanted_sets))
        changes = write(
            connection,
            planned,
            lambda overtaken: _plan_again(connection, wanted_sets, overtaken, limit),
            rehearse=check_mode,
        )
        views = [] if check_mode else _confirm(connection, wanted_sets, changes, waiting)
    return Outcome(
        changed=any(change.is_due for change in changes),
        values={
            "record_sets": [change.told() for change in changes],
            "exchanges": [{"exchange": host, "addresses": list(held or ())} for host, held in addresses.items()],
            "servers": [view.as_returned() for view in views],
        },
        diffs=zone_diffs(changes),
        warnings=(key.warnings if key else ())
        + tuple(
            f"the exchange {host} has no A or AAAA record on {connection.party}, which is authoritative for it: "
            "no mail can reach it, and BIND refuses it in the MX sets of its own zone"
            for host, held in addresses.items()
            if held == ()
        )
        + tuple(f"the name server {view}" for view in views if view.agrees is None),
    )


def _confirm(
    connection: DnsConnection,
    wanted_sets: Sequence[WantedSet],
    changes: Sequence[Change],
    waiting: Waiting | None,
) -> list[ServerView]:
    """Read back what was written, and where that is wanted wait for the other servers and give what they say."""
    written = [change for change in changes if change.is_due]
    try:
        _read_back(connection, wanted_sets, written)
        return [] if waiting is None else wait_for_agreement(connection, changes, waiting)
    except (WriteNotSeen, ServersDisagree):
        raise
    except DnsFailure as error:
        zones = ", ".join(dict.fromkeys(change.zone for change in written))
        taken = f"before this the server took the updates of {zones}" if zones else "nothing had to be written"
        raise WriteNotSeen(f"{error} - {taken}; run the task again to have the sets confirmed") from error


def _check_numbers(params: dict[str, Any]) -> None:
    if not 1 <= params["port"] <= _MAX_PORT:
        raise InvalidInput(f"the port {params['port']} is out of range: write a number from 1 to {_MAX_PORT}")
    for option in ("timeout", "wait_timeout"):
        if not 0 < params[option] <= _LONGEST_WAIT:
            raise InvalidInput(
                f"the option {option} is {params[option]:g}: "
                f"write a number of seconds above 0 and up to {_LONGEST_WAIT}"
            )


def _server(text: str, option: str) -> str:
    try:
        return text.strip() if is_ip_address(text) else canonical_host(text)
    except InvalidInput as error:
        raise InvalidInput(f"the option {option} names no DNS server: {error}") from error


def _plan(connection: DnsConnection, wanted_sets: Sequence[WantedSet]) -> list[Change]:
    readings = read_sets(connection, {wanted.name: wanted.zone for wanted in wanted_sets})
    return [plan_change(wanted, readings[wanted.name]) for wanted in wanted_sets]


def _plan_again(
    connection: DnsConnection, wanted_sets: Sequence[WantedSet], overtaken: Sequence[Change], limit: RemovalLimit
) -> list[Change]:
    names = {change.name for change in overtaken}
    planned = _plan(connection, [wanted for wanted in wanted_sets if wanted.name in names])
    refuse_removals(planned, limit)
    return planned


def _read_back(connection: DnsConnection, wanted_sets: Sequence[WantedSet], written: Sequence[Change]) -> None:
    """Raise WriteNotSeen unless what was written is as wanted, whatever else somebody changed since."""
    wanted_of = {wanted.name: wanted for wanted in wanted_sets}
    unseen = list(written)
    for pause in _READ_BACK_PAUSES:
        if not unseen:
            return
        time.sleep(pause)
        readings = read_sets(connection, {change.name: change.zone for change in unseen})
        unseen = [one for one in unseen if plan_change(wanted_of[one.name], readings[one.name]).is_due]
    if unseen:
        first = unseen[0]
        shown = readings[first.name].current
        raise WriteNotSeen(
            f"{connection.party} took the update of the zone {first.zone}, but gives for {first.name} "
            f"{shown} instead of {first.after} ({len(unseen)} of {len(written)} names "
            "differ): look into the server's log for what it ignored, and for somebody else who writes there"
        )
