# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Listings whose mail or copies would never arrive, and what must hold beside a catch-all. Pure. Private.

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import (
    LONGEST_SAFE_CIRCLE,
    DirectoryEntry,
    Site,
    SplitDomain,
)


def refuse_stray_listings(
    split_domain: SplitDomain, shared: Sequence[DirectoryEntry], own: Mapping[str, Sequence[DirectoryEntry]]
) -> None:
    """Raise InvalidInput where a site's own directory sends mail to a home that cannot take it.

    ``shared`` is the domain's directory, ``own`` those of sites. A home that is managed and has the address in neither
    may know it by tables that it had before; otherwise it is unknown there, and forwarded as the unknown are. In the
    home's subdomain nobody is known but who is listed.
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


def refuse_stray_copies(
    split_domain: SplitDomain, shared: Sequence[DirectoryEntry], own: Mapping[str, Sequence[DirectoryEntry]]
) -> None:
    """Raise InvalidInput where copies are wanted that nobody would make or take, or that would go round.

    Only the directory of the domain tells all sites of copies. Those that a site which is not managed sends on to
    another such site come back from there as any mail.
    """
    domain = split_domain.domain
    unmanaged = {site.name for site in split_domain.sites if not site.hosts}
    copied = {listing.address: listing.copies for listing in shared if listing.copies}
    for listing in chain(shared, chain.from_iterable(own.values())):
        if not listing.copies:
            continue
        asks = f"{listing.source} wants copies of mail for {listing.address}"
        if listing.site in unmanaged:
            raise InvalidInput(
                f"{asks}, whose site {listing.site} is not "
                f"managed and would have to make them: leave 'copy' empty there, and let that site send them on"
            )
        if not set(listing.copies) <= set(copied.get(listing.address, ())):
            raise InvalidInput(
                f"{asks} in the directory of the site {listing.site}, which no other site reads, so that they would be "
                f"refused: list the address with its copies in the 'directory' of {domain}"
            )
        for name in unmanaged.intersection(listing.copies):
            target = split_domain.site(name).unknown
            if target in unmanaged:
                raise InvalidInput(
                    f"{asks} for the site {name}, which forwards what it does not know to {target}; both are not "
                    f"managed, and a copy that comes back from {target} would be taken for new mail: remove "
                    f"'unknown' from the site {name} of {domain}, or the copy"
                )


def _refuse(split_domain: SplitDomain, site: str, listing: DirectoryEntry, reason: str) -> None:
    domain = split_domain.domain
    raise InvalidInput(
        f"{listing.source} of the 'directory' of the site {site} of {domain} puts {listing.address} on the site "
        f"{listing.site}, which does not list it, so that {reason}: list it in the 'directory' of {domain}, too"
    )


def _circle(split_domain: SplitDomain, listing: DirectoryEntry, knowing: Collection[str]) -> tuple[str, ...]:
    """Give the sites by which mail for an address that its home does not know comes back to it; () if it does not."""
    path: list[str] = []
    place: str | None = listing.site
    while place is not None and place not in path:
        path.append(place)
        site = split_domain.site(place)
        place = listing.site if place in knowing and site.hosts else site.unknown
    return tuple(path) if place == listing.site else ()


# The catch-all of a site: where mail for addresses goes that nobody knows, and what must hold beside it.


def refuse_odd_catch_all(split_domain: SplitDomain, sites_with_directories: Iterable[str]) -> None:
    """Raise InvalidInput where a catch-all would swallow mail for users of other sites, or never be reached.

    ``sites_with_directories`` are the sites whose users only they know.
    """
    domain = split_domain.domain
    catching = [site for site in split_domain.sites if site.catch_all is not None]
    if len(catching) > 1:
        raise InvalidInput(
            f"{domain} has the catch_all of two sites, {catching[0].name} and {catching[1].name}: keep one, and let "
            "the other site name it in 'unknown'"
        )
    for site in catching:
        _refuse_unasked(domain, site, [name for name in sites_with_directories if name != site.name])


def _refuse_unasked(domain: str, site: Site, others: list[str]) -> None:
    owner = f"the site {site.name} of {domain}"
    if site.unknown is not None:
        raise InvalidInput(
            f"{owner} has a catch_all and forwards unknown recipients to {site.unknown}, and cannot do the one after "
            f"the other has refused: remove 'unknown' there, and let {site.unknown} forward its unknown recipients to "
            f"{site.name}"
        )
    if site.verification_address is not None:
        raise InvalidInput(
            f"{owner} has a catch_all and a verification_address, which says that it refuses somebody: remove one of "
            "them"
        )
    if others:
        raise InvalidInput(
            f"{owner} has a catch_all, which would swallow mail for the users in the 'directory' of the site "
            f"{others[0]}, whom it does not know: list them in the 'directory' of {domain}"
        )


def refuse_missing_catch_all(split_domain: SplitDomain, listings: Iterable[DirectoryEntry]) -> None:
    """Raise InvalidInput where the mailbox of a catch-all is not listed as one of its site."""
    wanted = {site.catch_all: site.name for site in split_domain.sites if site.catch_all is not None}
    for listing in listings if wanted else ():
        if wanted.get(str(listing.address)) == listing.site:
            del wanted[str(listing.address)]
    for address, site in wanted.items():
        raise InvalidInput(
            f"the site {site} of {split_domain.domain} has the catch_all {address}, which no directory lists as a "
            f"mailbox of that site: list it there"
        )
