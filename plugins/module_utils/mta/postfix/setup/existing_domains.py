# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Domains that the server's own settings have already, the tables with their users, and where unknown ones go. Private.

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import DomainSettings
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    FALLBACK_TRANSPORT,
    HeldDomains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    expanded,
    read_text_file,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_settings import (
    ALIAS_DOMAINS,
    MAILBOX_DOMAINS,
    MYDESTINATION,
    RELAY_DOMAINS,
    ListedDomain,
    asked,
    foreign_domains,
    own_tables,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.saved_parameters import (
    SavedParameters,
    value_without_ours,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.types import takes_parts
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.server_state import ServerState
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import LOCAL_MODE, REMOTE_MODE

# What makes an address known besides the tables of its class (postconf(5), smtpd_reject_unlisted_recipient).
_REWRITING = ("recipient_canonical_maps", "canonical_maps", "relocated_maps")
_USER_TABLES = ("virtual_mailbox_maps", "local_recipient_maps", "virtual_alias_maps", "transport_maps", *_REWRITING)
_OTHER_NAME = "it is no domain but another name of one, remove it there"
_CURES = {
    MYDESTINATION: _OTHER_NAME,
    MAILBOX_DOMAINS: _OTHER_NAME,
    ALIAS_DOMAINS: "remove it there (its addresses in virtual_alias_maps stay known)",
    RELAY_DOMAINS: "remove it there, and name the server that its mail is relayed to as a site of the split map",
}
# Each of them takes every user, known or not, before or as local(8)'s own last resort (local(8)).
_ACCEPTING_ALL = ("mailbox_transport", "fallback_transport_maps", "luser_relay")
_LOCAL_SERVICE = "local"


def refuse_foreign_domain(name: str, place: ListedDomain, mode: str | None) -> None:
    """Raise ServerStateError for a domain that a setting of the server has already; ``mode`` None is a split."""
    if mode is None:
        raise ServerStateError(
            f"{name} is in {place.parameter} of this server already ({place.element}), where a split cannot be laid "
            f"over it: {_CURES[place.parameter]}, or do not split it on this server"
        )
    raise ServerStateError(
        f"{name} is in {place.parameter} of this server already ({place.element}), and it cannot be {mode} as well: "
        "remove it there, or do not name it in email_routing"
    )


def places_of_its_own(server: PostfixServer, after: ServerState, own_directory: str) -> dict[str, ListedDomain]:
    """Give the domains that the server's own settings deliver here already: split ones, and those of local mode.

    Raises ServerStateError for any other domain that they have in a class, and where a split does not fit one.
    """
    found = foreign_domains(server, after.names, own_directory)
    for name, place in sorted(found.items()):
        mode = after.modes.get(name)
        split = after.domains.get(name)
        fits = split is not None and place.takes_a_split
        if mode is not None and mode.effective == REMOTE_MODE and place.by_parent:
            # Its own relay restrictions have the last word on a subdomain of what is relayed.
            del found[name]
            continue
        if not (fits if mode is None else mode.effective == LOCAL_MODE and place.is_final):
            refuse_foreign_domain(name, place, mode.effective if mode else None)
        if split is not None and split.catch_all is not None:
            raise ServerStateError(
                f"{name} has the catch-all {split.catch_all}, but this server has the domain in {place.parameter} "
                f"({place.element}) with users that nobody lists, whose mail it would take: remove catch_all, and "
                "write such a catch-all into the server's own tables"
            )
    return found


def refuse_held_subdomains(server: PostfixServer, settings: Iterable[DomainSettings], own_directory: str) -> None:
    """Raise ServerStateError for a subdomain of another site whose mail the server's own settings would keep here."""
    owner_of = {
        peer.subdomain: f"the site {peer.site} of {entry.domain}"
        for entry in settings
        for peer in entry.peers
        if peer.subdomain is not None
    }
    for name, place in sorted(foreign_domains(server, owner_of, own_directory).items()):
        if place.is_final:
            raise ServerStateError(
                f"{owner_of[name]} has the subdomain {name}, which is in {place.parameter} of this server "
                f"({place.element}), so that mail rewritten to it would stay here and not reach the site: remove it "
                "there, or give the site another subdomain"
            )


def held_domains(server: PostfixServer, laid_over: Mapping[str, str], own_directory: str) -> HeldDomains:
    """Give the domains that a split is laid over, whose lists ``laid_over`` names, and the server's own tables."""
    own = own_tables(server.config_directory, _USER_TABLES, own_directory)
    return HeldDomains(
        mailbox_domains=tuple(sorted(name for name, list_ in laid_over.items() if list_ == MAILBOX_DOMAINS)),
        destinations=tuple(sorted(name for name, list_ in laid_over.items() if list_ == MYDESTINATION)),
        mailboxes=own["virtual_mailbox_maps"],
        users=own["local_recipient_maps"] or None,
        aliases=own["virtual_alias_maps"],
        rewritten=tuple(table for name in _REWRITING for table in own[name]),
        transports=tuple(table for table in own["transport_maps"] if takes_parts(table, _read_configuration)),
        delimiters=server.parameters.get("recipient_delimiter", ""),
    )


def wildcard_warnings(server: PostfixServer, settings: Iterable[DomainSettings], held: HeldDomains) -> Iterator[str]:
    """Warn of domains whose unknown recipients are forwarded, where the server itself leaves none unknown."""
    for entry in settings:
        if entry.unknown is None or entry.domain not in held.names:
            continue
        place = _takes_everything(server, entry.domain, held)
        if place is not None:
            yield (
                f"{entry.domain} forwards unknown recipients to {entry.unknown}, but {place} of this server takes "
                "every address of it, so that none is unknown here and none forwarded: list the users of the other "
                "sites in a directory, or take that out"
            )


def _takes_everything(server: PostfixServer, domain: str, held: HeldDomains) -> str | None:
    is_destination = domain in held.destinations
    stranger = f"nobody-{secrets.token_hex(8)}@{domain}"
    users = (held.users or ()) if is_destination else held.mailboxes
    for table in dict.fromkeys((*users, *held.aliases)):
        if asked(server.config_directory, table, [f"@{domain}", stranger]):
            return table
    return None


def _read_configuration(path: str) -> str:
    return read_text_file(Path(path)) or ""


# Where local(8) hands over users of split domains in mydestination that it does not know, if it can.


def fallback_of_unknown_users(
    server: PostfixServer, settings: Iterable[DomainSettings], held: HeldDomains, saved: SavedParameters
) -> str | None:
    """Give the ``fallback_transport`` that split domains in mydestination need; None where they need none.

    trivial-rewrite(8) cannot ask for users by their local part, so that local(8) has to find out who is unknown. It
    has one fallback for all domains. Raises ServerStateError where that does not do.
    """
    forwarding = {
        entry.domain: entry for entry in settings if entry.domain in held.destinations and entry.unknown is not None
    }
    relays = {name: transport_of(entry.unknown_relay) for name, entry in forwarding.items() if entry.unknown_relay}
    for name, entry in forwarding.items():
        reason = _obstacle(server, name, held, saved)
        if reason is not None:
            raise ServerStateError(
                f"{name} is in mydestination of this server and forwards unknown recipients to {entry.unknown}, but "
                f"{reason}: leave 'unknown' out for this site, or move the domain to virtual_mailbox_domains"
            )
    if len(set(relays.values())) > 1:
        raise ServerStateError(
            f"{' and '.join(relays)} are in mydestination of this server and forward unknown recipients to different "
            "sites, and local(8) has one fallback for all domains: leave 'unknown' out for all but those of one site, "
            "or move domains to virtual_mailbox_domains"
        )
    return next(iter(relays.values()), None)


def _obstacle(server: PostfixServer, domain: str, held: HeldDomains, saved: SavedParameters) -> str | None:
    """Give why local(8) would not find out who is unknown, as a clause; None where it would."""
    values = expanded(server.config_directory, ["local_transport"])
    if held.users is None:
        return "its local_recipient_maps is empty, so that everybody is taken for known"
    found = (asked(server.config_directory, table, [domain]).get(domain) for table in held.transports)
    transport = next((value for value in found if value), "")
    if transport.startswith(":") or not transport:
        transport = values["local_transport"]
    if transport.partition(":")[0] != _LOCAL_SERVICE:
        return f"its mail goes to {transport}, and not to local(8), which would find out who is unknown"
    for name in _ACCEPTING_ALL:
        if server.parameters.get(name):
            return f"its {name} ({server.parameters[name]}) takes whoever is unknown"
    own = value_without_ours(server.parameters, saved, FALLBACK_TRANSPORT)
    return f"its {FALLBACK_TRANSPORT} ({own}) takes whoever is unknown" if own else None
