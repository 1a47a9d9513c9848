# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# How a server receives other sites: not judged with the mail of their domains, believed who first sent it. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings, Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.host_addresses import Network
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.peer_groups import (
    PeerGroup,
    narrowest_first,
    peer_groups,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import (
    TABLE_HEADER,
    SplitConfiguration,
    table_text,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import transport_of

TRUSTED_SITES = "welcome"
# How the classes begin, and the tables by which their recipients are looked up.
TRUSTED_SITE_CLASS = "split_domain_welcome_"
TRUSTED_SITE_RECIPIENTS = "recipients_"
XFORWARD = "xforward"
# The lists in which servers judge clients. All are asked at RCPT (smtpd_delay_reject), when the recipient is known.
JUDGING_LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_recipient_restrictions",
)
# Domains come and go without a change of main.cf, which would cost a second reload.
RECEIVED = "received_domains"


def with_trusted_sites(
    wanted: SplitConfiguration,
    settings: Sequence[DomainSettings],
    networks_of: Mapping[Peer, Sequence[Network]],
    tables: TableNames,
    lists_in_use: Sequence[str],
) -> SplitConfiguration:
    """Give a configuration that lets the mail of a domain pass that comes from its other sites.

    A client is trusted with recipients of just the domains that it is a site of; ``lists_in_use`` are those of the
    JUDGING_LISTS that the server has filled itself. Whether it may send at all is asked elsewhere, before. Limits on
    how often a client comes know no recipients, and do not hold for sites. Only sites that are set up by this
    collection may say from whom they have their mail (XFORWARD), which is for the log alone.
    """
    groups = peer_groups(settings, networks_of)
    if not groups:
        return wanted
    colleagues = {
        network for entry in settings for peer in entry.peers if peer.managed for network in networks_of[peer]
    }
    trusted = f"cidr:{tables.path(TRUSTED_SITES)}"
    names = sorted({_class_of(group) for _network, group in groups})
    first = dict.fromkeys(lists_in_use, (f"check_client_access {trusted}",))
    classes = {name: _passing(name, tables) for name in names} if first else {}
    return replace(
        wanted,
        indexed_tables={**wanted.indexed_tables, RECEIVED: table_text(_received(settings, groups))},
        plain_tables={
            **wanted.plain_tables,
            **{TRUSTED_SITE_RECIPIENTS + name: _address_table(name) for name in names},
            TRUSTED_SITES: TABLE_HEADER + "".join(f"{network} {_class_of(group)}\n" for network, group in groups),
            **(
                {XFORWARD: TABLE_HEADER + "".join(f"{network} OK\n" for network in narrowest_first(colleagues))}
                if colleagues
                else {}
            ),
        },
        first={**wanted.first, **first},
        last={
            **wanted.last,
            "smtpd_restriction_classes": tuple(sorted((*wanted.last["smtpd_restriction_classes"], *classes))),
            "smtpd_client_event_limit_exceptions": (trusted,),
            **({"smtpd_authorized_xforward_hosts": (f"cidr:{tables.path(XFORWARD)}",)} if colleagues else {}),
        },
        values={
            **wanted.values,
            **classes,
            **({"smtp_send_xforward_command": "yes"} if colleagues else {}),
        },
    )


def _class_of(group: PeerGroup) -> str:
    return group.restriction_class.replace("split_domain_from_", TRUSTED_SITE_CLASS, 1)


def _passing(name: str, tables: TableNames) -> str:
    """Give the restriction that lets recipients of a class's domains pass."""
    pattern = f"regexp:{tables.path(TRUSTED_SITE_RECIPIENTS + name)}"
    return f"check_recipient_access pipemap:{{{pattern},{tables.indexed(RECEIVED)}}}"


def _address_table(name: str) -> str:
    """Give the table that makes the key of RECEIVED from a whole address.

    access(5) would take a domain for its subdomains as well, whose mail is somebody else's. Addresses that might be
    routed on by their local part are none of ours. The key has no ``@``, as no address is without one.
    """
    return f'{TABLE_HEADER}/^[^@%!"]+@([^@]+)$/ {name}?$1\n'


def _received(settings: Sequence[DomainSettings], groups: Sequence[tuple[Network, PeerGroup]]) -> list[tuple[str, str]]:
    """Give the rows of RECEIVED: each class with the domains that its clients stand for a relay of."""
    rows: set[str] = set()
    for entry in settings:
        names = {entry.domain, *entry.alias_domains}
        names.update([entry.subdomain] if entry.subdomain else [])
        names.update([copy_domain(entry.site, entry.domain)] if entry.site else [])
        transports = {transport_of(peer.relay) for peer in entry.peers}
        for _network, group in groups:
            if transports & set(group.transports):
                rows.update(f"{_class_of(group)}?{name}" for name in names)
    return [(row, "OK") for row in sorted(rows)]
