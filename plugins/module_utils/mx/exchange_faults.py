# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The faults of the exchanges of an MX set: what senders cannot reach, or what the RFCs forbid. Pure. Private.

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import (
    Host,
    MailExchangers,
    canonical_address,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import parse_exchange
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.survey import ERROR, NOTICE, WARNING, Fault

# RFC 1918, RFC 6598 and RFC 4193: addresses that mean something within one network only.
_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
# RFC 1122 section 3.2.1.3.
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


def exchange_faults(exchangers: MailExchangers) -> Iterator[Fault]:
    """Give the faults of all exchanges of a set, each once, in order of preference."""
    domain = exchangers.domain
    preferences: dict[str, list[int]] = {}
    for record in exchangers.mx.records:
        if not record.is_null:
            preferences.setdefault(record.exchange, []).append(record.preference)
    for exchange, of_exchange in preferences.items():
        name_fault = _name_fault(domain, exchange)
        if name_fault is not None:
            yield name_fault
        else:
            yield from _host_faults(domain, exchangers.hosts[exchange])
        if len(of_exchange) > 1:
            listed = " and ".join(map(str, of_exchange))
            yield Fault(
                "exchange_twice",
                NOTICE,
                f"the exchange {exchange} of {domain} has the preferences {listed}, of which the higher has no "
                "effect: remove one of the records",
            )
    if exchangers.is_implicit:
        yield from _address_faults(domain, exchangers.hosts[domain])


def _name_fault(domain: str, exchange: str) -> Fault | None:
    """Give what is wrong with the name itself, whether or not it exists."""
    if is_ip_address(exchange):
        return Fault(
            "exchange_is_address",
            ERROR,
            f"the exchange {exchange} of {domain} is an IP address, where an MX record holds a host name (RFC 1035 "
            "section 3.3.9), so that most senders find nobody: name the host that has this address",
        )
    try:
        parse_exchange(exchange)
    except InvalidInput:
        return Fault(
            "exchange_is_no_host_name",
            ERROR,
            f"the exchange {exchange} of {domain} is no full host name of letters, digits and hyphens (RFC 5321 "
            "section 2.3.5), so that senders may refuse it: give the host such a name",
        )
    return None


def _host_faults(domain: str, host: Host) -> Iterator[Fault]:
    if host.alias_of is not None:
        yield Fault(
            "exchange_is_alias",
            ERROR,
            f"the exchange {host.name} of {domain} is an alias of {host.alias_of}, which RFC 2181 section 10.3 forbids "
            f"and senders may refuse: name {host.alias_of} in the MX record",
        )
    if not host.exists:
        yield Fault(
            "exchange_does_not_exist",
            ERROR,
            f"the exchange {host.name} of {domain} does not exist in the DNS, so that no mail reaches it, and who can "
            "register its name gets the mail: correct the record, or publish the host's address",
        )
    elif host.problem is not None:
        yield Fault(
            "exchange_not_resolvable",
            WARNING,
            f"the addresses of the exchange {host.name} of {domain} cannot be looked up ({host.problem}), so that "
            "senders wait: make the name servers of its zone answer",
        )
    elif not host.addresses:
        yield Fault(
            "exchange_without_address",
            ERROR,
            f"the exchange {host.name} of {domain} has neither an A nor an AAAA record, so that no mail reaches it "
            "(RFC 5321 section 5.1): publish its address, or remove the MX record",
        )
    else:
        yield from _address_faults(domain, host)


def _address_faults(domain: str, host: Host) -> Iterator[Fault]:
    shown = ", ".join(host.addresses)
    if host.addresses and all(_is_nobodys(address) for address in host.addresses):
        yield Fault(
            "exchange_not_reachable",
            ERROR,
            f"the exchange {host.name} of {domain} has only addresses of no other host ({shown}), so that senders "
            "reach themselves or nobody: publish its real address, or a null MX (RFC 7505) where no mail is wanted",
        )
    elif host.addresses and all(_is_nobodys(address) or _is_private(address) for address in host.addresses):
        yield Fault(
            "exchange_private",
            WARNING,
            f"the exchange {host.name} of {domain} has only private addresses ({shown}), so that nobody outside of "
            "that network reaches it: publish a public address, unless mail comes from inside alone",
        )


def _is_nobodys(text: str) -> bool:
    """Tell whether an address is that of no other host: loopback, unspecified, link-local, multicast, reserved."""
    address = ipaddress.ip_address(canonical_address(text))
    is_reserved = isinstance(address, ipaddress.IPv4Address) and (address.is_reserved or address in _THIS_NETWORK)
    return address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast or is_reserved


def _is_private(text: str) -> bool:
    address = ipaddress.ip_address(canonical_address(text))
    return any(address in network for network in _PRIVATE)
