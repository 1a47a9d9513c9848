# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What `src` of recipient_routes stands for: directory files turned into routes in bulk, on the controller. Private.

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import (
    DOT_ATOM_PATTERN,
    MAX_ADDRESS,
    MAX_LOCAL_PART,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory import (
    ADDRESS_COLUMN,
    COPY_COLUMN,
    SITE_COLUMN,
    copies_of_listings,
    read_listings,
    routes_of_listings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import (
    RouteDestination,
    RoutesText,
    parse_destination,
    show,
)


def compile_source(arguments: Mapping[str, Any], find: Callable[[str], str]) -> str:
    """Give the option ``content`` that the options ``src``, ``sites`` and ``site`` of a task stand for.

    ``arguments`` are the task's own, ``find`` gives the path of a named file on the controller. Raises InvalidInput
    as ``read_listings`` does, and for a directory without a single address.
    """
    domain = canonical_domain(str(arguments.get("domain") or ""))
    source, sites, own_site = arguments["src"], arguments.get("sites") or {}, arguments.get("site")
    unmanaged = arguments.get("unmanaged_sites") or []
    named = [source] if isinstance(source, str) else source
    if not isinstance(named, list) or not all(isinstance(path, str) for path in named):
        raise InvalidInput(f"the option src of {domain} is {kind_of(source)}: write a path, or a list of paths")
    if not isinstance(sites, Mapping):
        raise InvalidInput(f"the option sites of {domain} is {kind_of(sites)}: write a mapping of sites to next hops")
    if not isinstance(own_site, (str, type(None))):
        raise InvalidInput(f"the option site of {domain} is {kind_of(own_site)}: write the name of one site")
    if not isinstance(unmanaged, list):
        raise InvalidInput(f"the option unmanaged_sites of {domain} is {kind_of(unmanaged)}: write a list of sites")
    paths = [find(path) for path in named]
    destinations = {
        str(site): parse_destination(value, f"the site {site} of {domain}") for site, value in sites.items()
    }
    text = _compile_plain(paths, domain, destinations)
    if text is None:
        listings = list(read_listings(paths, domain, own_site))
        routes = routes_of_listings(listings, domain, destinations)
        text = RoutesText.of(domain, routes, copies_of_listings(listings, domain, own_site, unmanaged))
    if not text.lines:
        raise InvalidInput(
            f"the directory of {domain} ({', '.join(paths)}) lists no address: "
            f"check the file, or give 'routes: []' with state exact to remove all routes"
        )
    return text.pack()


def _compile_plain(paths: list[str], domain: str, destinations: Mapping[str, RouteDestination]) -> Optional[RoutesText]:
    """Do in bulk what takes a second for 100,000 lines one by one; None for files that need a closer look.

    Only files without quotes, white space and faults, with a site in every line, are taken here. All others, and so
    all messages, are left to ``read_listings``.
    """
    site_of: dict[str, str] = {}
    lines = 0
    for path in paths:
        found = _plain_rows(path, domain)
        if found is None:
            return None
        lines += len(found)
        site_of.update(found)
    shown = {site: show(destination) for site, destination in destinations.items()}
    if len(site_of) != lines or not set(site_of.values()) <= set(shown):
        return None
    return RoutesText(domain, "".join(sorted(f"{address}\t{shown[site]}\n" for address, site in site_of.items())))


def _plain_rows(path: str, domain: str) -> Optional[list[tuple[str, str]]]:
    """Give address and site of every line of a plain CSV file whose first columns these are; None for any other."""
    try:
        header, _newline, body = Path(path).read_text(encoding="ascii").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    columns = header.rstrip("\r").split(",")
    if columns[:2] != [ADDRESS_COLUMN, SITE_COLUMN] or '"' in header or COPY_COLUMN in header.lower():
        return None
    longest = max(1, min(MAX_LOCAL_PART, MAX_ADDRESS - 1 - len(domain)))
    local_part = rf"(?!-)(?=[^@\n]{{1,{longest}}}@){DOT_ATOM_PATTERN}"
    others = rf"(?:,[^,\"\r\n]*){{{len(columns) - 2}}}"
    rows: list[tuple[str, str]] = re.findall(
        rf"^({local_part}@{re.escape(domain)}),([A-Za-z0-9_-]+){others}\n", body, re.ASCII | re.MULTILINE
    )
    return rows if len(rows) == body.count("\n") and body.endswith("\n") else None
