# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What dual delivery adds to the tables of a Postfix server: the names of copies, and where they go. Pure. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.dual_delivery import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.peer_groups import PeerGroup
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.restrictions import (
    ALIASES,
    LOOP,
    UNLISTED_CLASS,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_names import TableNames
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import DomainSettings


def copy_rows(settings: DomainSettings, local_transport: str) -> list[tuple[str, str]]:
    """Give the entries of ``domains`` for copies: those of this site are delivered here, others go to their relays.

    Nobody has an address there but who has one in ``aliases``.
    """
    if settings.site is None:
        return []
    places = {copy_domain(settings.site, settings.domain): local_transport}
    places.update((copy_domain(peer.site, settings.domain), transport_of(peer.relay)) for peer in settings.peers)
    return [row for name, transport in places.items() for row in ((name, transport), (f"@{name}", UNLISTED_CLASS))]


def generic_rows(settings: Sequence[DomainSettings]) -> list[tuple[str, str]]:
    """Give the entries of ``generic``: copies get their address back where they leave for a mailbox.

    That is at this site, and at the door to sites that are not managed.
    """
    return [
        (f"@{copy_domain(site, entry.domain)}", f"@{entry.domain}")
        for entry in settings
        if entry.site is not None
        for site in (entry.site, *(peer.site for peer in entry.peers if not peer.managed))
    ]


def copies_to(settings: Sequence[DomainSettings], group: PeerGroup) -> str:
    """Give the regexp table that finds copies for sites that are not managed in values of ``aliases``.

    Such a site cannot tell a copy from other mail. When it sends mail for a user whose copies it gets, it would get
    each of them again.
    """
    domains = (
        copy_domain(peer.site, entry.domain)
        for entry in settings
        if entry.site is not None
        for peer in entry.peers
        if not peer.managed and transport_of(peer.relay) in group.transports
    )
    return "".join(f"/@{domain.replace('.', '[.]')}(,|$)/ {LOOP}\n" for domain in sorted(set(domains)))


def copy_guard(group: PeerGroup, texts: Mapping[str, str], tables: TableNames) -> str:
    """Give the restriction by which a group's own copies do not come back, with a comma behind it; "" for none."""
    name = guard_table(group)
    return f"check_recipient_access pipemap:{{${ALIASES},regexp:{tables.path(name)}}}, " if name in texts else ""


def guard_table(group: PeerGroup) -> str:
    """Give the name of a group's table of copies."""
    return f"copies_{group.restriction_class}"
