# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The transports by which a Postfix server reaches relays and its own mailboxes. Private to this collection.

from __future__ import annotations

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import PostfixServer, expanded
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.relay import Relay

RELAY_SERVICE = "relay"


def transport_of(relay: Relay) -> str:
    """Give the transport(5) result that hands mail to a relay: to the first of its servers that takes it."""
    return f"{RELAY_SERVICE}:{relay}"


def default_local_transport(server: PostfixServer) -> str:
    """Give the transport(5) by which the server delivers to its own mailboxes, as its main.cf says.

    The first of virtual_transport and mailbox_transport that main.cf sets, else local(8) with its Unix users. Raises
    ServerStateError where that is virtual(8), which wants a path for each mailbox and not a route.
    """
    others = [word for word in words(server.main_cf.value("virtual_mailbox_domains") or "") if word[:1] != "$"]
    for parameter in ("virtual_transport", "mailbox_transport"):
        # Virtual domains of its own without a word about their transport: Postfix's default counts, virtual(8).
        if server.main_cf.value(parameter) or (others and parameter == "virtual_transport"):
            value = expanded(server.config_directory, [parameter])[parameter]
            if value.partition(":")[0] == "virtual":
                raise ServerStateError(
                    f"this server's {parameter} is virtual(8), which looks up a path for each mailbox and cannot "
                    f"deliver by route: name another local_transport, such as lmtp:unix:private/dovecot-lmtp"
                )
            return value if ":" in value else f"{value}:"
    return "local:"
