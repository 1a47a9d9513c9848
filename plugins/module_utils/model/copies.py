# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: who knows no routes needs it, too. Dual delivery: copies for other sites, and their names. Pure.

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown

# RFC 6761 section 6.4: nobody has such a domain, and no resolver looks for one.
COPIES = "split-domain.invalid"


def copy_domain(site: str, domain: str) -> str:
    """Give the domain in which copies for a site travel, so that it can tell them from mail that it has to forward."""
    return f"{_label(site)}.{domain}.{COPIES}"


def refuse_like_names(sites: Iterable[str], domain: str) -> None:
    """Raise InvalidInput for two sites whose copies would travel under one name."""
    found: dict[str, str] = {}
    for site in sites:
        earlier = found.setdefault(_label(site), site)
        if earlier != site:
            raise InvalidInput(
                f"the sites {earlier} and {site} of {domain} have names that mean the same in the DNS, where there is "
                f"no case and no underscore: rename one of them"
            )


def parse_copies(value: Any, owner: str) -> tuple[str, ...]:
    """Read the sites that get copies: names with spaces between them, or a list; raises InvalidInput."""
    names = value.split() if isinstance(value, str) else value
    if names is None:
        return ()
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) and name for name in names):
        raise InvalidInput(f"{owner} has copies for {shown(value)}: write the names of sites with spaces between them")
    return tuple(sorted(set(names)))


def _label(site: str) -> str:
    return site.lower().replace("_", "-").strip("-")
