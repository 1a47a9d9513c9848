# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Where another site's mail comes from: addresses, networks and hosts, and how wide they may be together. Pure. Private.

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any, Union

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of, shown_host

# The widest that an operator gets assigned in practice; whoever is meant by more is a stranger as a rule.
WIDEST_IPV4 = 8
WIDEST_IPV6 = 29
_ALL = 0
# What may be written for true and false, and is neither.
_YES_AND_NO = ("yes", "no", "on", "off", "true", "false")
# All of IPv4 as parts of IPv6: mapped addresses (RFC 4291), and those of NAT64 (RFC 6052).
_IPV4_IN_IPV6 = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))
_BITS_BEFORE_IPV4 = 96
_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def parse_client(value: Any, owner: str) -> str:
    """Read a client as an address, a network in prefix notation or a host name, each in one spelling.

    ``owner`` is whose client it is in messages. Raises InvalidInput for anything else, and for all of the Internet.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{owner} has the client {kind_of(value)}: write an address, a network or a host name")
    bare = value.strip(" \t").strip("[]")
    address, slash, _length = bare.partition("/")
    if not slash and not is_ip_address(address):
        return canonical_host(bare)
    try:
        network = ipaddress.ip_network(bare if is_ip_address(address) else "", strict=False)
    except ValueError:
        raise InvalidInput(
            f"{owner} has the client {shown_host(value)}, which is no network: write it as 198.51.100.0/28"
        ) from None
    if network.prefixlen == 0:
        raise InvalidInput(
            f"{owner} has the client {shown_host(value)}, which is everybody: name the addresses its mail comes from"
        )
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        # Postfix shows such a client by its IPv4 address, so that a guard for this spelling would never apply.
        raise InvalidInput(
            f"{owner} has the client {shown_host(value)}, an IPv4 address in IPv6 clothes: write it as IPv4"
        )
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def read_allow_wide_clients(value: Any, owner: str) -> bool:
    """Read the word by which wide networks are meant; raises InvalidInput for what is neither true nor false."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InvalidInput(f"{owner} has allow_wide_clients {kind_of(value, _YES_AND_NO)}: write true or false")
    return value


def refuse_wide_clients(clients: Iterable[str], are_meant: bool, owner: str) -> None:
    """Raise InvalidInput where the networks of these clients, taken together, are wider than any one site's.

    They count by their union, so that two halves are the whole. With ``are_meant`` only all of the Internet is refused.
    """
    networks: list[_Network] = [ipaddress.ip_network(one) for one in clients if is_ip_address(one.partition("/")[0])]
    networks += [inside for network in networks for inside in _ipv4_in(network)]
    for version, widest in ((4, WIDEST_IPV4), (6, WIDEST_IPV6)):
        own: Any = [network for network in networks if network.version == version]
        union: list[_Network] = list(ipaddress.collapse_addresses(own))
        together = sum(network.num_addresses for network in union)
        length = min((network.prefixlen for network in union), default=widest)
        if length == _ALL:
            raise InvalidInput(
                f"{owner} has clients that are everybody together: name the addresses its mail comes from"
            )
        # Some networks beside one of the widest kind are still its size; twice as many addresses are not.
        twice = 2 << ((32 if version == 4 else 128) - widest)  # noqa: PLR2004 - the bits of an address
        if not are_meant and (length < widest or together >= twice):
            raise InvalidInput(
                f"{owner} has clients that are more than an IPv{version} network of /{widest} together "
                f"({_listed(union)}), and all hosts in them would be trusted as that site: name the addresses its mail "
                "comes from, or write allow_wide_clients: true where so many are meant"
            )


def _ipv4_in(network: _Network) -> Iterator[ipaddress.IPv4Network]:
    """Give the IPv4 networks that an IPv6 network has in it."""
    for place in _IPV4_IN_IPV6:
        if isinstance(network, ipaddress.IPv6Network) and network.overlaps(place):
            first = max(int(network.network_address), int(place.network_address)) - int(place.network_address)
            yield ipaddress.IPv4Network((first, max(network.prefixlen - _BITS_BEFORE_IPV4, _ALL)))


def _listed(networks: list[_Network]) -> str:
    few = 4
    shown_ones = ", ".join(map(str, networks[:few]))
    return shown_ones if len(networks) <= few else f"{shown_ones} and {len(networks) - few} more"
