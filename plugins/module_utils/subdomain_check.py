# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether a site that is not managed takes mail for its sub-domain, and what has to be done there if not. Private.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.mx import MxRecord
from ansible_collections.mailops.split_domain.plugins.module_utils.server_arguments import (
    MOST_LISTINGS_READ,
    NOBODY,
    all_listings,
    located_map,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.subdomain_order import new_subdomains
from ansible_collections.mailops.split_domain.plugins.module_utils.topology import Site, SubDomain

MOST_ASKED = 3
MOST_SHOWN = 20
_ACCEPTED, _REFUSED = "accepted", "refused"


def subdomain_probe_arguments(
    split_domains: Any, domains: Iterable[Mapping[str, Any]], search: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Give the arguments of one ``smtp_probe`` task for each exchange of a sub-domain that a server shall rewrite to.

    Asked are sites without hosts, whose sub-domain the server does not know yet: ``domains`` is what ``split_domains``
    returns in check mode. Each entry has ``checklist``, too: what has to be done at the site. Raises InvalidInput as
    ``server_arguments`` does.
    """
    coming = new_subdomains(domains)
    found: list[dict[str, Any]] = []
    for mapped in located_map(split_domains, search) if coming else ():
        for site in mapped.split_domain.sites:
            subdomain = site.subdomain
            if site.hosts or subdomain is None or subdomain.name not in coming:
                continue
            listings = islice(all_listings(mapped), MOST_LISTINGS_READ)
            users = [one.address.local_part for one in listings if one.site == site.name]
            checklist = _checklist(mapped.split_domain.domain, site, subdomain, users)
            asked = [*users[:MOST_ASKED], NOBODY]
            for host, port in _exchanges(site, subdomain):
                found.append(
                    {
                        "host": host,
                        "port": port,
                        "recipients": [f"{name}@{subdomain.name}" for name in asked],
                        "subdomain": subdomain.name,
                        "checklist": checklist,
                    }
                )
    return found


def subdomain_objections(probes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give a sentence, with the checklist behind it, for each exchange that does not do what a sub-domain needs.

    ``probes`` are the results of ``smtp_probe``. All users have to be accepted, and an address that nobody has refused.
    """
    return [f"{fault} {probe['item']['checklist']}" for probe in probes for fault in islice(_faults(probe), 1)]


def _faults(probe: Mapping[str, Any]) -> Iterator[str]:
    item = probe["item"]
    place = f"The exchange {item['host']} of the sub-domain {item['subdomain']}"
    if "recipients" not in probe:
        yield f"{place} could not be asked: {probe.get('msg')}."
        return
    for answer in probe["recipients"]:
        said = " ".join(str(word) for word in (answer["code"], answer["enhanced"], answer["text"]) if word)
        if not answer["address"].startswith(f"{NOBODY}@"):
            if answer["verdict"] != _ACCEPTED:
                yield f"{place} does not take mail for {answer['address']} yet, it answered {said}."
        elif answer["verdict"] != _REFUSED:
            yield f"{place} does not refuse {answer['address']}, whom nobody knows, it answered {said}."


def _exchanges(site: Site, subdomain: SubDomain) -> list[tuple[str, int]]:
    """Give host and port of each exchange; the servers of the relay where the map does not name the MX set."""
    if subdomain.mx is None:
        return [(server.host, server.port) for server in site.relay.servers]
    return [(record.exchange, 25) for record in subdomain.mx]


def _checklist(domain: str, site: Site, subdomain: SubDomain, users: Sequence[str]) -> str:
    name = subdomain.name
    pairs = ", ".join(f"{user}@{name} for {user}@{domain}" for user in users[:MOST_SHOWN]) or "nobody yet"
    more = f" and {len(users) - MOST_SHOWN} more" if len(users) > MOST_SHOWN else ""
    return (
        f"To be done at the site {site.name} of {domain}, which is not managed: 1. register {name} as an alias domain "
        f"of {domain}. 2. Give each of its {len(users)} user(s) the address there, that is {pairs}{more}. "
        f"3. Take mail for nobody else at {name}: no catch-all. 4. {_mx_to_do(name, subdomain.mx)} "
        "5. Let the certificate of each exchange name the exchange. Then run again."
    )


def _mx_to_do(name: str, mx: Sequence[MxRecord] | None) -> str:
    if mx is None:
        return f"See that {name} has MX records that name the exchanges of the site."
    records = ", ".join(f"{record.preference} {record.exchange}" for record in mx)
    return f"The MX set of {name} becomes {records}, so have mail for it taken by these hosts on port 25."
