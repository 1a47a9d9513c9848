# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether a recipient is known: the tables by which smtpd(8) tells unknown recipients, by address class. Pure. Private.

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_actions import REPLY_CODE
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_journal import Destination
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_keys import parts_of
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_lookups import (
    Asking,
    Hit,
    together,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_resolving import (
    BOUNCE,
    LOCAL,
    RELAY,
    RETRY,
    VIRTUAL_ALIAS,
    VIRTUAL_MAILBOX,
    find_rewriting,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_settings import TraceSettings

# What makes an address known whatever its class, in the order of smtpd(8).
_REWRITINGS = ("recipient_canonical_maps", "canonical_maps", "virtual_alias_maps")
_RECIPIENT_TABLES = {
    LOCAL: ("local_recipient_maps", "unknown_local_recipient_reject_code", "local recipient table"),
    VIRTUAL_MAILBOX: ("virtual_mailbox_maps", "unknown_virtual_mailbox_reject_code", "virtual mailbox table"),
    RELAY: ("relay_recipient_maps", "unknown_relay_recipient_reject_code", "relay recipient table"),
}
# Addresses that every local domain has (RFC 5321, section 4.5.1, and Postfix's own).
_ALWAYS_THERE = ("postmaster", "mailer-daemon")


@dataclass(frozen=True)
class Listing:
    """Whether the server knows a recipient."""

    is_known: bool | None
    """None where nobody tells: no list has the domain, or there is no table of its recipients."""
    by: Hit | None = None
    code: int | None = None
    """The reply to an unknown one."""
    text: str = ""


def find_listing(settings: TraceSettings, found: Destination) -> Asking[Listing]:
    """Tell whether the server knows a recipient, given where it would go before any alias is applied."""
    rewritings = yield from together(
        [find_rewriting(settings, parameter, found.recipient) for parameter in _REWRITINGS]
    )
    for hit in rewritings:
        if hit is not None:
            return Listing(True, hit)
    if found.transport in (BOUNCE, RETRY):
        code = 450 if found.transport == RETRY else 550
        if found.address_class == VIRTUAL_ALIAS:
            code = _code(settings, "unknown_virtual_alias_reject_code")
        return Listing(False, found.decided_by, code, found.nexthop)
    if found.address_class not in _RECIPIENT_TABLES:
        return Listing(None)
    return (yield from _find_in_class(settings, found))


def _find_in_class(settings: TraceSettings, found: Destination) -> Asking[Listing]:
    parameter, code_parameter, shown_table = _RECIPIENT_TABLES[found.address_class]
    if not settings.tables(parameter).tables:
        return Listing(None)
    local_part = parts_of(found.recipient)[0].lower()
    if found.address_class == LOCAL and local_part in (*_ALWAYS_THERE, settings.extensions.double_bounce.lower()):
        return Listing(True)
    hit = yield from find_rewriting(settings, parameter, found.recipient)
    if hit is not None:
        return Listing(True, hit)
    return Listing(False, Hit(parameter), _code(settings, code_parameter), f"5.1.1 User unknown in {shown_table}")


def _code(settings: TraceSettings, parameter: str) -> int:
    value = settings.value(parameter)
    return int(value) if REPLY_CODE.fullmatch(value) else 550
