# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The catch-all of a site: where mail for addresses goes that nobody knows, and what must hold beside it. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.addresses import parse_recipient
from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import shown
from ansible_collections.mailops.split_domain.plugins.module_utils.topology import Listing, Site, SplitDomain


def parse_catch_all(value: Any, domain: str, owner: str) -> str | None:
    """Read the address of a catch-all mailbox, None where there is none; raises InvalidInput."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInput(f"{owner} has catch_all {shown(value)}: write one address, as info@{domain}")
    try:
        return str(parse_recipient(value, domain))
    except InvalidInput as error:
        raise InvalidInput(f"{owner} has a catch_all that cannot be used: {error}") from error


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


def refuse_missing_catch_all(split_domain: SplitDomain, listings: Iterable[Listing]) -> None:
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
