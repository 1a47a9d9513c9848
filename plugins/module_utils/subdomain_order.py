# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Sub-domains that come: taken by their site before anybody rewrites addresses to them. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput


def subdomains_first(domains: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give the option ``domains`` of ``split_domains`` that adds the sub-domains that come, and changes nothing else.

    ``domains`` is what ``split_domains`` returns in check mode. A domain that is new, or that gets no sub-domain, is
    left out. Raises InvalidInput for a sub-domain that becomes another: the old one has to go first.
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
    """Give the sub-domains of peers that a server does not know yet, of what ``split_domains`` returns."""

    def known(side: Mapping[str, Any] | None) -> set[str]:
        return {peer["subdomain"] for peer in (side or {"peers": ()})["peers"] if peer.get("subdomain")}

    return {name for entry in domains for name in known(entry["after"]) - known(entry["before"])}


def _joined(before: str | None, after: str | None, owner: str) -> str | None:
    if before and after and before != after:
        raise InvalidInput(
            f"{owner} has the sub-domain {before} and would get {after}: take the old one out of the map and run, so "
            "that nobody sends mail there any more, then name the new one and run again"
        )
    return before or after
