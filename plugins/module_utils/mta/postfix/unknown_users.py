# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Where local(8) hands over users of split domains in mydestination that it does not know, if it can. Private.

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import PostfixServer, expanded
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.laid_over import (
    FALLBACK_TRANSPORT,
    HeldDomains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.loan import Loan
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.modes import value_without_ours
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.own_tables import asked
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import DomainSettings

# Each of them takes every user, known or not, before or as local(8)'s own last resort (local(8)).
_TAKING_ALL = ("mailbox_transport", "fallback_transport_maps", "luser_relay")
_LOCAL_SERVICE = "local"


def fallback_of_unknown_users(
    server: PostfixServer, settings: Iterable[DomainSettings], held: HeldDomains, loan: Loan
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
        reason = _obstacle(server, name, held, loan)
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


def _obstacle(server: PostfixServer, domain: str, held: HeldDomains, loan: Loan) -> str | None:
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
    for name in _TAKING_ALL:
        if server.parameters.get(name):
            return f"its {name} ({server.parameters[name]}) takes whoever is unknown"
    own = value_without_ours(server.parameters, loan, FALLBACK_TRANSPORT)
    return f"its {FALLBACK_TRANSPORT} ({own}) takes whoever is unknown" if own else None
