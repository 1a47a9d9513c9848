# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# MX records and MX sets: their one form and the rules of their RFCs. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import (
    MAX_SHOWN,
    canonical_host,
    is_ip_address,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import quoted, shown

MAX_PREFERENCE = 65535
# RFC 2181 section 8: a TTL is an unsigned number of 31 bits, in seconds.
MAX_TTL = 2**31 - 1
# The exchange of a null MX (RFC 7505): the root.
NO_EXCHANGE = "."
_INTEGER = re.compile(r"[0-9]+")


@dataclass(frozen=True, order=True)
class MxRecord:
    """One mail exchanger: the lower the preference, the sooner it is tried; the exchange has no trailing dot."""

    preference: int
    exchange: str

    @property
    def is_null(self) -> bool:
        """Tell whether the record says that the domain takes no mail (RFC 7505)."""
        return self.exchange == NO_EXCHANGE

    def __str__(self) -> str:
        """Give the record as a zone file has it."""
        return f"{self.preference} {self.exchange.rstrip('.')}."


@dataclass(frozen=True)
class MxSet:
    """All MX records of one name, sorted and each once, with the TTL in seconds (None when there are no records)."""

    records: tuple[MxRecord, ...] = ()
    ttl: int | None = None

    @classmethod
    def of(cls, records: Iterable[MxRecord], ttl: int | None) -> MxSet:
        """Give the set in its one form, whatever the order and the number of copies."""
        ordered = tuple(sorted(set(records)))
        return cls(ordered, ttl if ordered else None)

    def __str__(self) -> str:
        """Give the set in one line of a sentence."""
        records = ", ".join(str(record) for record in self.records)
        return f"{records} (TTL {self.ttl})" if records else "no MX record"

    def lines(self, name: str) -> str:
        """Give the set as the lines of a zone file; nothing for an empty set."""
        return "".join(f"{name}. {self.ttl} IN MX {record}\n" for record in self.records)


def parse_preference(value: object) -> int:
    """Give the preference (0 to 65535) that any decimal spelling stands for: ``10``, ``"10"``, ``"010"``, ``" 10 "``.

    Raises InvalidInput for everything else (RFC 1035 section 3.3.9: 16 bits, unsigned).
    """
    cure = f"write a whole number from 0 to {MAX_PREFERENCE}"
    digits = value.strip(" \t") if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not _INTEGER.fullmatch(digits):
        raise InvalidInput(f"the preference {shown(value)} is no number: {cure}")
    # A longer text than this cannot be in range, and Python refuses to convert very long ones.
    if len(digits.lstrip("0")) > len(str(MAX_PREFERENCE)) or int(digits) > MAX_PREFERENCE:
        raise InvalidInput(f"the preference {shown(value)} is out of range (RFC 1035 section 3.3.9): {cure}")
    return int(digits)


def parse_ttl(value: int) -> int:
    """Give the TTL in seconds, or raise InvalidInput where it does not fit RFC 2181 section 8."""
    if not 0 <= value <= MAX_TTL:
        raise InvalidInput(
            f"the TTL {value} is out of range (RFC 2181 section 8): write a number of seconds from 0 to {MAX_TTL}"
        )
    return value


def parse_exchange(text: str) -> str:
    """Give the canonical host name of an exchange, or ``.`` for that of a null MX.

    Raises InvalidInput for an IP address (RFC 5321 section 5.1), for anything that is no host name (RFC 1123 section
    2.1) and for a name of one label, which is absolute here and so never what was meant.
    """
    if text.strip(" \t") == NO_EXCHANGE:
        return NO_EXCHANGE
    if is_ip_address(text.strip(" \t").rstrip(".")):
        raise InvalidInput(
            f"the exchange {quoted(text, MAX_SHOWN)} is an IP address (RFC 5321 section 5.1 wants a host name): "
            "write the name of a host that has this address"
        )
    try:
        host = canonical_host(text)
    except InvalidInput as error:
        raise InvalidInput(f"the exchange cannot be used: {error}") from error
    if "." not in host:
        raise InvalidInput(
            f"the exchange {quoted(text, MAX_SHOWN)} has only one label: names without a trailing dot are absolute "
            "here, so write the full name of the host"
        )
    return host


def parse_record(preference: object, exchange: str) -> MxRecord:
    """Give the MX record that a user wrote, or raise InvalidInput naming what RFC 5321 or RFC 7505 does not allow."""
    record = MxRecord(parse_preference(preference), parse_exchange(exchange))
    if record.is_null and record.preference != 0:
        raise InvalidInput(
            f"the null MX has the preference {record.preference}, but RFC 7505 section 3 wants 0: write preference 0"
        )
    return record


def as_found(preference: int, exchange: str) -> MxRecord:
    """Give a record as a server holds it: in canonical spelling, however wrong its exchange may be."""
    bare = exchange.strip(" \t").lower()
    return MxRecord(preference, bare if bare == NO_EXCHANGE else bare.rstrip("."))


def check_set(records: Iterable[MxRecord]) -> None:
    """Raise InvalidInput where records cannot stand together: a null MX is alone (RFC 7505 section 3)."""
    distinct = set(records)
    if len(distinct) > 1 and any(record.is_null for record in distinct):
        others = ", ".join(str(record) for record in sorted(distinct) if not record.is_null) or "other null MX records"
        raise InvalidInput(
            f"a null MX stands beside {others} (RFC 7505 section 3: a domain that takes no mail has no other MX): "
            "remove the one or the others"
        )


@dataclass(frozen=True)
class Reading:
    """What the server holds for one name: its zone, its own MX set, and the target when the name is a CNAME."""

    name: str
    zone: str
    current: MxSet
    alias_of: str | None = None
