# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The MX sets of the split map, of domains and of the subdomains of their sites, read into values. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain, is_within
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import read_list, refuse_odd_keys, shown
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import SubDomain
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import (
    MxRecord,
    check_set,
    parse_record,
    parse_ttl,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

# Of the one exchange of a subdomain; it leaves room for others before it.
_USUAL_PREFERENCE = 10
# As many digits as the greatest TTL has (RFC 2181, section 8).
_SECONDS = re.compile("[0-9]{1,10}")


def parse_mx_set(value: Any, owner: str) -> tuple[MxRecord, ...] | None:
    """Read an MX set, None where there is none; ``owner`` is for messages. Raises InvalidInput."""
    if value is None:
        return None
    records = []
    for entry in read_list(value, owner, "a list of {preference, exchange}"):
        refuse_odd_keys(entry, ("preference", "exchange"), owner)
        try:
            records.append(parse_record(entry.get("preference"), str(entry.get("exchange") or "")))
        except InvalidInput as error:
            raise InvalidInput(f"{owner}: {error}") from error
    if not records:
        raise InvalidInput(f"{owner} is an empty list: name its exchangers, or leave the key out to keep what is there")
    try:
        check_set(records)
    except InvalidInput as error:
        raise InvalidInput(f"{owner}: {error}") from error
    return tuple(records)


def parse_mx_ttl(value: Any, owner: str) -> int | None:
    """Read the TTL of MX sets in seconds, None where there is none; raises InvalidInput."""
    if value is None:
        return None
    if isinstance(value, bool) or not _SECONDS.fullmatch(str(value).strip()):
        raise InvalidInput(f"{owner} is {shown(value)}: write a number of seconds")
    return parse_ttl(int(value))


def parse_subdomain(site: Mapping[str, Any], domain: str, relay: Relay, owner: str) -> SubDomain | None:
    """Read the subdomain of a site and its MX set, by default the servers of the site's relay in their order.

    A subdomain outside of the domain, as a hosted service gives one, has no default: its zone belongs to others.
    Raises InvalidInput.
    """
    written, mx = site.get("subdomain"), parse_mx_set(site.get("subdomain_mx"), f"'subdomain_mx' of {owner}")
    if written is None:
        if mx is not None:
            raise InvalidInput(f"{owner} has subdomain_mx and no subdomain: name the one that the set belongs to")
        return None
    if not isinstance(written, str):
        raise InvalidInput(f"'subdomain' of {owner} is {shown(written)}: write one mail domain, as cloud.{domain}")
    name = canonical_domain(written)
    if mx is None and name != domain and is_within(name, domain):
        mx = tuple(
            _exchange_of_relay(_USUAL_PREFERENCE * number, host, name, owner)
            for number, host in enumerate(dict.fromkeys(server.host for server in relay.servers), 1)
        )
    return SubDomain(name, mx)


def _exchange_of_relay(preference: int, host: str, subdomain: str, owner: str) -> MxRecord:
    try:
        return parse_record(preference, host)
    except InvalidInput as error:
        raise InvalidInput(
            f"{owner} has the subdomain {subdomain}, whose exchange cannot be its relay {host}, because an "
            "exchange is the full name of a host: write the MX set in 'subdomain_mx'"
        ) from error
