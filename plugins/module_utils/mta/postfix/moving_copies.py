# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Users with copies whose mailbox moves to another site, and their mail that still waits for the old one. Private.

from __future__ import annotations

import json
from collections.abc import Container, Iterator

from ansible_collections.mailops.split_domain.plugins.module_utils.destinations import RoutesRequest
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    is_running,
    run_or_fail,
)


def refuse_double_delivery(server: PostfixServer, aliases: str, request: RoutesRequest) -> None:
    """Raise ServerStateError when mail that was copied already waits here for a mailbox that moves elsewhere.

    At its next try it would follow the mailbox, to a site that has the copy, or makes it again. ``aliases`` is what
    stands in that table of the domain. Mail that is being delivered right now goes where it went before.
    """
    if request.state == "absent" or request.only_local:
        return
    copied = {key for key, _tab, value in _rows(aliases) if value.startswith(f"{key}, ")}
    moving = {key for key, _tab, _to in _rows(request.text.only_elsewhere().lines)} & copied if copied else set()
    if not moving or not is_running(server.config_directory):
        return
    waiting = _deferred(server, moving)
    if waiting:
        raise ServerStateError(
            f"{len(waiting)} recipient(s) who get copies and move to another site wait in the queue of this server "
            f"({waiting[0]}), and their mail would come twice there: let it be delivered (postqueue -f), or remove it "
            "or put it on hold (postsuper), then run again"
        )


def _rows(lines: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition("\t") for line in lines.splitlines())


def _deferred(server: PostfixServer, addresses: Container[str]) -> list[str]:
    """Give the recipients in the deferred queue who are one of ``addresses``, or a subaddress."""
    delimiters = server.parameters.get("recipient_delimiter", "")
    messages = map(json.loads, run_or_fail(["postqueue", "-j"], server.config_directory).stdout.splitlines())
    found = []
    for message in messages:
        for recipient in message["recipients"] if message["queue_name"] == "deferred" else ():
            local_part, _at, domain = recipient["address"].lower().rpartition("@")
            ends = [place for place, letter in enumerate(local_part) if letter in delimiters]
            if any(f"{local_part[:end]}@{domain}" in addresses for end in (None, *ends)):
                found.append(recipient["address"])
    return found
