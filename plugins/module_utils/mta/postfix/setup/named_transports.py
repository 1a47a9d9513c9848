# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: it comes before anything is compiled. The server's transport for settings that name none. Private.

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.mode_settings import RoutingSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import PostfixServer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_settings import (
    default_local_transport,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import LOCAL_MODE


def with_transports(
    server: PostfixServer, entries: tuple[DomainSettings, ...], held: Collection[str]
) -> tuple[DomainSettings, ...]:
    """Give split settings with a transport each, but for ``held`` domains that need none.

    Those are the server's own, which knows how to deliver them; copies alone (``site``) want a transport there.
    Raises ServerStateError where the server's default cannot deliver by route.
    """
    if all(entry.local_transport or (entry.domain in held and entry.site is None) for entry in entries):
        return entries
    default = default_local_transport(server)
    return tuple(replace(entry, local_transport=entry.local_transport or default) for entry in entries)


def modes_with_transports(server: PostfixServer, modes: Sequence[RoutingSettings]) -> tuple[RoutingSettings, ...]:
    """Give routing modes with a transport each, but for those that deliver nothing here."""
    if all(entry.local_transport or entry.effective != LOCAL_MODE for entry in modes):
        return tuple(modes)
    default = default_local_transport(server)
    return tuple(replace(entry, local_transport=entry.local_transport or default) for entry in modes)
