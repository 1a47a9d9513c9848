# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: most of this folder imports it. The transports by which Postfix reaches relays. Pure. Private.

from __future__ import annotations

from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

RELAY_SERVICE = "relay"


def transport_of(relay: Relay) -> str:
    """Give the transport(5) result that hands mail to a relay: to the first of its servers that takes it."""
    return f"{RELAY_SERVICE}:{relay}"
