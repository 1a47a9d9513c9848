# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a split laid over domains that the server has already compiles to: their users stay, unlisted. Pure. Private.
#
# The mechanisms and their reasons are explained in docs/architecture/existing_domains.md.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    FORWARDED,
    LOCAL_DOMAINS,
    ROUTES,
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import RELAY_SERVICE

FALLBACK_TRANSPORT = "fallback_transport"
# transport(5): deliver as if there were no transport table.
CLASS_DEFAULT = ":"
# All tables that are there for such domains alone.
LAID_OVER_TABLES = (
    "address",
    "bare_address",
    "kept_domain",
    LOCAL_DOMAINS,
    "own_address",
    "own_domain",
    "own_user",
    "reserved",
    "routable_address",
    "routed_address",
    "user_part",
    "wildcard",
    "wildcards",
)
# Parameters that give tables a name.
ROUTED = "split_domain_routed"
MAILBOXES = "split_domain_own_mailboxes"
REWRITTEN = "split_domain_own_rewritten"
USERS = "split_domain_own_users"
REWRITTEN_USERS = "split_domain_own_rewritten_users"
KEPT = "split_domain_kept"
WILDCARD = "split_domain_kept_wildcard"


@dataclass(frozen=True)
class HeldDomains:
    """Domains of the server's own that a split is laid over, and its own tables, where their users are."""

    mailbox_domains: tuple[str, ...] = ()
    """Those in virtual_mailbox_domains."""
    destinations: tuple[str, ...] = ()
    """Those in mydestination."""
    mailboxes: tuple[str, ...] = ()
    """The tables of virtual_mailbox_maps."""
    users: tuple[str, ...] | None = None
    """The tables of local_recipient_maps; None where it is empty, so that local(8) says who is known."""
    aliases: tuple[str, ...] = ()
    """The tables of virtual_alias_maps."""
    rewritten: tuple[str, ...] = ()
    """Other tables whose addresses the server takes: canonical(5) and relocated(5)."""
    transports: tuple[str, ...] = ()
    """The tables of transport_maps that are asked for domains."""
    delimiters: str = ""
    """recipient_delimiter."""
    fallback: str | None = None
    """Where local(8) hands over users of ``destinations`` that it does not know; None where nowhere."""

    @property
    def names(self) -> frozenset[str]:
        """All domains that the split is laid over."""
        return frozenset({*self.mailbox_domains, *self.destinations})


@dataclass(frozen=True)
class LaidOver:
    """What these domains add to the tables and parameters of a server with split domains."""

    indexed_tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    plain_tables: Mapping[str, str] = field(default_factory=dict)
    """Rules of regexp_table(5) by the table's name."""
    first: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    last: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    """Tables that have the addresses nobody needs to be asked about."""


def lay_over_domains(held: HeldDomains, tables: TableNames) -> LaidOver:
    """Compile what keeps the users of the server's own domains where they are, under the split.

    smtpd(8) asks the server's own tables only for addresses of these domains that have no route elsewhere, so that
    their failure does not hold that mail up. trivial-rewrite(8) puts no part of a key into a result, and has to ask
    them for every address that no table before them has.
    """
    if not held.names:
        return LaidOver()
    patterns = _Patterns(tables)
    known = _known(held, patterns)
    mailboxes = _mailboxes(held, tables, patterns) if held.mailbox_domains else LaidOver()
    has_user_tables = bool(held.destinations) and held.users is not None
    return LaidOver(
        indexed_tables=mailboxes.indexed_tables,
        plain_tables=_rules(held),
        first={**mailboxes.first, **({"local_recipient_maps": (f"${ROUTES}",)} if has_user_tables else {})},
        last={
            **mailboxes.last,
            **({"local_recipient_maps": (f"${FORWARDED}",)} if has_user_tables else {}),
            **({"virtual_alias_maps": (_routes_as_aliases(patterns),)} if held.aliases else {}),
        },
        values={
            ROUTED: _routed(held, patterns),
            **mailboxes.values,
            **known,
            **({} if held.fallback is None else {FALLBACK_TRANSPORT: held.fallback}),
        },
        known=tuple(f"${name}" for name in known),
    )


def _mailboxes(held: HeldDomains, tables: TableNames, patterns: _Patterns) -> LaidOver:
    """Compile what keeps the users of virtual_mailbox_domains from the fallback of their domain."""
    transports = (*held.transports, f"static:{CLASS_DEFAULT}")
    kept = f"unionmap:{{{','.join((f'${ROUTES}', patterns['own_domain'], *held.mailboxes))}}}"
    wildcards = tables.indexed("wildcards")
    taken = ",".join((wildcards, *(f"pipemap:{{{wildcards},{table}}}" for table in held.mailboxes)))
    return LaidOver(
        indexed_tables={"wildcards": {name: f"@{name}" for name in held.mailbox_domains}},
        first={"transport_maps": tuple(f"pipemap:{{${WILDCARD},{table}}}" for table in transports)},
        # A known user's address is answered with what transport_maps says of the domain, or with its class's own.
        last={"transport_maps": tuple(f"pipemap:{{${KEPT},{table}}}" for table in transports)},
        values={
            KEPT: f"pipemap:{{{kept},{patterns['kept_domain']}}}",
            WILDCARD: f"pipemap:{{unionmap:{{{taken}}},{patterns['kept_domain']}}}",
        },
    )


@dataclass(frozen=True)
class _Patterns:
    """The tables of patterns that take keys apart, by name."""

    tables: TableNames

    def __getitem__(self, name: str) -> str:
        return f"regexp:{self.tables.path(name)}"


def _known(held: HeldDomains, patterns: _Patterns) -> dict[str, str]:
    """Give the tables that know an unrouted address of these domains, by the name of their parameter."""
    others = (*held.aliases, *held.rewritten)
    found: dict[str, tuple[str, ...]] = {}
    if held.mailbox_domains:
        own = patterns["own_address"]
        found[MAILBOXES] = (own, *held.mailboxes, *_by("wildcard", held.mailboxes, patterns))
        found[REWRITTEN] = (own, *held.rewritten, *_by("wildcard", others, patterns))
    if held.destinations:
        # Tables for domains of mydestination may have a user's name alone, too.
        own = patterns["own_user"]
        users = held.users or ()
        both = [(USERS, (*users, patterns["reserved"]), users), (REWRITTEN_USERS, held.rewritten, others)]
        for name, whole, parts in both:
            found[name] = (own, *whole, *_by("wildcard", parts, patterns), *_by("user_part", parts, patterns))
    return {
        name: f"pipemap:{{pipemap:{{${ROUTED},{own}}},unionmap:{{{','.join(tables)}}}}}"
        for name, (own, *tables) in found.items()
        if tables
    }


def _routed(held: HeldDomains, patterns: _Patterns) -> str:
    """Give the table that answers an address with its routes, those of the user behind a subaddress too, and itself."""
    bare = (f"pipemap:{{{patterns['bare_address']},${ROUTES}}}",) if held.delimiters else ()
    return f"unionmap:{{{','.join((f'${ROUTES}', *bare, patterns['address']))}}}"


def _rules(held: HeldDomains) -> dict[str, str]:
    rules = {"address": "/^(.+)$/ $1\n", "wildcard": "/^.+@([^@]+)$/ @$1\n"}
    # Behind the routes that an address has stands the address: what has no route is the address alone.
    unrouted = 'if !/^[^",]*,/\n/^(.+@(%s))$/ $1\nendif\n'
    if held.mailbox_domains:
        rules["own_address"] = unrouted % _any_of(held.mailbox_domains)
        # For trivial-rewrite(8), each domain by itself.
        rules["own_domain"] = "".join(f"/@{_pattern(name)}$/ {name}\n" for name in held.mailbox_domains)
        rules["kept_domain"] = "".join(f"/^@?{_pattern(name)},/ {name}\n" for name in held.mailbox_domains)
    if held.destinations:
        rules["own_user"] = unrouted % _any_of(held.destinations)
        rules["user_part"] = "/^(.+)@[^@]+$/ $1\n"
        # Whom smtpd(8) takes for known in mydestination without asking anybody.
        rules["reserved"] = f"/^(postmaster|mailer-daemon|double-bounce)@({_any_of(held.destinations)})$/ known\n"
    if held.aliases:
        # Of any other, a part could look like a route and an address behind it: "relay:,ann"@example.com.
        rules["routable_address"] = '/^([^",:@]+@[^@]+)$/ $1\n'
        rules["routed_address"] = f"/^{RELAY_SERVICE}:.*,([^,]+@({_any_of(sorted(held.names))}))$/ $1\n"
    if held.delimiters:
        others, one = f"[^{_inside_brackets('@' + held.delimiters)}]", _one_of(held.delimiters)
        edge = next(sign for sign in "/!%~" if sign not in held.delimiters)
        rules["bare_address"] = f"{edge}^({others}+){one}[^@]*(@[^@]+)${edge} $1$2\n"
    return rules


def _any_of(domains: Iterable[str]) -> str:
    return "|".join(map(_pattern, domains))


def _pattern(domain: str) -> str:
    return domain.replace(".", "\\.")


def _one_of(characters: str) -> str:
    """Give the expression of regex(7) for one of some characters."""
    inside = _inside_brackets(characters)
    if inside == "^":
        return "\\^"
    # A caret that comes first would mean all others; only a hyphen can be with it then.
    return f"[{inside[1:]}^]" if inside.startswith("^") else f"[{inside}]"


def _inside_brackets(characters: str) -> str:
    """Give characters so that each stands for itself in a bracket expression of regex(7)."""
    return "".join(sorted(set(characters), key=lambda one: (one == "-", one == "^", one != "]", one)))


def _by(name: str, tables: Sequence[str], patterns: _Patterns) -> tuple[str, ...]:
    return tuple(f"pipemap:{{{patterns[name]},{table}}}" for table in tables)


def _routes_as_aliases(patterns: _Patterns) -> str:
    """Give the table that makes a routed address its own alias, for a wildcard alias would take the mail otherwise."""
    return f"pipemap:{{unionmap:{{${ROUTES},{patterns['routable_address']}}},{patterns['routed_address']}}}"
