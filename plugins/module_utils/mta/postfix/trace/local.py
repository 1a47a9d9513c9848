# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What local(8) makes of an address of the class local: aliases(5), other transports, mailboxes. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.journal import (
    Journal,
    TraceDestination,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import (
    Asking,
    Hit,
    Key,
    Table,
    TableList,
    parts_of,
    search,
    together,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.resolving import (
    BOUNCE,
    Sender,
    resolve,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.rewriting import (
    full_address,
    listed_items,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.settings import TraceSettings

# The transport whose program is local(8).
LOCAL_SERVICE = "local"
_USERS = TableList("local_transport", (Table("unix:passwd.byname", takes_parts=True),))
_NAME = re.compile(r"\$(?:(\w+)|\{(\w+)\}|\((\w+)\))")
Again = Callable[[str], Asking[tuple[TraceDestination, ...]]]
"""Takes the way of an address from its beginning, as mail that local(8) forwards takes it."""


@dataclass(frozen=True)
class LocalWay:
    """What stays the same while local(8) expands one recipient."""

    settings: TraceSettings
    sender: Sender
    journal: Journal
    again: Again


@dataclass(frozen=True)
class Alias:
    """An entry of aliases(5) on the way."""

    hit: Hit
    names: tuple[str, ...]
    """The aliases that led to it, itself last."""
    forwards: bool
    """Whether its members get mail of their own, since there is an ``owner-`` alias for it."""


def deliver_locally(
    way: LocalWay, found: TraceDestination, before: tuple[str, ...] = ()
) -> Asking[tuple[TraceDestination, ...]]:
    """Give where mail goes that local(8) is to deliver; ``before`` are the aliases that led here, the last one last."""
    folded = found.recipient.lower()
    local_part = parts_of(folded)[0]
    user, extension = way.settings.extensions.split(local_part)
    # An alias that names itself is the user of that name.
    names = [Key(local_part, is_part=False)] + ([Key(user, is_part=False, extension=extension)] if extension else [])
    hit = yield from search(
        way.settings.tables("alias_maps"), [key for key in names if not before or key.text != before[-1]]
    )
    if hit is None or hit.key is None:
        return ((yield from _deliver_to_mailbox(way, found, user, extension)),)
    way.journal.note("local_alias", found.recipient, hit, hit.value or "")
    if hit.key in before:
        return (replace(found, transport=BOUNCE, nexthop="5.4.6 alias database loop", decided_by=hit),)
    owner = None
    if way.settings.extensions.owner_request_special:
        owner = yield from search(way.settings.tables("alias_maps"), [Key(f"owner-{hit.key}", is_part=False)])
    alias = Alias(hit, (*before, hit.key), forwards=owner is not None)
    members = [_deliver_member(way, found, alias, item) for item in listed_items(hit.value or "")]
    return tuple(one for ones in (yield from together(members)) for one in ones)


def _deliver_member(
    way: LocalWay, found: TraceDestination, alias: Alias, item: str
) -> Asking[tuple[TraceDestination, ...]]:
    """Give where one member of an alias goes: a command, a file, or an address."""
    hit = alias.hit
    bare = item[1:-1] if item.startswith('"') and item.endswith('"') else item
    if bare.startswith(("|", "/", ":include:")):
        return (replace(found, recipient=bare, decided_by=hit),)
    address = full_address(way.settings, item)
    if hit.extension and way.settings.propagates("alias"):
        local_part, domain = parts_of(address)
        address = f"{local_part}{hit.extension}@{domain}"
    if alias.forwards:
        return (yield from way.again(address))
    target = yield from resolve(way.settings, address, way.sender, Journal())
    if target.transport != found.transport:
        return (yield from way.again(address))
    return (yield from deliver_locally(way, target, alias.names))


def _deliver_to_mailbox(way: LocalWay, found: TraceDestination, user: str, extension: str) -> Asking[TraceDestination]:
    """Give where mail for a user goes who is no alias; the order is that of local(8)."""
    settings = way.settings
    passed = yield from _other_transport(way, found, user, "mailbox_transport")
    if passed is not None:
        return passed
    account = yield from search(_USERS, [Key(user)])
    if account is not None:
        way.journal.note("mailbox", found.recipient, replace(account, value=None), f"the mailbox of the user {user}")
        return found
    passed = yield from _other_transport(way, found, user, "fallback_transport")
    if passed is not None:
        return passed
    nobody = Hit("local_transport", _USERS.tables[0].name, user)
    relay = settings.value("luser_relay")
    if relay:
        names = {
            **settings.parameters,
            "user": user,
            "extension": extension[1:],
            "local": parts_of(found.recipient)[0],
            "domain": parts_of(found.recipient)[1],
            "recipient": found.recipient,
        }
        target = full_address(
            settings, _NAME.sub(lambda match: names.get(match.group(match.lastindex or 0), ""), relay)
        )
        by = Hit("luser_relay", value=relay)
        if target.lower() != found.recipient.lower():
            way.journal.note("local_alias", found.recipient, by, target)
            resolved = yield from resolve(settings, target, way.sender, way.journal)
            return replace(resolved, decided_by=by if resolved.transport == LOCAL_SERVICE else resolved.decided_by)
    unknown = replace(found, transport=BOUNCE, nexthop=f'5.1.1 unknown user: "{user}"', decided_by=nobody)
    way.journal.note("mailbox", found.recipient, nobody, f"{unknown.transport}:{unknown.nexthop}")
    return unknown


def _other_transport(
    way: LocalWay, found: TraceDestination, user: str, parameter: str
) -> Asking[TraceDestination | None]:
    """Give the destination by which ``parameter``, or its tables before it, has mail delivered by another agent."""
    by = yield from search(way.settings.tables(f"{parameter}_maps"), [Key(user, is_part=False)])
    if by is None and way.settings.value(parameter):
        by = Hit(parameter, value=way.settings.value(parameter))
    if by is None:
        return None
    transport, _colon, nexthop = (by.value or "").partition(":")
    passed = replace(found, transport=transport, nexthop=nexthop or found.nexthop, decided_by=by)
    way.journal.note("mailbox", found.recipient, by, f"{passed.transport}:{passed.nexthop}")
    return passed
