# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The whole way of one address through a Postfix server: at RCPT, through aliases, to its last hop here. Pure. Private.

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.journal import (
    Journal,
    TraceDestination,
    shown_hit,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.local import (
    LOCAL_SERVICE,
    LocalWay,
    deliver_locally,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import Asking, together
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.reception import (
    Reception,
    TraceAnswer,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.resolving import (
    BOUNCE,
    RETRY,
    RecipientListing,
    Sender,
    find_listing,
    resolve,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.rewriting import (
    expand_aliases,
    full_address,
    rewrite_canonical,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.settings import TraceSettings

# Stages at which an address is replaced by others.
_REPLACING = ("canonical", "alias", "local_alias")


@dataclass(frozen=True)
class TracedAddress:
    """What was found out about one address."""

    address: str
    resolved: TraceDestination
    """Where it would go if no alias were applied; its class is that of the address."""
    listing: RecipientListing
    answer: TraceAnswer
    destinations: tuple[TraceDestination, ...]
    journal: Journal

    def shown(self) -> dict[str, Any]:
        """Give the trace as the module returns it."""
        only = self.destinations[0] if len(self.destinations) == 1 else None
        steps = [step.shown() for step in self.journal.steps]
        return {
            "address": self.address,
            "class": self.resolved.address_class,
            "class_decided_by": shown_hit(self.resolved.class_by),
            "known": self.listing.is_known,
            "known_by": shown_hit(self.listing.by) if self.listing.by and self.listing.is_known else None,
            "at_rcpt": self.answer.shown(),
            "aliases": [step for step in steps if step["stage"] in _REPLACING],
            "destinations": [destination.shown() for destination in self.destinations],
            "transport": only.transport if only else None,
            "nexthop": only.nexthop if only else None,
            "decided_by": shown_hit(only.decided_by) if only else None,
            "steps": steps,
        }


def trace_address(settings: TraceSettings, address: str, sender: Sender) -> Asking[TracedAddress]:
    """Follow one address through the server."""
    journal = Journal()
    # What smtpd(8) finds is not yet what is done with the mail: aliases come later. It is told by its results alone.
    resolved = yield from resolve(settings, full_address(settings, address), sender, Journal())
    listing = yield from find_listing(settings, resolved)
    answer = yield from Reception(settings, resolved, listing, journal).answer()
    destinations = yield from _deliver(settings, address, sender, journal, frozenset())
    return TracedAddress(address, resolved, listing, answer, destinations, journal)


def _deliver(
    settings: TraceSettings, address: str, sender: Sender, journal: Journal, before: frozenset[str]
) -> Asking[tuple[TraceDestination, ...]]:
    """Give where mail for an address is handed to; ``before`` are the addresses from which local(8) forwarded it."""
    recipient = full_address(settings, address)
    final: tuple[str, ...] = (recipient,)
    if "no_address_mappings" not in settings.words("receive_override_options"):
        recipient = yield from rewrite_canonical(settings, recipient, journal)
        expansion = yield from expand_aliases(settings, recipient, journal)
        if expansion.circle is not None:
            resolved = yield from resolve(settings, recipient, sender, Journal())
            reason = "4.6.0 Alias expansion error: aliases name each other in a circle"
            return (replace(resolved, transport=RETRY, nexthop=reason, decided_by=expansion.circle),)
        final = expansion.addresses
    found = yield from together([_hand_over(settings, one, sender, journal, before) for one in final])
    return tuple(dict.fromkeys(destination for ones in found for destination in ones))


def _hand_over(
    settings: TraceSettings, address: str, sender: Sender, journal: Journal, before: frozenset[str]
) -> Asking[tuple[TraceDestination, ...]]:
    found = yield from resolve(settings, address, sender, journal)
    if found.transport != LOCAL_SERVICE:
        return (found,)
    name = address.lower()
    if name in before:
        return (replace(found, transport=BOUNCE, nexthop=f"5.4.6 mail forwarding loop for {address}"),)

    def again(forwarded: str) -> Asking[tuple[TraceDestination, ...]]:
        return _deliver(settings, forwarded, sender, journal, before | {name})

    return (yield from deliver_locally(LocalWay(settings, sender, journal, again), found))
