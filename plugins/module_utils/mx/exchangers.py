# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the DNS says of where the mail of a domain goes: the MX set and the addresses of its exchanges. Pure. Private.

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet

# RFC 5321 section 5.1: a domain without MX records that has an address is its own exchange, with this preference.
IMPLICIT_PREFERENCE = 0


@dataclass(frozen=True)
class Host:
    """One host and its IPv4 and IPv6 addresses, sorted.

    ``problem`` is a clause that says why the addresses are not known, such as ``the resolver said SERVFAIL``, or None
    when they are. A host that is known to have no address has none of both; it ``exists`` when its name does.
    ``alias_of`` is the host that a CNAME leads to.
    """

    name: str
    addresses: tuple[str, ...] = ()
    problem: str | None = None
    exists: bool = True
    alias_of: str | None = None

    @property
    def is_known(self) -> bool:
        """Tell whether the addresses are known; a host without any is known as well."""
        return self.problem is None


@dataclass(frozen=True)
class MailExchangers:
    """The MX set of one domain, and its exchanges.

    ``hosts`` has each exchange of the set, and the domain itself where the set is empty. ``problem`` is a clause that
    says why the set is not known, or None when it is. ``exists`` is False for a name that does not exist at all.
    ``ttl_left`` is the time in seconds for which the resolver that was asked keeps its answer, None when there is none.
    """

    domain: str
    mx: MxSet = MxSet()
    hosts: Mapping[str, Host] = field(default_factory=dict)
    problem: str | None = None
    exists: bool = True
    ttl_left: int | None = None

    @property
    def takes_no_mail(self) -> bool:
        """Tell whether the set is a null MX and nothing else (RFC 7505)."""
        return bool(self.mx.records) and all(record.is_null for record in self.mx.records)

    @property
    def is_implicit(self) -> bool:
        """Tell whether the domain's own address stands in for an MX set (RFC 5321 section 5.1)."""
        own = self.hosts.get(self.domain)
        return not self.mx.records and self.problem is None and own is not None and bool(own.addresses)

    def effective_records(self) -> tuple[MxRecord, ...]:
        """Give the records by which mail is delivered: the set without a null MX, or the implicit one."""
        if self.is_implicit:
            return (MxRecord(IMPLICIT_PREFERENCE, self.domain),)
        return tuple(record for record in self.mx.records if not record.is_null)


def hosts_by_name(hosts: Iterable[Host]) -> dict[str, Host]:
    """Give hosts in a mapping from their names, as MailExchangers holds them."""
    return {host.name: host for host in hosts}


def canonical_address(text: str) -> str:
    """Give a valid IP address in the one form in which equal ones are equal; an IPv4-mapped one as IPv4."""
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
