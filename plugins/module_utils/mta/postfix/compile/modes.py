# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the routing modes of domains compile to on a Postfix server. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.model.mode_settings import (
    RoutingSettings,
    seconds_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    CALL_AHEAD_CLASS,
    REMOTE_CLASS,
    UNLISTED_CLASS,
    question_key,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import (
    LAST_RESORT,
    CompiledModes,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import RELAY_SERVICE
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import (
    BACKUP_MODE,
    LOCAL_MODE,
    REMOTE_MODE,
)

RELAY_RESTRICTIONS = "smtpd_relay_restrictions"
PROXIES = "proxy_interfaces"
BEST_EXCHANGER = "best_mx_transport"
# Where MX records name this server first, Postfix would bounce what a backup has taken, or own users send to a remote
# domain.
HOLD = "retry:4.4.6 the MX records name this server itself first"
# What Postfix has by default (postconf(5)), for a server that has its relay rules elsewhere.
_USUAL = "permit_mynetworks, permit_sasl_authenticated"
_LENIENT = re.compile(r"(?<![^\s,])(?:defer_unauth_destination|permit_auth_destination|permit_mx_backup)(?![^\s,])")


def compile_modes(
    entries: Sequence[RoutingSettings],
    restrictions: str,
    known_proxies: Sequence[str] = (),
    best_exchanger: str = "",
) -> CompiledModes:
    """Compile the routing modes of all domains of a server that its own settings do not have.

    ``restrictions``, ``known_proxies`` and ``best_exchanger`` are the server's smtpd_relay_restrictions,
    proxy_interfaces and best_mx_transport without our part. A backup needs its addresses behind NAT among the proxies,
    or Postfix would not know itself among the exchangers.
    """
    taken = [entry for entry in entries if entry.effective != REMOTE_MODE]
    backups = [entry for entry in entries if entry.effective == BACKUP_MODE]
    waits = any(entry.effective != LOCAL_MODE for entry in entries)
    lifetimes = [entry.queue_lifetime for entry in backups if entry.queue_lifetime is not None]
    return CompiledModes(
        rows=tuple(row for entry in entries for row in _rows(entry)),
        recipients=tuple(recipient for entry in taken for recipient in entry.recipients),
        remote_restrictions=_strict(restrictions) if len(taken) < len(entries) else None,
        calls_ahead=any(entry.call_ahead for entry in taken),
        queue_lifetime=max(lifetimes, key=seconds_of, default=None),
        proxy_addresses=tuple(
            sorted({address for entry in backups for address in entry.own_addresses} - set(known_proxies))
        ),
        best_exchanger=HOLD if waits and not best_exchanger else None,
    )


def _rows(entry: RoutingSettings) -> list[tuple[str, str]]:
    question = (question_key(entry.domain), CALL_AHEAD_CLASS if entry.call_ahead else UNLISTED_CLASS)
    if entry.effective == LOCAL_MODE:
        return [(entry.domain, entry.local_transport or LAST_RESORT), question]
    if entry.effective == BACKUP_MODE:
        # By MX: Postfix takes itself and all exchangers after it from the list.
        return [(entry.domain, f"{RELAY_SERVICE}:{entry.domain}"), question]
    # In no address class, and so without a route: its mail goes where all other mail goes.
    return [(question_key(entry.domain), REMOTE_CLASS)]


def _strict(restrictions: str) -> str:
    """Give relay restrictions as the server has them, but that a stranger gets a final answer.

    The last word is for subdomains of what relay_domains has, which Postfix relays to as well.
    """
    kept = _LENIENT.sub("", restrictions).strip(" ,\t\n")
    kept = re.sub(r"(?:,\s*){2,}", ", ", kept) or _USUAL
    return f"{kept}, reject_unauth_destination, reject"
