# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# How a server receives other sites: not judged with the mail of their domains, believed who first sent it. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.mailops.split_domain.plugins.module_utils.dual_delivery import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.peer_groups import (
    Network,
    contains,
    narrowest_first,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.restrictions import inline
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.split import HEADER, SplitConfiguration
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_names import TableNames
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import DomainSettings, Peer

WELCOME_CLASS = "split_domain_welcome"
WELCOME = "welcome"
XFORWARD = "xforward"
# The lists in which servers judge clients. All are asked at RCPT (smtpd_delay_reject), when the recipient is known.
JUDGING_LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_recipient_restrictions",
)
_DOMAIN_OF = "domain_of_address"
# The whole address gives the domain alone: access(5) would take a domain for its sub-domains as well, whose mail is
# somebody else's. Addresses that might be routed on by their local part are none of ours.
_ADDRESS = HEADER + '/^[^@%!"]+@([^@]+)$/ @$1\n'


def with_welcome(
    wanted: SplitConfiguration,
    settings: Sequence[DomainSettings],
    networks_of: Mapping[Peer, Sequence[Network]],
    tables: TableNames,
    lists_in_use: Sequence[str],
) -> SplitConfiguration:
    """Give a configuration that lets the mail of a domain pass that comes from its other sites.

    A client is welcome with recipients of just the domains that it is a site of; ``lists_in_use`` are those of the
    JUDGING_LISTS that the server has filled itself. Whether it may send at all is asked elsewhere, before. Limits on
    how often a client comes know no recipients, and do not hold for sites. Only sites that are set up by this
    collection may say from whom they have their mail (XFORWARD), which is for the log alone.
    """
    domains = _domains_of_networks(settings, networks_of)
    if not domains:
        return wanted
    names = _class_names(sorted(set(domains.values())))
    colleagues = {
        network for entry in settings for peer in entry.peers if peer.managed for network in networks_of[peer]
    }
    ordered = narrowest_first(domains)
    welcome = f"cidr:{tables.path(WELCOME)}"
    first = dict.fromkeys(lists_in_use, (f"check_client_access {welcome}",))
    classes = {name: _passing(group, tables) for group, name in names.items()} if first else {}
    restriction_classes = (*wanted.last["smtpd_restriction_classes"], *classes)
    return replace(
        wanted,
        plain_tables={
            **wanted.plain_tables,
            _DOMAIN_OF: _ADDRESS,
            WELCOME: HEADER + "".join(f"{network} {names[domains[network]]}\n" for network in ordered),
            **(
                {XFORWARD: HEADER + "".join(f"{network} OK\n" for network in narrowest_first(colleagues))}
                if colleagues
                else {}
            ),
        },
        first={**wanted.first, **first},
        last={
            **wanted.last,
            "smtpd_restriction_classes": tuple(sorted(restriction_classes)),
            "smtpd_client_event_limit_exceptions": (welcome,),
            **({"smtpd_authorized_xforward_hosts": (f"cidr:{tables.path(XFORWARD)}",)} if colleagues else {}),
        },
        values={
            **wanted.values,
            **classes,
            **({"smtp_send_xforward_command": "yes"} if colleagues else {}),
        },
    )


def _domains_of_networks(
    settings: Sequence[DomainSettings], networks_of: Mapping[Peer, Sequence[Network]]
) -> dict[Network, tuple[str, ...]]:
    """Give the mail domains that clients in each network are a site of, also by the wider networks around it."""
    found: dict[Network, set[str]] = {}
    for entry in settings:
        names = {entry.domain, *entry.alias_domains}
        names.update([entry.subdomain] if entry.subdomain else [])
        names.update([copy_domain(entry.site, entry.domain)] if entry.site else [])
        for peer in entry.peers:
            for network in networks_of[peer]:
                found.setdefault(network, set()).update(names)
    return {
        network: tuple(sorted(set().union(*(names for other, names in found.items() if contains(other, network)))))
        for network in found
    }


def _class_names(groups: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    return {
        group: WELCOME_CLASS if number == 1 else f"{WELCOME_CLASS}_{number}" for number, group in enumerate(groups, 1)
    }


def _passing(domains: Sequence[str], tables: TableNames) -> str:
    """Give the restriction that lets recipients of just these domains pass."""
    answers = inline({f"@{domain}": "OK" for domain in domains})
    return f"check_recipient_access pipemap:{{regexp:{tables.path(_DOMAIN_OF)},{answers}}}"
