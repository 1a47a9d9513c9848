# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The plan of an MX publication: each set as it is and as it is to be. Pure. Private to this collection.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.wanted import (
    ABSENT,
    EXACT,
    PRESENT,
    WantedSet,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import AliasInTheWay
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet, Reading, check_set

# Seconds, for a new set whose TTL nobody named.
DEFAULT_TTL = 3600


@dataclass(frozen=True)
class Change:
    """One MX set of one zone as it was read and as it is to be; the same on both sides when nothing is to be done."""

    zone: str
    name: str
    before: MxSet
    after: MxSet

    @property
    def is_due(self) -> bool:
        """Tell whether something is to be written."""
        return self.before != self.after

    def told(self) -> dict[str, Any]:
        """Give the change as a module returns it."""
        return {
            "name": self.name,
            "zone": self.zone,
            "before": _described(self.before),
            "after": _described(self.after),
            "changed": self.is_due,
        }


def plan_change(wanted: WantedSet, reading: Reading) -> Change:
    """Give the change that makes a set what is wanted.

    Raises AliasInTheWay where the name is an alias and so can hold no MX set (RFC 1034 section 3.6.2), and InvalidInput
    where the records left and the records added cannot stand together.
    """
    before = reading.current
    found = set(before.records)
    records = {
        EXACT: set(wanted.records),
        PRESENT: found | set(wanted.records),
        ABSENT: found - set(wanted.records),
    }[wanted.state]
    if reading.alias_of is not None and records:
        raise AliasInTheWay(
            f"the name {wanted.name} in the zone {reading.zone} is an alias of {reading.alias_of}, and a name with a "
            "CNAME holds no other records (RFC 1034 section 3.6.2): remove the CNAME first, or name another owner"
        )
    try:
        # Taking a record away mends a broken set or leaves it no worse.
        if wanted.state != ABSENT:
            check_set(records)
    except InvalidInput as error:
        raise InvalidInput(f"the MX set of {wanted.name} cannot be written: {error}") from error
    kept_ttl = before.ttl if before.ttl is not None else DEFAULT_TTL
    named_ttl = wanted.ttl if wanted.state != ABSENT else None
    after = MxSet.of(records, kept_ttl if named_ttl is None else named_ttl)
    return Change(reading.zone, wanted.name, before, after)


def zone_diffs(changes: Sequence[Change]) -> tuple[Diff, ...]:
    """Give one before/after pair of zone file lines for each zone in which something is to be written."""
    by_zone: dict[str, list[Change]] = {}
    for change in changes:
        if change.is_due:
            by_zone.setdefault(change.zone, []).append(change)
    return tuple(
        Diff(
            f"MX records in the zone {zone}",
            "".join(change.before.lines(change.name) for change in in_zone),
            "".join(change.after.lines(change.name) for change in in_zone),
        )
        for zone, in_zone in by_zone.items()
    )


def _described(mx_set: MxSet) -> dict[str, Any]:
    return {
        "ttl": mx_set.ttl,
        "mx": [{"preference": record.preference, "exchange": record.exchange} for record in mx_set.records],
    }
