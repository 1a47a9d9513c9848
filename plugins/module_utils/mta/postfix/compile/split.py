# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The Postfix configuration that a server's split domains compile to: tables and main.cf elements. Pure. Private.
#
# The mechanisms and their reasons are explained in docs/architecture/postfix_setup.md.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import (
    DomainSettings,
    Peer,
    servers_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.host_addresses import Network
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.copies import (
    copy_guard,
    copy_rows,
    generic_rows,
    guard_tables,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    CLASS_DEFAULT,
    HeldDomains,
    lay_over_domains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.peer_groups import peer_groups
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    ALIASES,
    CALL_AHEAD_CLASS,
    DOMAINS,
    FORWARDED,
    LOCAL_DOMAINS,
    MAIL_DOMAINS,
    NEUTRAL,
    NO_ANSWER,
    OF_REMOTE_DOMAINS,
    QUESTION,
    QUESTION_PATTERNS,
    RECIPIENTS,
    REFUSE_CLASS,
    REMOTE_CLASS,
    ROUTES,
    SKIP_CLASS,
    UNKNOWN_HERE_AND_THERE,
    UNLISTED,
    UNLISTED_CLASS,
    VERIFY_CLASS,
    WILDCARD_QUESTIONS,
    TableNames,
    named_tables,
    of_unknowns,
    question_key,
    questions_in,
    split_horizon,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.tls_policies import (
    POLICIES,
    policy_parameters,
    policy_rows,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.verdicts import (
    STRICT_CLASSES,
    question_of,
    verdict_classes,
)

TABLE_HEADER = "# Managed by mailops.split_domain: changes made here are undone by its next run.\n"
# local(8), for a domain whose settings name no transport.
LAST_RESORT = "local:"
# What smtp(8) and lmtp(8) look up by themselves.
_GENERIC = ("smtp_generic_maps", "lmtp_generic_maps")
# The value of an address that is known; nobody looks at it.
KNOWN_RECIPIENT = "known"
# Short enough that a mailbox created on another site is reachable within a minute, long enough that a dictionary
# attack does not turn into a probe each; see postconf(5), address_verify_negative_refresh_time.
CALL_AHEAD_PARAMETERS = {
    "unverified_recipient_reject_code": "550",
    # For 450 as well. Without it strangers are told which host was asked, and what it said.
    "unverified_recipient_reject_reason": NEUTRAL,
    # Long enough for an outage, short for a mailbox that was deleted: Postfix's default believes in it for a month.
    "address_verify_positive_refresh_time": "1h",
    "address_verify_positive_expire_time": "3d",
    "address_verify_negative_refresh_time": "1m",
    "address_verify_negative_expire_time": "5m",
    "address_verify_poll_delay": "1s",
}


@dataclass(frozen=True)
class CompiledModes:
    """What the routing modes of domains add to the tables and parameters of a server."""

    rows: tuple[tuple[str, str], ...] = ()
    """Entries of the table ``mail_domains``."""
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
    held: HeldDomains,
    tables: TableNames,
    modes: CompiledModes = CompiledModes(),
) -> SplitConfiguration:
    """Compile the settings of all split domains of a server, and the routing modes of others.

    ``networks_of`` gives the networks of every peer's clients; ``held`` the domains that are the
    server's own without us, and its alias tables, whose addresses are not unknown.
    """
    recipients = (f"${RECIPIENTS}",) if modes.recipients else ()
    groups = peer_groups(settings, networks_of)
    peers = [peer for entry in settings for peer in entry.peers]
    policies = policy_rows(servers_of(settings), {one.subdomain: one.relay for one in peers if one.subdomain})
    guards = guard_tables(settings, (group for _network, group in groups))
    generic = generic_rows(settings)
    catching = [
        (f"@{name}", entry.catch_all)
        for entry in settings
        if entry.catch_all is not None
        for name in (entry.domain, *entry.alias_domains)
    ]
    strict_classes = STRICT_CLASSES if any(entry.verified_peer for entry in settings) else {}
    classes = {
        **{
            group.restriction_class: copy_guard(group, guards, tables) + split_horizon(group.transports, strict_classes)
            for _network, group in groups
        },
        SKIP_CLASS: f"check_recipient_access static:{NO_ANSWER}",
        REFUSE_CLASS: f"check_recipient_access static:{{{UNKNOWN_HERE_AND_THERE}}}",
        UNLISTED_CLASS: f"check_recipient_access static:{{{UNLISTED}}}",
        CALL_AHEAD_CLASS: "permit_mynetworks, permit_sasl_authenticated, reject_unverified_recipient",
        VERIFY_CLASS: "reject_unverified_recipient",
        **(verdict_classes() if strict_classes else {}),
        **({} if modes.remote_restrictions is None else {REMOTE_CLASS: modes.remote_restrictions}),
    }
    calls_ahead = modes.calls_ahead or any(_calls_ahead(entry) for entry in settings)
    laid_over = lay_over_domains(held, tables)
    rows = {entry.domain: _domain_rows(entry, entry.domain in held.names) for entry in settings}
    destinations = [row for name in held.destinations for row in rows[name][:2]]
    if held.users is None:
        # Whoever is unknown was taken before, and still is.
        destinations = [(key, SKIP_CLASS if answer == UNLISTED_CLASS else answer) for key, answer in destinations]
    taken = [row for name, entry in rows.items() for row in entry[2 if name in held.destinations else 0 :]]
    taken += modes.rows
    return SplitConfiguration(
        indexed_tables={
            MAIL_DOMAINS: table_text(taken),
            **({LOCAL_DOMAINS: table_text(destinations)} if destinations else {}),
            WILDCARD_QUESTIONS: table_text(_wildcards([*taken, *destinations])),
            **{name: table_text(entries.items()) for name, entries in laid_over.indexed_tables.items()},
            POLICIES: table_text(policies.items()),
            **({"generic": table_text(generic)} if generic else {}),
            **({"catch_all": table_text(catching)} if catching else {}),
            **(
                {"recipients": table_text((recipient, KNOWN_RECIPIENT) for recipient in modes.recipients)}
                if recipients
                else {}
            ),
        },
        plain_tables={
            **{name: TABLE_HEADER + rules for name, rules in laid_over.plain_tables.items()},
            **{name: TABLE_HEADER + rules for name, rules in QUESTION_PATTERNS.items()},
            **{name: TABLE_HEADER + text for name, text in guards.items()},
            "peers": TABLE_HEADER + "".join(f"{network} {group.restriction_class}\n" for network, group in groups),
        },
        first={
            "virtual_alias_maps": (f"${ALIASES}", *((tables.indexed("catch_all"),) if catching else ())),
            **laid_over.first,
            "transport_maps": (
                f"${ROUTES}",
                *laid_over.first.get("transport_maps", ()),
                f"${DOMAINS}",
            ),
            # In front, so that what is routed elsewhere does not wait for the server's own databases.
            "virtual_mailbox_domains": (f"${DOMAINS}",),
            "virtual_mailbox_maps": (f"${ROUTES}",),
            "smtpd_relay_restrictions": (
                f"check_client_access cidr:{tables.path('peers')}",
                of_unknowns(f"${QUESTION}"),
                *(() if modes.remote_restrictions is None else (OF_REMOTE_DOMAINS,)),
            ),
            **({"smtp_tls_policy_maps": (tables.indexed(POLICIES),)} if policies else {}),
            **({name: (tables.indexed("generic"),) for name in _GENERIC} if generic else {}),
        },
        last={
            **laid_over.last,
            "virtual_mailbox_maps": (*recipients, f"${FORWARDED}"),
            "smtpd_restriction_classes": tuple(sorted(classes)),
            **({"proxy_interfaces": modes.proxy_addresses} if modes.proxy_addresses else {}),
        },
        values={
            **({RECIPIENTS: tables.indexed("recipients")} if recipients else {}),
            **named_tables(
                (*recipients, *held.aliases, *laid_over.known), tables, tuple(strict_classes), bool(destinations)
            ),
            **laid_over.values,
            **classes,
            **(CALL_AHEAD_PARAMETERS if calls_ahead else {}),
            **policy_parameters(servers_of(settings)),
            **({} if modes.queue_lifetime is None else {"maximal_queue_lifetime": modes.queue_lifetime}),
            **({} if modes.best_exchanger is None else {"best_mx_transport": modes.best_exchanger}),
        },
    )


def _calls_ahead(settings: DomainSettings) -> bool:
    return settings.call_ahead and settings.unknown_relay is not None


def _domain_rows(settings: DomainSettings, is_held: bool) -> list[tuple[str, str]]:
    """Give the entries of a domain, those of its other names, and those of the subdomain of the server's own site.

    Its other names are domains like itself, whose known addresses are aliases. In the subdomain only addresses with an
    alias are known; it has a transport as a domain without a fallback has.
    """
    fallback = CLASS_DEFAULT if is_held else settings.local_transport or LAST_RESORT
    names = (settings.domain, *settings.alias_domains)
    rows = [row for name in names for row in _rows(replace(settings, domain=name), fallback)]
    if settings.subdomain is not None:
        rows += _rows(replace(settings, domain=settings.subdomain, unknown=None, catch_all=None), fallback)
    return rows + copy_rows(settings, settings.local_transport or LAST_RESORT)


def _rows(settings: DomainSettings, fallback: str) -> list[tuple[str, str]]:
    """Give the entries of a domain: its fallback route, and what is asked about unknown recipients.

    Both in one table, so that a domain changes as a whole.
    """
    relay = settings.unknown_relay
    if relay is None:
        # Postfix would refuse the unlisted by itself, but for smtpd_reject_unlisted_recipient = no. The fallback is for
        # mail that is submitted on this server itself, which would follow the domain's MX otherwise: this server's own
        # mailboxes are the last place to look. Not error(8), whose answer smtpd(8) remembers as long as it lives.
        answer = UNLISTED_CLASS if settings.catch_all is None else SKIP_CLASS
        return [(settings.domain, fallback), (question_key(settings.domain), answer)]
    answer = CALL_AHEAD_CLASS if settings.call_ahead else SKIP_CLASS
    return [(settings.domain, transport_of(relay)), (question_key(settings.domain), question_of(settings) or answer)]


def _wildcards(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give the rows that lead from ``@domain``, the wildcard of recipient tables, to the question of each domain."""
    return [(f"@{domain}", question_key(domain)) for domain in questions_in(dict(rows))]


def table_text(rows: Iterable[tuple[str, str]]) -> str:
    """Give the text of a lookup table of ours."""
    return TABLE_HEADER + "".join(f"{key}\t{value}\n" for key, value in sorted(rows))
