# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What modules return of where mail for a domain goes, and the same read back by another module. Pure. Private.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_owner
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import (
    Host,
    MailExchangers,
    canonical_address,
    hosts_by_name,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet, as_found, parse_preference

MX, NULL_MX, ADDRESS, NOTHING, UNKNOWN = "mx", "null_mx", "address", "nothing", "unknown"
_ROOT = "."


def describe_set(mx_set: MxSet) -> dict[str, Any]:
    """Give a set as modules return it."""
    return {
        "ttl": mx_set.ttl,
        "mx": [{"preference": record.preference, "exchange": record.exchange} for record in mx_set.records],
    }


def describe_exchangers(exchangers: MailExchangers) -> dict[str, Any]:
    """Give a domain's set and its exchanges as modules return them; read_exchangers understands it."""
    names = dict.fromkeys(record.exchange for record in exchangers.effective_records())
    return {
        "name": exchangers.domain,
        "published": _published(exchangers),
        **describe_set(exchangers.mx),
        "ttl_left": exchangers.ttl_left,
        "exchanges": [_described_host(exchangers.hosts[name]) for name in names],
    }


def read_exchangers(description: Mapping[str, Any]) -> MailExchangers:
    """Give what describe_exchangers described, as far as it decides where mail goes.

    Raises InvalidInput for what does not have that shape, as when somebody has written it by hand.
    """
    try:
        text = str(description["name"])
        domain = text if text == _ROOT else canonical_owner(text)
        records = [as_found(parse_preference(one["preference"]), str(one["exchange"])) for one in description["mx"]]
        hosts = [_read_host(one) for one in description["exchanges"]]
        published = description["published"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(
            f"{str(description):.60} is nothing that mx_info returns of a name ({error!r}): give entries of its names"
        ) from error
    if published not in (MX, NULL_MX, ADDRESS, NOTHING, UNKNOWN):
        raise InvalidInput(
            f"{domain} has published {published!r}, which mx_info never returns: give entries of its names"
        )
    if published in (NOTHING, UNKNOWN):
        problem = "mx_info could not look it up" if published == UNKNOWN else None
        return MailExchangers(domain, hosts={domain: Host(domain)}, problem=problem)
    return MailExchangers(
        domain,
        MxSet.of(records, description.get("ttl")),
        hosts_by_name(hosts),
        ttl_left=description.get("ttl_left"),
    )


def _published(exchangers: MailExchangers) -> str:
    """Give in one word what the DNS says of where mail goes."""
    if exchangers.problem is not None:
        return UNKNOWN
    if exchangers.mx.records:
        return NULL_MX if exchangers.takes_no_mail else MX
    if exchangers.is_implicit:
        return ADDRESS
    return UNKNOWN if exchangers.exists and not exchangers.hosts[exchangers.domain].is_known else NOTHING


def _described_host(host: Host) -> dict[str, Any]:
    return {
        "exchange": host.name,
        "addresses": list(host.addresses),
        "alias_of": host.alias_of,
        "exists": host.exists,
        "problem": host.problem,
    }


def _read_host(described: Mapping[str, Any]) -> Host:
    return Host(
        str(described["exchange"]),
        tuple(canonical_address(str(address)) for address in described["addresses"]),
        described.get("problem"),
        exists=bool(described.get("exists", True)),
        alias_of=described.get("alias_of"),
    )
