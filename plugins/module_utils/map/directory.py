# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Directories on the controller: CSV files and inline rows of address and site, read and checked. Private.

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address, parse_recipient
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import before_the_colon
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of, shown_name
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import DirectoryEntry, site_by_address
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import parse_copies
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import RouteDestination

ADDRESS_COLUMN = "address"
SITE_COLUMN = "site"
COPY_COLUMN = "copy"


def locate(path: str, search: Sequence[str]) -> str:
    """Give the absolute path of a directory file: relative paths are looked for below each folder of ``search``.

    Raises InvalidInput that names the places where it is not.
    """
    places = [Path(folder).expanduser() / Path(path).expanduser() for folder in search or (".",)]
    for place in places:
        # Not Path.exists, which fails on a name that no file can have.
        if os.path.exists(place):  # noqa: PTH110
            return str(place.absolute())
    # A colon is rare in a path, and common between a user and a password.
    tried = ", ".join(dict.fromkeys(before_the_colon(str(place.absolute())) for place in places))
    shown = repr(before_the_colon(path))
    raise InvalidInput(f"the directory file {shown} does not exist (tried {tried}): correct its path")


def read_listings(source: Iterable[Any], domain: str, own_site: str | None = None) -> Iterator[DirectoryEntry]:
    """Give every line of a directory of the canonical ``domain``, in the order written.

    ``source`` holds paths of CSV files and inline rows ``{address, site}``. Where a file or row has no site,
    ``own_site`` is meant. Raises InvalidInput naming file, line and column of a fault.
    """
    for number, part in enumerate(source, start=1):
        if isinstance(part, str):
            yield from _read_file(Path(part), domain, own_site)
        else:
            yield _read_row(part, domain, own_site, f"entry {number}")


def _read_file(path: Path, domain: str, own_site: str | None) -> Iterator[DirectoryEntry]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _read_rows(csv.reader(stream, strict=True), str(path), domain, own_site)
    except OSError as error:
        raise InvalidInput(
            f"the directory {path} of {domain} cannot be read ({error.strerror}): check its path and permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the directory {path} of {domain} is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from error


def _read_rows(rows: Any, path: str, domain: str, own_site: str | None) -> Iterator[DirectoryEntry]:
    try:
        header = [column.strip().lower() for column in next(rows, [])]
        address_at = _column(header, ADDRESS_COLUMN, path)
        site_at = header.index(SITE_COLUMN) if SITE_COLUMN in header else None
        copy_at = header.index(COPY_COLUMN) if COPY_COLUMN in header else None
        if site_at is None and own_site is None:
            site_at = _column(header, SITE_COLUMN, path)
        for row in rows:
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            where = f"{path}, line {rows.line_num}"
            if len(row) != len(header):
                raise InvalidInput(
                    f"{where} has {len(row)} columns where the header names {len(header)} ({', '.join(header)}): fix it"
                )
            site = own_site if site_at is None else row[site_at].strip() or own_site
            if site is None:
                raise InvalidInput(f"{where}, column '{SITE_COLUMN}' is empty: name the site that holds the mailbox")
            yield _listing(row[address_at], site, domain, where, None if copy_at is None else row[copy_at])
    except csv.Error as error:
        raise InvalidInput(f"{path}, line {rows.line_num} is not CSV ({error}): fix the quotes") from error


def _read_row(row: Any, domain: str, own_site: str | None, where: str) -> DirectoryEntry:
    if isinstance(row, Mapping) and isinstance(row.get(ADDRESS_COLUMN), str):
        site = row.get(SITE_COLUMN) or own_site
        if isinstance(site, str):
            return _listing(row[ADDRESS_COLUMN], site, domain, where, row.get(COPY_COLUMN))
    raise InvalidInput(f"the directory of {domain}, {where} ({kind_of(row)}) needs 'address' and 'site': add them")


def _listing(address: str, site: str, domain: str, where: str, copies: Any) -> DirectoryEntry:
    try:
        return DirectoryEntry(parse_recipient(address, domain), site, where, parse_copies(copies, where))
    except InvalidInput as error:
        raise InvalidInput(f"{where}, column '{ADDRESS_COLUMN}': {error}") from error


def _column(header: list[str], name: str, path: str) -> int:
    if name not in header:
        raise InvalidInput(
            f"{path}, line 1 has no column '{name}' (it has: {', '.join(filter(None, header)) or 'nothing'}): "
            f"the first line names the columns, as in 'address,site'"
        )
    return header.index(name)


def routes_of_listings(
    listings: Iterable[DirectoryEntry], domain: str, destination_of_site: Mapping[str, RouteDestination]
) -> dict[Address, RouteDestination]:
    """Turn a directory into routes; raises InvalidInput for a site without destination or an address on two sites."""
    listings = list(listings)
    for listing in listings:
        if listing.site not in destination_of_site:
            raise InvalidInput(
                f"{listing.source} puts {listing.address} on the site {shown_name(listing.site)}, which {domain} does "
                f"not have: name one of {', '.join(sorted(destination_of_site)) or 'its sites in the option sites'}"
            )
        unknown = next((site for site in listing.copies if site not in destination_of_site), None)
        if unknown is not None:
            raise InvalidInput(
                f"{listing.source} wants copies for {listing.address} on the site {shown_name(unknown)}, which "
                f"{domain} does not have: name one of {', '.join(sorted(destination_of_site))}"
            )
    return {address: destination_of_site[site] for address, site in site_by_address(listings).items()}


def copies_of_listings(
    listings: Iterable[DirectoryEntry], domain: str, own_site: str | None, unmanaged_sites: Collection[str] = ()
) -> dict[Address, tuple[str, ...]]:
    """Give the sites whose copies a server of ``own_site`` has to do with, for each address that has any.

    These are all others for a mailbox of its own. For a mailbox of another site these are itself, and those of
    ``unmanaged_sites``, which may send their copies back to any server. Raises InvalidInput where the site of the
    mailbox is to get a copy as well.
    """
    found: dict[Address, tuple[str, ...]] = {}
    for listing in listings:
        if listing.site in listing.copies:
            raise InvalidInput(
                f"{listing.source} puts {listing.address} on the site {listing.site} and wants a copy there, too: "
                f"name other sites of {domain} in the column '{COPY_COLUMN}'"
            )
        is_own = listing.site == own_site
        concerned = tuple(site for site in listing.copies if is_own or site == own_site or site in unmanaged_sites)
        if concerned:
            found[listing.address] = concerned
    return found
