# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Dual delivery: copies of a user's mail for other sites, and the names under which they travel. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.topology import Listing, SplitDomain

# RFC 6761 section 6.4: nobody has such a domain, and no resolver looks for one.
COPIES = "split-domain.invalid"


def copy_domain(site: str, domain: str) -> str:
    """Give the domain in which copies for a site travel, so that it can tell them from mail that it has to forward."""
    return f"{site.lower().replace('_', '-').strip('-')}.{domain}.{COPIES}"


def parse_copies(value: Any, owner: str) -> tuple[str, ...]:
    """Read the sites that get copies: names with spaces between them, or a list; raises InvalidInput."""
    names = value.split() if isinstance(value, str) else value
    if names is None:
        return ()
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) and name for name in names):
        raise InvalidInput(f"{owner} has copies for {value!r:.60}: write the names of sites with spaces between them")
    return tuple(sorted(set(names)))


def refuse_copies_that_nobody_makes(split_domain: SplitDomain, listings: Iterable[Listing]) -> None:
    """Raise InvalidInput where copies are wanted of mail for a mailbox on a site that is not managed."""
    unmanaged = {site.name for site in split_domain.sites if not site.hosts}
    for listing in listings if unmanaged else ():
        if listing.copies and listing.site in unmanaged:
            raise InvalidInput(
                f"{listing.source} wants copies of mail for {listing.address}, whose site {listing.site} is not "
                f"managed and would have to make them: leave 'copy' empty there, and let that site send them on"
            )
