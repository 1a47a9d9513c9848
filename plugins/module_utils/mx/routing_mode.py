# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The routing mode that follows from a domain's exchangers for a server with given addresses. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import (
    Host,
    MailExchangers,
    canonical_address,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord

LOCAL_MODE = "local"
BACKUP_MODE = "backup"
REMOTE_MODE = "remote"
UNRESOLVABLE = "unresolvable"


@dataclass(frozen=True)
class RoutingDecision:
    """A routing mode, or UNRESOLVABLE, and the reason as a clause without a full stop."""

    mode: str
    reason: str


def parse_addresses(values: Iterable[str]) -> frozenset[str]:
    """Give IP addresses in canonical form; raises InvalidInput for what is none."""
    return frozenset(_parse_address(value) for value in values)


def decide_routing(exchangers: MailExchangers, own_addresses: frozenset[str]) -> RoutingDecision:
    """Give the routing mode of a domain on the server that has these addresses (as parse_addresses gives them).

    - LOCAL_MODE: an exchange of the lowest preference is this server.
    - BACKUP_MODE: only an exchange of a higher preference is.
    - REMOTE_MODE: none is; and for a null MX (RFC 7505), since nobody takes mail for the domain, this server neither.
    - UNRESOLVABLE: the set is not known or names nobody; no exchange of the lowest preference has an address; or what
      an exchange is decides, and its addresses are not known. The mode before should then be kept.

    A domain without MX records that has an address is its own exchange (RFC 5321 section 5.1). A null MX beside other
    records is passed over, as mail servers do.
    """
    if exchangers.problem is not None:
        return RoutingDecision(UNRESOLVABLE, f"the MX set of {exchangers.domain} is not known: {exchangers.problem}")
    if exchangers.takes_no_mail:
        return RoutingDecision(REMOTE_MODE, f"{exchangers.domain} takes no mail (null MX)")
    records = exchangers.effective_records()
    if not records:
        return RoutingDecision(UNRESOLVABLE, _nobody(exchangers))
    lowest = records[0].preference
    first = [record for record in records if record.preference == lowest]
    return _by_lowest(exchangers, first, own_addresses) or _by_others(exchangers, records[len(first) :], own_addresses)


def _by_lowest(
    exchangers: MailExchangers, records: Sequence[MxRecord], own_addresses: frozenset[str]
) -> RoutingDecision | None:
    """Give what the exchanges of the lowest preference decide, or None when others are to be looked at."""
    own = _own(exchangers, records, own_addresses)
    if own is not None:
        return RoutingDecision(LOCAL_MODE, f"{own.exchange}, of the lowest preference {own.preference}, is this server")
    unknown = _unknown(exchangers, records)
    if unknown is not None:
        return RoutingDecision(UNRESOLVABLE, unknown)
    if not any(_host(exchangers, record).addresses for record in records):
        names = ", ".join(record.exchange for record in records)
        return RoutingDecision(
            UNRESOLVABLE, f"{names}, of the lowest preference {records[0].preference}, has no address"
        )
    return None


def _by_others(
    exchangers: MailExchangers, records: Sequence[MxRecord], own_addresses: frozenset[str]
) -> RoutingDecision:
    own = _own(exchangers, records, own_addresses)
    if own is not None:
        return RoutingDecision(
            BACKUP_MODE,
            f"{own.exchange}, of the preference {own.preference}, is this server, and one of a lower is not",
        )
    unknown = _unknown(exchangers, records)
    if unknown is not None:
        return RoutingDecision(UNRESOLVABLE, unknown)
    return RoutingDecision(REMOTE_MODE, f"no exchange of {exchangers.domain} is this server")


def _host(exchangers: MailExchangers, record: MxRecord) -> Host:
    return exchangers.hosts.get(record.exchange) or Host(record.exchange, problem="nobody looked it up")


def _own(exchangers: MailExchangers, records: Sequence[MxRecord], own_addresses: frozenset[str]) -> MxRecord | None:
    for record in records:
        if any(canonical_address(address) in own_addresses for address in _host(exchangers, record).addresses):
            return record
    return None


def _unknown(exchangers: MailExchangers, records: Sequence[MxRecord]) -> str | None:
    """Give the clause on the first exchange whose addresses are not known, or None."""
    for record in records:
        host = _host(exchangers, record)
        if not host.is_known:
            return f"the addresses of {host.name} are not known: {host.problem}"
    return None


def _nobody(exchangers: MailExchangers) -> str:
    if not exchangers.exists:
        return f"{exchangers.domain} does not exist"
    own = exchangers.hosts.get(exchangers.domain)
    if own is not None and not own.is_known:
        return f"{exchangers.domain} has no MX record, and whether it has an address is not known: {own.problem}"
    return f"{exchangers.domain} has neither an MX record nor an address"


def _parse_address(value: str) -> str:
    try:
        if "%" in value:
            raise ValueError("it has a zone")
        return canonical_address(value.strip(" \t"))
    except ValueError as error:
        raise InvalidInput(
            f"the address {value!r} is no IP address: write one IPv4 or IPv6 address, without a prefix length"
        ) from error
