# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Subdomains that come: taken by their site first, and asked for where a site is not managed. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.rcpt_verdicts import ACCEPTED, REFUSED
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import (
    MOST_LISTINGS_READ,
    NOBODY,
    all_listings,
    located_map,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import Site, SubDomain
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord

MOST_ASKED = 3
MOST_SHOWN = 20


def subdomain_probe_arguments(
    split_domains: Any, domains: Iterable[Mapping[str, Any]], search: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Give the arguments of one ``smtp_probe`` task for each exchange of a subdomain that a server shall rewrite to.

    Asked are sites without hosts, whose subdomain the server does not know yet: ``domains`` is what ``split_domains``
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
    """Give a sentence, with the checklist behind it, for each exchange that does not do what a subdomain needs.

    ``probes`` are the results of ``smtp_probe``. All users have to be accepted, and an address that nobody has refused.
    """
    return [f"{fault} {probe['item']['checklist']}" for probe in probes for fault in islice(_faults(probe), 1)]


def _faults(probe: Mapping[str, Any]) -> Iterator[str]:
    item = probe["item"]
    place = f"The exchange {item['host']} of the subdomain {item['subdomain']}"
    if "recipients" not in probe:
        yield f"{place} could not be asked: {probe.get('msg')}."
        return
    for answer in probe["recipients"]:
        said = " ".join(str(word) for word in (answer["code"], answer["enhanced"], answer["text"]) if word)
        if not answer["address"].startswith(f"{NOBODY}@"):
            if answer["verdict"] != ACCEPTED:
                yield f"{place} does not take mail for {answer['address']} yet, it answered {said}."
        elif answer["verdict"] != REFUSED:
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


# Subdomains that come: taken by their site before anybody rewrites addresses to them.


def subdomains_first(domains: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the option ``domains`` of ``split_domains`` that adds the subdomains that come, and changes nothing else.

    ``domains`` is what ``split_domains`` returns in check mode. A domain that is new, or that gets no subdomain, is
    left out. Raises InvalidInput for a subdomain that becomes another: the old one has to go first.
    """
    found = []
    for entry in domains:
        before, after = entry["before"], entry["after"]
        if before is None or after is None:
            continue
        own = _joined(before.get("subdomain"), after.get("subdomain"), f"{entry['domain']} on this server's own site")
        wanted = {peer["site"]: peer.get("subdomain") for peer in after["peers"]}
        peers = [
            {
                **peer,
                "subdomain": _joined(
                    peer.get("subdomain"), wanted.get(peer["site"]), f"{entry['domain']} on the site {peer['site']}"
                ),
            }
            for peer in before["peers"]
        ]
        # Copies are known by their names before anybody sends one.
        joined = {**before, "subdomain": own, "peers": peers, "site": before.get("site") or after.get("site")}
        if joined != before:
            found.append({**joined, "state": "present"})
    return found


def new_subdomains(domains: Iterable[Mapping[str, Any]]) -> set[str]:
    """Give the subdomains of peers that a server does not know yet, of what ``split_domains`` returns."""

    def known(side: Mapping[str, Any] | None) -> set[str]:
        return {peer["subdomain"] for peer in (side or {"peers": ()})["peers"] if peer.get("subdomain")}

    return {name for entry in domains for name in known(entry["after"]) - known(entry["before"])}


def _joined(before: str | None, after: str | None, owner: str) -> str | None:
    if before and after and before != after:
        raise InvalidInput(
            f"{owner} has the subdomain {before} and would get {after}: take the old one out of the map and run, so "
            "that nobody sends mail there any more, then name the new one and run again"
        )
    return before or after
