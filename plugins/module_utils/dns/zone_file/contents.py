# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a zone holds for a name, as its file tells it. Pure. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_within, parents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    ZoneFileNotEditable,
    ZoneFileUnreadable,
    ZoneMismatch,
    alias_as_exchange,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.names import ROOT, absolute_name
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.records import ZoneRecord
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import (
    Include,
    ZoneText,
    owner_of_soa,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import (
    NO_EXCHANGE,
    MxRecord,
    MxSet,
    Reading,
    as_found,
)

# An origin that no zone has, for the time until the file has told its own: the character NUL.
_NOT_TOLD = r"\000"
# What stands for the counter in the owner of $GENERATE (BIND's manual), and what the counter may become.
_COUNTER = re.compile(r"\$\{[^}$]{0,64}\}|(?<!\\)\$(?!\$)")
_COUNTED = r"0-9a-f.\-"


class ZoneContents:
    """The records of one zone by their owners, each of which knows where it stands."""

    def __init__(self, text: ZoneText, zone: str, path: str) -> None:
        """``path`` is what failures call the file."""
        self.text = text
        self.zone = zone
        self.path = path
        self._by_owner: dict[str, list[ZoneRecord]] = {}
        self._nodes_between = {zone}
        self._generated: list[tuple[re.Pattern[str], ZoneRecord]] = []
        for record in text.records:
            if record.is_generated:
                self._generated.append((_pattern(record), record))
            elif is_within(record.owner, zone):
                self._take(record)
        apexes = [record for record in text.records if record.rdtype == "SOA"]
        if len(apexes) != 1 or apexes[0].owner != zone:
            found = ", ".join(record.owner for record in apexes) or "nothing"
            raise ZoneMismatch(
                f"the zone file {path} has an SOA record for {found}, not one for {zone} alone: "
                "correct the zone or the path"
            )
        self.soa = apexes[0]

    def _take(self, record: ZoneRecord) -> None:
        records = self._by_owner.get(record.owner)
        if records is not None:
            records.append(record)
            return
        # Where a name is, all above it are (RFC 4592 section 2.2.2).
        self._by_owner[record.owner] = [record]
        _label, _dot, above = record.owner.partition(".")
        while above and not self._has_node(above):
            self._nodes_between.add(above)
            _label, _dot, above = above.partition(".")

    def _has_node(self, name: str) -> bool:
        return name in self._by_owner or name in self._nodes_between

    @property
    def serial(self) -> int:
        """Give the serial of the zone."""
        digits = self.soa.values[2].text if len(self.soa.values) > 2 else ""  # noqa: PLR2004 - RFC 1035 section 3.3.13
        if not re.fullmatch("[0-9]{1,10}", digits):
            raise ZoneFileUnreadable(
                f"the zone file {self.path} has an SOA record whose serial is no number ({self.soa.place}): correct it"
            )
        return int(digits)

    def records(self, name: str, rdtype: str) -> list[ZoneRecord]:
        """Give the name's own records of one type."""
        return [record for record in self._by_owner.get(name, ()) if record.rdtype == rdtype]

    def last_record(self, name: str) -> Optional[ZoneRecord]:
        """Give the name's last record that stands in the zone file itself."""
        own = [record for record in self._by_owner.get(name, ()) if record.included_from is None]
        return own[-1] if own else None

    def mx_set(self, name: str) -> MxSet:
        """Give the name's own MX set; of several TTLs, which a set must not have, the lowest (RFC 2181 section 5.2)."""
        records = self.records(name, "MX")
        lowest = min((record.ttl for record in records), default=None)
        return MxSet.of([self.mx_record(record) for record in records], lowest)

    def mx_record(self, record: ZoneRecord) -> MxRecord:
        """Give what an MX record says, in canonical form."""
        values = record.values
        exchange = absolute_name(values[1].bare, record.origin) if len(values) == 2 else None  # noqa: PLR2004
        if exchange is None or not re.fullmatch("[0-9]{1,5}", values[0].text):
            raise ZoneFileUnreadable(
                f"the zone file {self.path} has an MX record of {record.owner} that is not a preference and an "
                f"exchange ({record.place}): write it as RFC 1035 has it, or correct it"
            )
        return as_found(int(values[0].text), exchange if exchange != ROOT else NO_EXCHANGE)

    def reading(self, name: str) -> Reading:
        """Give what the zone holds for a name.

        Raises ZoneMismatch where the name is not the zone's, and ZoneFileNotEditable where $GENERATE may make it.
        """
        if not is_within(name, self.zone):
            raise ZoneMismatch(
                f"the zone file {self.path} holds the zone {self.zone}, to which {name} does not belong: "
                "correct the name, or name the file of its zone"
            )
        cut = self._delegation_of(name)
        if cut is not None:
            raise ZoneMismatch(
                f"the zone file {self.path} delegates {cut} to other servers, so {name} is not in the zone "
                f"{self.zone}: name the file of its zone"
            )
        for pattern, record in self._generated:
            if record.rdtype in ("MX", "CNAME") and pattern.fullmatch(name):
                raise ZoneFileNotEditable(
                    f"the zone file {self.path} may make {record.rdtype} records of {name} with $GENERATE "
                    f"({record.place}), which cannot be changed one by one: write them out there"
                )
        return Reading(name, self.zone, self.mx_set(name), self._target(self.records(name, "CNAME")))

    def addresses_of_exchanges(self, exchanges: Iterable[str]) -> dict[str, Optional[tuple[str, ...]]]:
        """Give the addresses of those exchanges, sorted by name, of which this zone tells; None for others.

        It does not tell of names in other zones, in delegated ones, and of those that $GENERATE may make. Raises
        AliasInTheWay for an exchange that is an alias (RFC 2181 section 10.3).
        """
        known: dict[str, Optional[tuple[str, ...]]] = {}
        for host in sorted(set(exchanges)):
            told_elsewhere = not is_within(host, self.zone) or self._delegation_of(host) is not None
            if told_elsewhere or any(pattern.fullmatch(host) for pattern, _record in self._generated):
                known[host] = None
                continue
            target = self._target(self._answers(host, "CNAME"))
            if target is not None:
                raise alias_as_exchange(host, target)
            records = [*self._answers(host, "A"), *self._answers(host, "AAAA")]
            known[host] = tuple(record.values[0].text.lower() for record in records if record.values)
        return known

    def _delegation_of(self, name: str) -> Optional[str]:
        for above in parents(name):
            if above == self.zone:
                return None
            if self.records(above, "NS"):
                return above
        return None

    def _answers(self, name: str, rdtype: str) -> list[ZoneRecord]:
        """Give the records that a server would give for a name, those of a wildcard included (RFC 4592)."""
        if self._has_node(name):
            return self.records(name, rdtype)
        encloser = next(above for above in parents(name) if self._has_node(above))
        return self.records(f"*.{encloser}", rdtype)

    @staticmethod
    def _target(aliases: list[ZoneRecord]) -> Optional[str]:
        if not aliases or not aliases[0].values:
            return None
        return absolute_name(aliases[0].values[0].bare, aliases[0].origin)


def zone_told_by(text: str, path: str, include: Include) -> str:
    """Give the zone whose file this is, where the file says so itself.

    It does where the owner of its SOA record is absolute, or stands behind an $ORIGIN that is. Raises InvalidInput
    where it does not.
    """
    zone = owner_of_soa(text, _NOT_TOLD, path, include)
    if zone is None:
        raise ZoneFileUnreadable(f"the zone file {path} has no SOA record, as every zone has: name the file of a zone")
    if zone.endswith(_NOT_TOLD):
        raise InvalidInput(
            f"the zone file {path} does not tell its zone, because its SOA record has a relative name and no $ORIGIN "
            "before it: give the zone in record_sets"
        )
    return zone


def _pattern(record: ZoneRecord) -> re.Pattern[str]:
    """Give the expression that every name matches which a $GENERATE may make; with several counters, some others too.

    All that stands between the first counter and the last is one class of characters: an expression with a part for
    each of them would try all ways to share a name among them.
    """
    spelled = absolute_name(_COUNTER.sub("\x01", record.owner).replace("$$", r"\$"), record.origin) or ""
    first, *others = spelled.split(r"\001")
    if not others:
        return re.compile(re.escape(first))
    between = "".join(re.escape(character) for character in sorted(set("".join(others[:-1]))))
    return re.compile(f"{re.escape(first)}[{_COUNTED}{between}]+{re.escape(others[-1])}")
