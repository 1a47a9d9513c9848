# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The Postfix configuration that a server's split domains compile to: tables and main.cf elements. Pure. Private.
#
# The mechanisms and their reasons are drawn in docs/architecture.md, "On a Postfix server".

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Union

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import DomainSettings, Peer

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
"""Whose mail a peer's is; a single address is a network of one."""

HEADER = "# Managed by mailops.split_domain: changes made here are undone by its next run.\n"
CALL_AHEAD_CLASS = "split_domain_call_ahead"
VERIFY_CLASS = "split_domain_verify"
REFUSE_CLASS = "split_domain_refuse_unknown"
UNLISTED_CLASS = "split_domain_refuse_unlisted"
SKIP_CLASS = "split_domain_skip"
REMOTE_CLASS = "split_domain_remote"
# Parameters that give tables a name, so that main.cf can be read.
ROUTES = "split_domain_routes"
DOMAINS = "split_domain_domains"
KNOWN = "split_domain_known"
QUESTION = "split_domain_question"
SUBDOMAINS = "split_domain_subdomains"
FORWARDED = "split_domain_forwarded"
RECIPIENTS = "split_domain_recipients"
LOOP = "554 5.4.6 Mail loop: the mailbox lives on the site that sent this"
UNKNOWN_HERE_AND_THERE = "550 5.1.1 User unknown on this site and on the one that sent this"
UNLISTED = "550 5.1.1 User unknown"
# local(8), for a domain whose settings name no transport.
LAST_RESORT = "local:"
# The value of an address that is known; nobody looks at it.
KNOWN_RECIPIENT = "known"
# What access(5) takes for "no answer". In a table whose answers may be joined with others a class has to say it.
NO_ANSWER = "DUNNO"

# Short enough that a mailbox created on another site is reachable within a minute, long enough that a dictionary
# attack does not turn into a probe each; see postconf(5), address_verify_negative_refresh_time.
CALL_AHEAD_PARAMETERS = {
    "unverified_recipient_reject_code": "550",
    "address_verify_negative_refresh_time": "1m",
    "address_verify_negative_expire_time": "5m",
    "address_verify_poll_delay": "1s",
}


@dataclass(frozen=True)
class TableNames:
    """Where the tables are, as Postfix names them: ``type:path`` for indexed ones."""

    directory: str
    indexed_type: str

    def path(self, name: str) -> str:
        """Give the path of a table's text."""
        return f"{self.directory}/{name}"

    def indexed(self, name: str) -> str:
        """Give an indexed table as Postfix reads it."""
        return f"{self.indexed_type}:{self.path(name)}"


@dataclass(frozen=True)
class CompiledModes:
    """What the routing modes of domains add to the tables and parameters of a server."""

    rows: tuple[tuple[str, str], ...] = ()
    """Entries of the table ``domains``."""
    recipients: tuple[str, ...] = ()
    """Addresses that are known without asking."""
    remote_restrictions: str | None = None
    """What strangers meet who send to a remote domain; None without such a domain."""
    calls_ahead: bool = False
    queue_lifetime: str | None = None
    proxy_addresses: tuple[str, ...] = ()
    best_exchanger: str | None = None
    """Where mail goes whose best exchanger is this server itself; None where the server says that."""


@dataclass(frozen=True)
class SplitConfiguration:
    """What has to stand on the server: table texts by name, elements of list parameters, and whole parameters."""

    indexed_tables: Mapping[str, str]
    plain_tables: Mapping[str, str]
    first: Mapping[str, tuple[str, ...]]
    last: Mapping[str, tuple[str, ...]]
    values: Mapping[str, str]


def compile_split(
    settings: Sequence[DomainSettings],
    networks_of: Mapping[Peer, Sequence[Network]],
    known_elsewhere: Sequence[str],
    tables: TableNames,
    modes: CompiledModes = CompiledModes(),
) -> SplitConfiguration:
    """Compile the settings of all split domains of a server, and the routing modes of others.

    ``networks_of`` gives the networks of every peer's clients; ``known_elsewhere`` the server's own alias tables
    (``type:name``), whose addresses are not unknown.
    """
    recipients = (f"${RECIPIENTS}",) if modes.recipients else ()
    groups = _peer_groups(settings, networks_of)
    policies = {
        str(peer.relay): peer.relay.tls for entry in settings for peer in entry.peers if peer.relay.tls != "may"
    }
    classes = {
        **{group.restriction_class: _split_horizon(group) for _network, group in groups},
        SKIP_CLASS: f"check_recipient_access static:{NO_ANSWER}",
        REFUSE_CLASS: f"check_recipient_access static:{{{UNKNOWN_HERE_AND_THERE}}}",
        UNLISTED_CLASS: f"check_recipient_access static:{{{UNLISTED}}}",
        CALL_AHEAD_CLASS: "permit_mynetworks, permit_sasl_authenticated, reject_unverified_recipient",
        VERIFY_CLASS: "reject_unverified_recipient",
        **({} if modes.remote_restrictions is None else {REMOTE_CLASS: modes.remote_restrictions}),
    }
    calls_ahead = modes.calls_ahead or any(_calls_ahead(entry) for entry in settings)
    return SplitConfiguration(
        indexed_tables={
            "domains": _table([*(row for entry in settings for row in _domain_rows(entry)), *modes.rows]),
            "tls_policy": _table(policies.items()),
            **(
                {"recipients": _table((recipient, KNOWN_RECIPIENT) for recipient in modes.recipients)}
                if recipients
                else {}
            ),
        },
        plain_tables={
            "parent_domain": HEADER + "/^[^@.]+\\.([^@]+)$/ @$1\n",
            "whole_domain": HEADER + "/^([^@]+)$/ @$1\n",
            "peers": HEADER + "".join(f"{network} {group.restriction_class}\n" for network, group in groups),
        },
        first={
            "transport_maps": (f"${ROUTES}", f"${DOMAINS}"),
            "smtpd_relay_restrictions": (
                f"check_client_access cidr:{tables.path('peers')}",
                _of_unknowns(f"${QUESTION}"),
                *(() if modes.remote_restrictions is None else (_OF_REMOTE_DOMAINS,)),
            ),
            **({"smtp_tls_policy_maps": (tables.indexed("tls_policy"),)} if policies else {}),
        },
        last={
            "virtual_mailbox_domains": (f"${DOMAINS}",),
            "virtual_mailbox_maps": (f"${ROUTES}", *recipients, f"${FORWARDED}"),
            "smtpd_restriction_classes": tuple(sorted(classes)),
            **({"proxy_interfaces": modes.proxy_addresses} if modes.proxy_addresses else {}),
        },
        values={
            **({RECIPIENTS: tables.indexed("recipients")} if recipients else {}),
            **_named_tables((*recipients, *known_elsewhere), tables),
            **classes,
            **(CALL_AHEAD_PARAMETERS if calls_ahead else {}),
            **({} if modes.queue_lifetime is None else {"maximal_queue_lifetime": modes.queue_lifetime}),
            **({} if modes.best_exchanger is None else {"best_mx_transport": modes.best_exchanger}),
        },
    )


@dataclass(frozen=True)
class _PeerGroup:
    """Clients that stand for the same relays: mail from them never goes back to one of these."""

    restriction_class: str
    transports: tuple[str, ...]


def _calls_ahead(settings: DomainSettings) -> bool:
    return settings.call_ahead and settings.unknown_relay is not None


def _domain_rows(settings: DomainSettings) -> list[tuple[str, str]]:
    """Give the entries of a domain: its fallback route, and under ``@domain`` what is asked about unknown recipients.

    Both in one table, so that a domain changes as a whole. ``@domain`` is what the recipient table of an address
    class takes as a wildcard; transport(5) and access(5) never look such a key up by themselves.
    """
    relay = settings.unknown_relay
    if relay is None:
        # Postfix would refuse the unlisted by itself, but for smtpd_reject_unlisted_recipient = no. The fallback is for
        # mail that is submitted on this server itself, which would follow the domain's MX otherwise: this server's own
        # mailboxes are the last place to look. Not error(8), whose answer smtpd(8) remembers as long as it lives.
        return [(settings.domain, settings.local_transport or LAST_RESORT), (f"@{settings.domain}", UNLISTED_CLASS)]
    answer = CALL_AHEAD_CLASS if settings.call_ahead else SKIP_CLASS
    return [(settings.domain, transport_of(relay)), (f"@{settings.domain}", answer)]


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return HEADER + "".join(f"{key}\t{value}\n" for key, value in sorted(rows))


def _peer_groups(
    settings: Sequence[DomainSettings], networks_of: Mapping[Peer, Sequence[Network]]
) -> list[tuple[Network, _PeerGroup]]:
    """Give each client network with the relays it stands for, the narrowest first, as cidr_table(5) wants it."""
    transports: dict[Network, set[str]] = {}
    sites: dict[str, set[str]] = {}
    for entry in settings:
        for peer in entry.peers:
            transport = transport_of(peer.relay)
            sites.setdefault(transport, set()).add(peer.site)
            for network in networks_of[peer]:
                transports.setdefault(network, set()).add(transport)
    joined = {
        network: tuple(
            sorted(set().union(*(found for other, found in transports.items() if _contains(other, network))))
        )
        for network in transports
    }
    names = _class_names(set(joined.values()), sites)
    ordered = sorted(joined, key=lambda network: (network.version, -network.prefixlen, network.network_address))
    return [(network, _PeerGroup(names[joined[network]], joined[network])) for network in ordered]


def _contains(outer: Network, inner: Network) -> bool:
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _class_names(groups: set[tuple[str, ...]], sites: Mapping[str, set[str]]) -> dict[tuple[str, ...], str]:
    names: dict[tuple[str, ...], str] = {}
    for group in sorted(groups):
        label = "_".join(sorted(set().union(*(sites[transport] for transport in group))))
        stem = "split_domain_from_" + re.sub(r"[^a-z0-9]+", "_", label.lower())
        numbered = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
        names[group] = next(name for name in numbered if name not in names.values())
    return names


def _named_tables(known_elsewhere: Sequence[str], tables: TableNames) -> dict[str, str]:
    """Give the tables that restrictions are made of, as parameters of our own.

    Their answers are restriction classes, because unionmap joins what several tables say about one key.
    """
    return {
        ROUTES: tables.indexed("routes"),
        DOMAINS: tables.indexed("domains"),
        KNOWN: ",".join(f"pipemap:{{{table},static:{SKIP_CLASS}}}" for table in (f"${ROUTES}", *known_elsewhere)),
        QUESTION: f"pipemap:{{regexp:{tables.path('whole_domain')},${DOMAINS}}}",
        FORWARDED: f"pipemap:{{${DOMAINS},{_inline({CALL_AHEAD_CLASS: 'yes', SKIP_CLASS: 'yes'})}}}",
        SUBDOMAINS: f"pipemap:{{regexp:{tables.path('parent_domain')},${DOMAINS},static:{SKIP_CLASS}}}",
    }


def _of_unknowns(answer: str) -> str:
    """Give the restriction that looks ``answer`` up for recipients without a route of their own.

    ``answer`` is a table whose keys are split domains. access(5) asks for user+extension@domain, user@domain, domain
    and then for parent domains: a known address ends the search at its own key, and a sub-domain of a split domain
    ends it one key before the split domain, because it is somebody else's.
    """
    return f"check_recipient_access unionmap:{{${KNOWN},{answer},${SUBDOMAINS}}}"


def _split_horizon(group: _PeerGroup) -> str:
    """Give the restrictions for mail from the clients of a group: nothing goes back to where it came from."""
    loop = _inline(dict.fromkeys(group.transports, LOOP))
    unknown = _inline(dict.fromkeys(group.transports, REFUSE_CLASS))
    strictly = _inline({CALL_AHEAD_CLASS: VERIFY_CLASS, SKIP_CLASS: SKIP_CLASS, UNLISTED_CLASS: UNLISTED_CLASS})
    return ", ".join(
        (
            f"check_recipient_access pipemap:{{${ROUTES},{loop}}}",
            _of_unknowns(f"pipemap:{{${DOMAINS},{unknown}}}"),
            # A peer may be in mynetworks, and still its own peers get their final answer through us.
            _of_unknowns(f"pipemap:{{${QUESTION},{strictly}}}"),
        )
    )


def _inline(answers: Mapping[str, str]) -> str:
    """Give an inline table; its keys must not hold white space (inline_table(5))."""
    return f"inline:{{{','.join(f'{{{key} = {value}}}' for key, value in answers.items())}}}"


# An alias of the server's own may be left of a domain that has moved away. It does not make its mail wanted here.
# Joined tables are asked for domains only where the first of them is no pattern: hence one without any answer.
_OF_REMOTE_DOMAINS = (
    f"check_recipient_access unionmap:{{{_inline({'@': SKIP_CLASS})},"
    f"pipemap:{{${QUESTION},{_inline({REMOTE_CLASS: REMOTE_CLASS})}}},${SUBDOMAINS}}}"
)
