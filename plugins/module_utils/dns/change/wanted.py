# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a user wants of each MX set, checked as far as it can be without asking any server. Private to this collection.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_owner, canonical_zone
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import (
    MxRecord,
    as_found,
    check_set,
    parse_preference,
    parse_record,
    parse_ttl,
)

EXACT = "exact"
PRESENT = "present"
ABSENT = "absent"


@dataclass(frozen=True)
class WantedSet:
    """A wanted set: these records are all (exact), among (present) or not among (absent) the MX records of the name."""

    name: str
    zone: str | None
    state: str
    ttl: int | None
    records: tuple[MxRecord, ...]


def parse_wanted_sets(record_sets: Sequence[Mapping[str, Any]]) -> list[WantedSet]:
    """Give the wanted sets in canonical form and in the order given.

    Each entry has ``name``, ``state`` and ``mx`` (a list of ``{preference, exchange}``), and ``zone`` and ``ttl`` or
    None. Raises InvalidInput that names the entry; a name may come only once, however it is spelled.
    """
    wanted_sets: list[WantedSet] = []
    first_use: dict[str, int] = {}
    for number, entry in enumerate(record_sets):
        where = f"record_sets[{number}] ({entry['name']!r})"
        try:
            wanted = _wanted_set(entry)
        except InvalidInput as error:
            raise InvalidInput(f"{where}: {error}") from error
        if wanted.name in first_use:
            raise InvalidInput(
                f"{where}: the name {wanted.name} is already in record_sets[{first_use[wanted.name]}]: "
                "put all that is wanted of one name into one entry"
            )
        first_use[wanted.name] = number
        wanted_sets.append(wanted)
    return wanted_sets


def named_exchanges(wanted_sets: Sequence[WantedSet]) -> set[str]:
    """Give the hosts that are to be exchanges."""
    return {
        record.exchange
        for wanted in wanted_sets
        if wanted.state != ABSENT
        for record in wanted.records
        if not record.is_null
    }


def _record_to_remove(preference: object, exchange: str) -> MxRecord:
    """Give a record in canonical form, or as a server may hold it where it has none."""
    try:
        return parse_record(preference, exchange)
    except InvalidInput:
        return as_found(parse_preference(preference), exchange)


def _wanted_set(entry: Mapping[str, Any]) -> WantedSet:
    zone = canonical_zone(entry["zone"]) if entry.get("zone") is not None else None
    name = canonical_owner(entry["name"], zone)
    state = entry["state"]
    given = entry["mx"] or []
    if state == ABSENT:
        # What is wrong on a server must be removable, so the rules for new records do not hold here.
        records = [_record_to_remove(one["preference"], one["exchange"]) for one in given]
    else:
        records = [parse_record(one["preference"], one["exchange"]) for one in given]
        check_set(records)
    if state != EXACT and not records:
        raise InvalidInput(
            f"the state {state} has an empty list mx: name the records, or use the state exact to remove the whole set"
        )
    ttl = parse_ttl(entry["ttl"]) if entry.get("ttl") is not None else None
    return WantedSet(name, zone, state, ttl, tuple(sorted(set(records))))
