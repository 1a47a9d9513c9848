# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Writing changes of MX sets by RFC 2136 updates that hold only while nobody else writes. Private to this collection.

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.connection import (
    DnsConnection,
    MessageTooLarge,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    KeyRefused,
    PartlyWritten,
    ServerUnreachable,
    SetKeepsChanging,
    SignatureFailed,
    update_refused,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import dns
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MAX_PREFERENCE, MxRecord

# So often is a change that somebody else overtook read, planned and sent again.
MAX_UPDATES = 10
# Seconds before the second attempt; doubled for each further one, and each time less by chance, so that two who write
# at once come apart.
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
# RFC 2136 section 2.2: what the server says when a prerequisite does not hold.
_OVERTAKEN = ("NXRRSET", "YXRRSET", "NXDOMAIN", "YXDOMAIN")
# Deleted in a rehearsal; such a record cannot be meant by anybody (RFC 2606: .invalid).
_NOBODYS_RECORD = MxRecord(MAX_PREFERENCE, "rehearsal.invalid")
Replan = Callable[[Sequence[Change]], "list[Change]"]


def write(connection: DnsConnection, changes: Sequence[Change], replan: Replan, rehearse: bool = False) -> list[Change]:
    """Write the changes that are due, one message for each zone, and give all changes as they came to be.

    Every message requires each set to be as it was read (RFC 2136 sections 2.4.2 and 2.4.3); where one is not, nothing
    of the message is written, ``replan`` reads and plans its changes again, and the message is sent anew. With
    ``rehearse`` the same messages go out with deletions of a record that is not there in place of the changes: the
    server checks prerequisites and permissions and writes nothing.

    Raises ServerRefused, ServerUnreachable, SignatureFailed or SetKeepsChanging when nothing was written, and
    PartlyWritten, which tells what was, when a later message failed.
    """
    outcome = {change.name: change for change in changes}
    batches = deque(_by_zone(changes))
    done: list[Sequence[Change]] = []
    while batches:
        batch = batches.popleft()
        try:
            written = _write_batch(connection, batch, replan, rehearse)
        except MessageTooLarge:
            if len(batch) == 1:
                raise
            # Found out by trying, because how well names compress is known only when the message is made.
            middle = len(batch) // 2
            batches.extendleft([batch[middle:], batch[:middle]])
            continue
        except SplitDomainError as error:
            if not done or rehearse:
                raise
            raise _partly_written(done, batch, list(batches), error) from error
        done.append(batch)
        outcome.update({change.name: change for change in written})
    return list(outcome.values())


def _by_zone(changes: Sequence[Change]) -> list[list[Change]]:
    zones: dict[str, list[Change]] = {}
    for change in changes:
        if change.is_due:
            zones.setdefault(change.zone, []).append(change)
    return list(zones.values())


def _write_batch(connection: DnsConnection, batch: Sequence[Change], replan: Replan, rehearse: bool) -> list[Change]:
    """Write the changes of one zone in one message, again and again where they were overtaken."""
    current = list(batch)
    was_changed = False
    for attempt in range(MAX_UPDATES):
        due = [change for change in current if change.is_due]
        if not due:
            return current
        zone = due[0].zone
        rcode = connection.update(_message(due, rehearse)).rcode
        if rcode == "NOERROR":
            return current
        if rcode == "REFUSED":
            # PowerDNS says so where somebody made a name an alias in between; then planning again tells that.
            replan(current)
        if rcode not in _OVERTAKEN:
            raise update_refused(connection.party, zone, rcode)
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        time.sleep(random.uniform(0, longest))  # noqa: S311 - no secret
        before, current = current, replan(current)
        was_changed = was_changed or current != before
    if not was_changed:
        raise update_refused(connection.party, zone, rcode)
    raise SetKeepsChanging(
        f"{connection.party} refused {MAX_UPDATES} updates of the zone {zone} because an MX set was changed by "
        f"somebody else after it had been read ({rcode}): find who else writes these sets, then run the task again"
    )


def _message(batch: Sequence[Change], rehearse: bool) -> dns.update.UpdateMessage:
    message = dns.update.UpdateMessage(dns.name.from_text(batch[0].zone))
    for change in batch:
        name = dns.name.from_text(change.name)
        if change.before.records:
            # RFC 2136 section 2.4.2: exactly these records and no others; TTLs are not compared.
            message.present(name, *[_rdata(record) for record in change.before.records])
        else:
            message.absent(name, dns.rdatatype.MX)
        if rehearse:
            message.delete(name, _rdata(_NOBODYS_RECORD))
            continue
        if change.before.records:
            message.delete(name, dns.rdatatype.MX)
        if change.after.records:
            message.add(name, change.after.ttl, *[_rdata(record) for record in change.after.records])
    return message


def _rdata(record: MxRecord) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.MX, str(record))


def _partly_written(
    done: Sequence[Sequence[Change]],
    failed: Sequence[Change],
    left: Sequence[Sequence[Change]],
    error: SplitDomainError,
) -> PartlyWritten:
    """Tell by zone and number of names what was written before a message failed, and what was not."""
    # Without a reply that can be trusted nobody knows what became of the message.
    is_unknown = isinstance(error, (ServerUnreachable, SignatureFailed)) and not isinstance(error, KeyRefused)
    lists = (
        ("written", done),
        ("not known", [failed] if is_unknown else []),
        ("not written", left if is_unknown else [failed, *left]),
    )
    told = "; ".join(f"{word}: {_listed(batches)}" for word, batches in lists if batches)
    return PartlyWritten(f"{error} - {told}; run the task again when the cause is gone, what is written stays as it is")


def _listed(batches: Sequence[Sequence[Change]]) -> str:
    names: dict[str, int] = {}
    for batch in batches:
        names[batch[0].zone] = names.get(batch[0].zone, 0) + len(batch)
    return ", ".join(f"{zone} ({count} {'name' if count == 1 else 'names'})" for zone, count in names.items())
