# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# New MX sets in the text of a zone file, every other character of which stays. Pure. Private to this collection.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ZoneFileNotEditable
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.contents import ZoneContents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.names import spelled_name, ttl_seconds
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.records import ZoneRecord
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet

# RFC 1982 section 3.1, with the 32 bits of a zone's serial.
_MODULUS = 2**32
_LARGEST_STEP = 2**31 - 1
# Of a serial in the form YYYYMMDDnn; a day beyond 31 comes of more than a hundred changes at the end of a month.
_YEARS = range(1980, 2100)
_MONTHS = range(1, 13)
_DAYS = range(1, 40)
# Seconds since 1970 in September 2001: a smaller serial counts changes.
_FIRST_UNIX_TIME = 10**9
_DAY = 86400


@dataclass(frozen=True)
class _Replacement:
    """A piece of the text, which may be empty, and what takes its place."""

    start: int
    end: int
    text: str


@dataclass
class _Spelling:
    """A record as it will be spelled: the one that it is made from, and what changes in that."""

    record: ZoneRecord
    ttl: int
    replacements: list[_Replacement] = field(default_factory=list)

    def __str__(self) -> str:
        """Give the line without its end."""
        line = self.record.line
        return _replaced(line.text, line.start, self.record.values[-1].end, self.replacements)


class _Edit:
    """The edit of one zone file as it comes together."""

    def __init__(self, zone: ZoneContents) -> None:
        self.zone = zone
        self.lines: dict[int, _Spelling] = {}
        """The lines that change, by their records."""
        self.removed: set[int] = set()
        self.added: dict[int, list[_Spelling]] = {}
        """New lines by the record behind which they stand, or before which when that one goes."""
        self.appended: list[_Spelling] = []

    def line(self, record: ZoneRecord) -> _Spelling:
        """Give the line of a record, which is to change."""
        return self.lines.setdefault(id(record), _Spelling(record, record.ttl))

    def set_mx(self, name: str, wanted: MxSet) -> None:
        """Make ``wanted`` the MX set of a name."""
        found = [(record, self.zone.mx_record(record)) for record in self.zone.records(name, "MX")]
        for record, _mx in found:
            if record.included_from is not None:
                raise ZoneFileNotEditable(
                    f"the zone file {self.zone.path} has an MX record of {name} in a file that it includes "
                    f"({record.place}), and only the zone file itself is edited: move the record there"
                )
        staying = {mx for _record, mx in found} & set(wanted.records)
        missing = [mx for mx in wanted.records if mx not in staying]
        for record, mx in found:
            self.line(record).ttl = wanted.ttl or 0
            if mx in staying:
                continue
            successor = next((one for one in missing if one.exchange == mx.exchange), None)
            if successor is None:
                self.removed.add(id(record))
            else:
                missing.remove(successor)
                word = record.values[0]
                changed = _Replacement(word.start, word.end, str(successor.preference))
                self.line(record).replacements.append(changed)
        self._add(name, missing, wanted.ttl or 0, found[-1][0] if found else None)

    def _add(self, name: str, missing: Iterable[MxRecord], ttl: int, last: Optional[ZoneRecord]) -> None:
        """Add records beside the last one of their set, else behind their name's last, else at the end."""
        beside = last or self.zone.last_record(name)
        if last is None and beside is not None and beside.default_ttl is None:
            # Lines behind it may have their TTL from it.
            beside = None
        for mx in missing:
            if last is not None and not last.line.has_parentheses:
                line = self._like(last, mx, ttl)
            else:
                line = self._from_nothing(name, mx, ttl, beside)
            (self.appended if beside is None else self.added.setdefault(id(beside), [])).append(line)

    def _like(self, pattern: ZoneRecord, mx: MxRecord, ttl: int) -> _Spelling:
        """Give a new line that is spelled as another of the set."""
        preference, exchange = pattern.values
        is_relative = not mx.is_null and not exchange.text.endswith(".")
        spelling = spelled_name(mx.exchange, pattern.origin) if is_relative else f"{mx.exchange.rstrip('.')}."
        line = _Spelling(pattern, ttl)
        line.replacements += [
            _Replacement(preference.start, preference.end, str(mx.preference)),
            _Replacement(exchange.start, exchange.end, spelling),
        ]
        return line

    def _from_nothing(self, name: str, mx: MxRecord, ttl: int, beside: Optional[ZoneRecord]) -> _Spelling:
        origin = self.zone.text.last_origin if beside is None else beside.origin
        owner = spelled_name(name, origin) if beside is None else beside.owner_spelling
        default_ttl = self.zone.text.last_default_ttl if beside is None else beside.default_ttl
        # A TTL is spelled where one must be; with this default none must.
        text = f"$TTL {ttl if default_ttl is None else default_ttl}\n{owner}\tIN\tMX\t{mx}"
        (record,) = parse_zone_text(text, origin, self.zone.path, lambda _name: "").records
        return _Spelling(record._replace(default_ttl=default_ttl), ttl)

    def settle(self) -> None:
        """Spell owners and TTLs out where lines would no longer have them from the lines before."""
        owner: Optional[str] = None
        last_ttl: Optional[int] = None
        for record, line in self._in_order():
            ttl = record.ttl if line is None else line.ttl
            inherited = last_ttl if record.default_ttl is None else record.default_ttl
            if record.ttl_at is not None:
                word = record.ttl_word if line is not None else None
                if line is not None and word is not None and ttl_seconds(word.text) != ttl:
                    line.replacements.append(_Replacement(word.start, word.end, str(ttl)))
            elif inherited != ttl:
                self._refuse_in_included(record)
                start = record.after_owner.start
                (line or self.line(record)).replacements.append(_Replacement(start, start, f"{ttl} "))
            last_ttl = ttl
            if record.included_from is None and not record.is_generated:
                if not record.has_owner and owner != record.owner:
                    (line or self.line(record)).replacements.append(_owner_in_front(record))
                owner = record.owner

    def _in_order(self) -> Iterator[tuple[ZoneRecord, Optional[_Spelling]]]:
        """Give all records that are to be there, each with its line where that changes so far."""
        for record in self.zone.text.records:
            if id(record) not in self.removed:
                yield record, self.lines.get(id(record))
            for added in self.added.get(id(record), ()):
                yield added.record, added
        for appended in self.appended:
            yield appended.record, appended

    def _refuse_in_included(self, record: ZoneRecord) -> None:
        if record.included_from is not None:
            raise ZoneFileNotEditable(
                f"the zone file {self.zone.path} has a record without a TTL of its own on {record.place}, and it would "
                "get another one from the line before: begin the zone file with $TTL"
            )

    def text(self) -> str:
        """Give the new text."""
        text = self.zone.text.text
        newline = "\r\n" if "\r\n" in text else "\n"
        pieces: list[_Replacement] = []
        for record in self.zone.text.records:
            key = id(record)
            if record.included_from is not None or not (key in self.lines or key in self.removed or key in self.added):
                continue
            line = record.line
            added = [str(one) for one in self.added.get(id(record), ())]
            is_last = not text.endswith("\n", line.start, line.end)
            if id(record) in self.removed:
                pieces.append(_Replacement(line.start, line.start, "".join(one + newline for one in added)))
                pieces.append(_Replacement(line.start, line.end, ""))
                continue
            pieces += self.line(record).replacements
            pieces.append(_Replacement(line.end, line.end, _new_lines(added, newline, is_last)))
        whole = _replaced(text, 0, len(text), pieces)
        is_open = bool(whole) and not whole.endswith("\n")
        return whole + _new_lines([str(one) for one in self.appended], newline, is_open)


def edit_zone(zone: ZoneContents, wanted: Mapping[str, MxSet], serial: int) -> str:
    """Give the text of the zone file with these MX sets and this serial, and everything else as it stands.

    A record that stays keeps its line, one that gets another preference, too. Where a line has its owner or its TTL
    from one that goes or changes, it is spelled out there. Raises ZoneFileNotEditable where an included file would
    have to change.
    """
    edit = _Edit(zone)
    for name, mx_set in wanted.items():
        edit.set_mx(name, mx_set)
    if zone.soa.included_from is not None:
        raise ZoneFileNotEditable(
            f"the zone file {zone.path} has its SOA record in a file that it includes ({zone.soa.place}), and only the "
            "zone file itself is edited: move the record there"
        )
    word = zone.soa.values[2]
    edit.line(zone.soa).replacements.append(_Replacement(word.start, word.end, str(serial)))
    edit.settle()
    return edit.text()


def is_otherwise_equal(before: ZoneContents, after: ZoneContents, wanted: Mapping[str, MxSet]) -> bool:
    """Tell whether a zone has the MX sets that were wanted, and says the same as before of everything else."""
    return all(after.mx_set(name) == mx_set for name, mx_set in wanted.items()) and all(
        one is other
        or (one is not None and other is not None and one.says_the_same(other, 2 if one is before.soa else None))
        for one, other in zip_longest(_others(before, wanted), _others(after, wanted))
    )


def _others(zone: ZoneContents, wanted: Mapping[str, MxSet]) -> Iterator[ZoneRecord]:
    return (record for record in zone.text.records if not (record.rdtype == "MX" and record.owner in wanted))


def _new_lines(lines: Sequence[str], newline: str, is_open: bool) -> str:
    """Give lines that follow a text; where its last line has no end, theirs has none either."""
    if not lines:
        return ""
    return newline + newline.join(lines) if is_open else newline.join(lines) + newline


def _owner_in_front(record: ZoneRecord) -> _Replacement:
    """Put the owner in front of an indented line, so that what follows keeps its column where it can."""
    start = record.line.start
    indentation = len(record.line.spelled) - len(record.line.spelled.lstrip(" "))
    taken = max(0, min(len(record.owner_spelling), indentation - 1))
    return _Replacement(start, start + taken, record.owner_spelling)


def _replaced(text: str, start: int, end: int, replacements: Iterable[_Replacement]) -> str:
    """Give a part of a text with all replacements done; of two at one place the one given first comes first."""
    pieces = []
    for one in sorted(replacements, key=lambda piece: piece.start):
        pieces += [text[start : one.start], one.text]
        start = one.end
    return "".join([*pieces, text[start:end]])


# The serial of a zone that is to rise.


def is_later(serial: int, other: int) -> bool:
    """Tell whether secondaries take ``serial`` for later than ``other`` (RFC 1982 section 3.2)."""
    return 0 < (serial - other) % _MODULUS <= _LARGEST_STEP


def next_serial(serial: int, now: datetime) -> int:
    """Give the serial that follows, in the form that the zone has.

    The form YYYYMMDDnn becomes today's date with nn = 00, and seconds since 1970 become the present second, where that
    is later; every other serial grows by one, as these do then. Never 0, which some servers take for no serial.
    """
    following = (serial + 1) % _MODULUS or 1
    candidate = following
    if _is_date(serial):
        candidate = (now.year * 10000 + now.month * 100 + now.day) * 100
    elif _FIRST_UNIX_TIME <= serial <= now.timestamp() + _DAY:
        candidate = int(now.timestamp())
    return candidate if is_later(candidate, serial) else following


def _is_date(serial: int) -> bool:
    year, rest = divmod(serial, 10**6)
    month, rest = divmod(rest, 10**4)
    return year in _YEARS and month in _MONTHS and rest // 100 in _DAYS
