# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# From an address to its class, transport and next hop, and whether the recipient is known. Pure. Private.

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.journal import (
    Journal,
    TraceDestination,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import (
    Asking,
    Hit,
    parts_of,
    rewriting_keys,
    search,
    together,
    transport_keys,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.settings import (
    TraceSettings,
    find_member,
)

LOCAL_CLASS = "local"
VIRTUAL_ALIAS_CLASS = "virtual_alias"
VIRTUAL_MAILBOX_CLASS = "virtual_mailbox"
RELAY_CLASS = "relay"
DEFAULT_CLASS = "default"
# In the order in which they are asked (ADDRESS_CLASS_README), with the parameter that names the transport.
_CLASSES = (
    (LOCAL_CLASS, "mydestination", "local_transport"),
    (VIRTUAL_ALIAS_CLASS, "virtual_alias_domains", ""),
    (VIRTUAL_MAILBOX_CLASS, "virtual_mailbox_domains", "virtual_transport"),
    (RELAY_CLASS, "relay_domains", "relay_transport"),
)
_UNDELIVERABLE = "Address is undeliverable"
BAD_SYNTAX = "allow_min_user"
REPLY_CODE = re.compile(r"[2-5][0-9]{2}")
# What makes an address known whatever its class, in the order of smtpd(8).
_REWRITINGS = ("recipient_canonical_maps", "canonical_maps", "virtual_alias_maps")
_RECIPIENT_TABLES = {
    LOCAL_CLASS: ("local_recipient_maps", "unknown_local_recipient_reject_code", "local recipient table"),
    VIRTUAL_MAILBOX_CLASS: ("virtual_mailbox_maps", "unknown_virtual_mailbox_reject_code", "virtual mailbox table"),
    RELAY_CLASS: ("relay_recipient_maps", "unknown_relay_recipient_reject_code", "relay recipient table"),
}
# Addresses that every local domain has (RFC 5321, section 4.5.1, and Postfix's own).
_ALWAYS_THERE = ("postmaster", "mailer-daemon")
"""The parameter without which an address may not begin with a hyphen."""
BOUNCE = "error"
RETRY = "retry"


@dataclass(frozen=True)
class Sender:
    """The envelope sender of the mail, for what depends on it; None where none was given."""

    address: str | None = None

    def lookup_address(self, null_sender_key: str) -> str:
        """Give the address to look up; the null sender has a name of its own."""
        return self.address or null_sender_key


def is_own_domain(settings: TraceSettings, domain: str) -> Asking[bool]:
    """Tell whether a domain is $myorigin or in $mydestination, where users are looked for without it too."""
    if domain.lower() == settings.value("myorigin").lower():
        return True
    return (yield from find_member(settings.domains("mydestination"), domain)) is not None


def find_rewriting(settings: TraceSettings, parameter: str, address: str) -> Asking[Hit | None]:
    """Look an address up in tables that have the keys of virtual(5)."""
    tables = settings.tables(parameter)
    if not tables.tables:
        return None
    is_local = yield from is_own_domain(settings, parts_of(address)[1])
    return (yield from search(tables, rewriting_keys(address, settings.extensions, is_local)))


def resolve(settings: TraceSettings, address: str, sender: Sender, journal: Journal) -> Asking[TraceDestination]:
    """Tell where an address goes that no alias changes any more."""
    found = yield from _classify(settings, address, sender)
    journal.note("class", address, found.class_by, found.address_class)
    if found.address_class != VIRTUAL_ALIAS_CLASS:
        keys = transport_keys(address, settings.extensions, settings.parents_match("transport_maps"))
        entry = yield from search(settings.tables("transport_maps"), keys)
        if entry is not None and (entry.value or "").strip() != ":":
            found = _with_entry(found, entry)
    moved = yield from find_rewriting(settings, "relocated_maps", address)
    if moved is not None:
        found = replace(found, transport=BOUNCE, nexthop=f"5.1.6 User has moved to {moved.value}", decided_by=moved)
    if address.startswith("-") and not settings.is_on(BAD_SYNTAX):
        found = replace(
            found,
            transport=BOUNCE,
            nexthop="5.1.3 Bad recipient address syntax",
            decided_by=Hit(BAD_SYNTAX, value=settings.value(BAD_SYNTAX)),
        )
    journal.note("transport", address, found.decided_by, f"{found.transport}:{found.nexthop}")
    return found


def _classify(settings: TraceSettings, address: str, sender: Sender) -> Asking[TraceDestination]:
    domain = parts_of(address)[1]
    for address_class, parameter, transport in _CLASSES:
        member = yield from find_member(settings.domains(parameter), domain)
        if member is None:
            continue
        if address_class == VIRTUAL_ALIAS_CLASS:
            unknown = "5.1.1 User unknown in virtual alias table"
            return TraceDestination(address, address_class, member, BOUNCE, unknown, member)
        if address_class == RELAY_CLASS:
            setting = Hit(transport, value=settings.value(transport))
            return (
                yield from _outwards(settings, TraceDestination(address, RELAY_CLASS, member, "", "", setting), sender)
            )
        setting = Hit(transport, value=settings.value(transport))
        return _with_setting(TraceDestination(address, address_class, member, "", domain, setting))
    setting = Hit("default_transport", value=settings.value("default_transport"))
    if sender.address is not None:
        key = sender.lookup_address(settings.value("empty_address_default_transport_maps_lookup_key"))
        entry = yield from find_rewriting(settings, "sender_dependent_default_transport_maps", key)
        if entry is not None and (entry.value or "").upper() != "DUNNO":
            setting = entry
    return (yield from _outwards(settings, TraceDestination(address, DEFAULT_CLASS, setting, "", "", setting), sender))


def _outwards(settings: TraceSettings, found: TraceDestination, sender: Sender) -> Asking[TraceDestination]:
    """Choose the next hop of mail that leaves: relayhost, the sender's before everybody's, or the domain itself."""
    chosen: Hit | None = None
    if sender.address is not None:
        key = sender.lookup_address(settings.value("empty_address_relayhost_maps_lookup_key"))
        chosen = yield from find_rewriting(settings, "sender_dependent_relayhost_maps", key)
        if chosen is not None and (chosen.value or "").upper() == "DUNNO":
            chosen = None
    if chosen is None and settings.value("relayhost"):
        chosen = Hit("relayhost", value=settings.value("relayhost"))
    transport = found.decided_by
    found = _with_setting(replace(found, nexthop=parts_of(found.recipient)[1]))
    # A next hop in the transport itself comes before any relayhost.
    if chosen is None or (transport.value or "").partition(":")[2]:
        return found
    return replace(found, nexthop=chosen.value or "", decided_by=chosen)


def _with_setting(found: TraceDestination) -> TraceDestination:
    """Give the destination that the value of a transport parameter, ``transport`` or ``transport:nexthop``, makes."""
    transport, _colon, nexthop = (found.decided_by.value or "").partition(":")
    return replace(found, transport=transport, nexthop=nexthop or found.nexthop)


def _with_entry(found: TraceDestination, entry: Hit) -> TraceDestination:
    """Give the destination that an entry of transport(5) makes of another one."""
    transport, _colon, nexthop = (entry.value or "").partition(":")
    if not transport:
        return replace(found, nexthop=nexthop or found.nexthop, decided_by=entry)
    if not nexthop:
        nexthop = _UNDELIVERABLE if transport in (BOUNCE, RETRY) else parts_of(found.recipient)[1]
    return replace(found, transport=transport, nexthop=nexthop, decided_by=entry)


# Whether a recipient is known: the tables by which smtpd(8) tells unknown recipients, by address class.


@dataclass(frozen=True)
class RecipientListing:
    """Whether the server knows a recipient."""

    is_known: bool | None
    """None where nobody tells: no list has the domain, or there is no table of its recipients."""
    by: Hit | None = None
    code: int | None = None
    """The reply to an unknown one."""
    text: str = ""


def find_listing(settings: TraceSettings, found: TraceDestination) -> Asking[RecipientListing]:
    """Tell whether the server knows a recipient, given where it would go before any alias is applied."""
    rewritings = yield from together(
        [find_rewriting(settings, parameter, found.recipient) for parameter in _REWRITINGS]
    )
    for hit in rewritings:
        if hit is not None:
            return RecipientListing(True, hit)
    if found.transport in (BOUNCE, RETRY):
        code = 450 if found.transport == RETRY else 550
        if found.address_class == VIRTUAL_ALIAS_CLASS:
            code = _code(settings, "unknown_virtual_alias_reject_code")
        return RecipientListing(False, found.decided_by, code, found.nexthop)
    if found.address_class not in _RECIPIENT_TABLES:
        return RecipientListing(None)
    return (yield from _find_in_class(settings, found))


def _find_in_class(settings: TraceSettings, found: TraceDestination) -> Asking[RecipientListing]:
    parameter, code_parameter, shown_table = _RECIPIENT_TABLES[found.address_class]
    if not settings.tables(parameter).tables:
        return RecipientListing(None)
    local_part = parts_of(found.recipient)[0].lower()
    if found.address_class == LOCAL_CLASS and local_part in (*_ALWAYS_THERE, settings.extensions.double_bounce.lower()):
        return RecipientListing(True)
    hit = yield from find_rewriting(settings, parameter, found.recipient)
    if hit is not None:
        return RecipientListing(True, hit)
    return RecipientListing(
        False, Hit(parameter), _code(settings, code_parameter), f"5.1.1 User unknown in {shown_table}"
    )


def _code(settings: TraceSettings, parameter: str) -> int:
    value = settings.value(parameter)
    return int(value) if REPLY_CODE.fullmatch(value) else 550
