# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Listings of a directory whose mail or copies would never arrive. Pure. Private to this collection.

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.topology import (
    LONGEST_SAFE_CIRCLE,
    Listing,
    SplitDomain,
)


def refuse_stray_listings(
    split_domain: SplitDomain, shared: Sequence[Listing], own: Mapping[str, Sequence[Listing]]
) -> None:
    """Raise InvalidInput where a site's own directory sends mail to a home that cannot take it.

    ``shared`` is the domain's directory, ``own`` those of sites. A home that is managed and has the address in neither
    may know it by tables that it had before; otherwise it is unknown there, and forwarded as the unknown are. In the
    home's sub-domain nobody is known but who is listed.
    """
    knowing = {site: {listing.address for listing in listings} for site, listings in own.items()}
    astray = [
        (site, listing)
        for site, listings in own.items()
        for listing in listings
        if listing.site != site and listing.address not in knowing.get(listing.site, ())
    ]
    known_to_all = {listing.address for listing in shared} if astray else set()
    for site, listing in astray:
        home = split_domain.site(listing.site)
        if listing.address in known_to_all or not home.hosts:
            continue
        circle = _circle(split_domain, listing, {name for name in own if listing.address in knowing[name]})
        if len(circle) > LONGEST_SAFE_CIRCLE:
            _refuse(split_domain, site, listing, f"its mail would go round ({' -> '.join((*circle, home.name))})")
        if home.subdomain is not None:
            _refuse(split_domain, site, listing, f"its mail would be refused in {home.subdomain.name}")


def refuse_copies_that_nobody_makes(split_domain: SplitDomain, listings: Iterable[Listing]) -> None:
    """Raise InvalidInput where copies are wanted of mail for a mailbox on a site that is not managed."""
    unmanaged = {site.name for site in split_domain.sites if not site.hosts}
    for listing in listings if unmanaged else ():
        if listing.copies and listing.site in unmanaged:
            raise InvalidInput(
                f"{listing.source} wants copies of mail for {listing.address}, whose site {listing.site} is not "
                f"managed and would have to make them: leave 'copy' empty there, and let that site send them on"
            )


def _refuse(split_domain: SplitDomain, site: str, listing: Listing, reason: str) -> None:
    domain = split_domain.domain
    raise InvalidInput(
        f"{listing.source} of the 'directory' of the site {site} of {domain} puts {listing.address} on the site "
        f"{listing.site}, which does not list it, so that {reason}: list it in the 'directory' of {domain}, too"
    )


def _circle(split_domain: SplitDomain, listing: Listing, knowing: Collection[str]) -> tuple[str, ...]:
    """Give the sites by which mail for an address that its home does not know comes back to it; () if it does not."""
    path: list[str] = []
    place: str | None = listing.site
    while place is not None and place not in path:
        path.append(place)
        site = split_domain.site(place)
        place = listing.site if place in knowing and site.hosts else site.unknown
    return tuple(path) if place == listing.site else ()
