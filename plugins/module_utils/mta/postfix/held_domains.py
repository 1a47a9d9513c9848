# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Domains that the server's own settings have already, and the tables in which they have their users. Private.

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    read_text,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.domain_lists import (
    ALIAS_DOMAINS,
    RELAY_DOMAINS,
    Place,
    foreign_domains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.laid_over import (
    DESTINATIONS,
    MAILBOX_DOMAINS,
    HeldDomains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.own_tables import asked, own_tables
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_types import takes_parts
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.server_state import ServerState
from ansible_collections.mailops.split_domain.plugins.module_utils.routing_mode import LOCAL, REMOTE
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import DomainSettings

# What makes an address known besides the tables of its class (postconf(5), smtpd_reject_unlisted_recipient).
_REWRITING = ("recipient_canonical_maps", "canonical_maps", "relocated_maps")
_USER_TABLES = ("virtual_mailbox_maps", "local_recipient_maps", "virtual_alias_maps", "transport_maps", *_REWRITING)
_OTHER_NAME = "it is no domain but another name of one, remove it there"
_CURES = {
    DESTINATIONS: _OTHER_NAME,
    MAILBOX_DOMAINS: _OTHER_NAME,
    ALIAS_DOMAINS: "remove it there (its addresses in virtual_alias_maps stay known)",
    RELAY_DOMAINS: "remove it there, and name the server that its mail is relayed to as a site of the split map",
}


def refuse_foreign_domain(name: str, place: Place, mode: str | None) -> None:
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


def places_of_its_own(server: PostfixServer, after: ServerState, own_directory: str) -> dict[str, Place]:
    """Give the domains that the server's own settings deliver here already: split ones, and those of local mode.

    Raises ServerStateError for any other domain that they have in a class, and where a split does not fit one.
    """
    found = foreign_domains(server, after.names, own_directory)
    for name, place in sorted(found.items()):
        mode = after.modes.get(name)
        split = after.domains.get(name)
        fits = split is not None and place.takes_a_split
        if mode is not None and mode.effective == REMOTE and place.by_parent:
            # Its own relay restrictions have the last word on a sub-domain of what is relayed.
            del found[name]
            continue
        if not (fits if mode is None else mode.effective == LOCAL and place.is_final):
            refuse_foreign_domain(name, place, mode.effective if mode else None)
        if split is not None and split.catch_all is not None:
            raise ServerStateError(
                f"{name} has the catch-all {split.catch_all}, but this server has the domain in {place.parameter} "
                f"({place.element}) with users that nobody lists, whose mail it would take: remove catch_all, and "
                "write such a catch-all into the server's own tables"
            )
    return found


def refuse_held_subdomains(server: PostfixServer, settings: Iterable[DomainSettings], own_directory: str) -> None:
    """Raise ServerStateError for a sub-domain of another site whose mail the server's own settings would keep here."""
    owner_of = {
        peer.subdomain: f"the site {peer.site} of {entry.domain}"
        for entry in settings
        for peer in entry.peers
        if peer.subdomain is not None
    }
    for name, place in sorted(foreign_domains(server, owner_of, own_directory).items()):
        if place.is_final:
            raise ServerStateError(
                f"{owner_of[name]} has the sub-domain {name}, which is in {place.parameter} of this server "
                f"({place.element}), so that mail rewritten to it would stay here and not reach the site: remove it "
                "there, or give the site another sub-domain"
            )


def held_domains(server: PostfixServer, laid_over: Mapping[str, str], own_directory: str) -> HeldDomains:
    """Give the domains that a split is laid over, whose lists ``laid_over`` names, and the server's own tables."""
    own = own_tables(server.config_directory, _USER_TABLES, own_directory)
    return HeldDomains(
        mailbox_domains=tuple(sorted(name for name, list_ in laid_over.items() if list_ == MAILBOX_DOMAINS)),
        destinations=tuple(sorted(name for name, list_ in laid_over.items() if list_ == DESTINATIONS)),
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
    return read_text(Path(path)) or ""
