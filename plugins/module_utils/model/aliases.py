# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What subdomains make of routes: addresses that are rewritten, as lines of a table of aliases. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Collection, Container

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import COPIES
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import RoutesText

_ANY_LINE = re.compile(r"^([^@\n]+)(@[^\t\n]+)\t", re.MULTILINE)
_LOCAL_LINE = re.compile(r"^([^@\n]+)(@[^\t\n]+)\tlocal$", re.MULTILINE)
_REWRITTEN_LINE = re.compile(r"^([^@\n]+)(@[^\t\n]+)\t([^@\t\n:]*)@([^\t\n]+)$", re.MULTILINE)


def alias_lines(
    text: RoutesText, own_subdomains: Collection[str], alias_domains: Collection[str] = (), catch_all: bool = False
) -> str:
    """Give the lines ``address<TAB>address`` that follow from the routes of a domain, sorted.

    An address that lives on another site is rewritten to that site's subdomain. In ``own_subdomains``, those of this
    server's own site, each mailbox that lives here has its address, and nobody else. In ``alias_domains``, other names
    of the domain, each address has one, wherever its mailbox lives. Where there is a ``catch_all``, an address without
    another alias is its own, or the catch-all would swallow it. Raises InvalidInput for an address that is
    rewritten to one of ``own_subdomains``: it would be rewritten back, and so for ever.
    """
    lines = []
    for match in _REWRITTEN_LINE.finditer(text.lines):
        local_part, domain, other, subdomain = match.groups()
        if subdomain in own_subdomains:
            raise InvalidInput(
                f"{local_part}{domain} is rewritten to the subdomain {subdomain} of this server's own site, which "
                f"leads back to it: give the address 'local', or the subdomain of the site where the mailbox lives"
            )
        lines.append(f"{local_part}{domain}\t{other or local_part}@{subdomain}\n")
    if own_subdomains:
        for local_part, domain in _LOCAL_LINE.findall(text.lines):
            lines += [f"{local_part}@{subdomain}\t{local_part}{domain}\n" for subdomain in own_subdomains]
    if alias_domains:
        for local_part, domain in _ANY_LINE.findall(text.lines):
            lines += [f"{local_part}@{name}\t{local_part}{domain}\n" for name in alias_domains]
    lines += _copy_lines(text)
    if catch_all:
        aliased = {line.partition("\t")[0] for line in lines}
        addresses = (f"{local_part}{domain}" for local_part, domain in _ANY_LINE.findall(text.lines))
        lines += [f"{address}\t{address}\n" for address in addresses if address not in aliased]
    return "".join(sorted(lines))


def without_addresses(lines: str, addresses: frozenset[str], with_copies: bool = True) -> str:
    """Give lines of aliases without those that lead from or to one of ``addresses``.

    Not ``with_copies`` keeps what sends copies of mail for these addresses, and their names.
    """

    def concerns(line: str) -> bool:
        key, _tab, value = line.rstrip("\n").partition("\t")
        if key in addresses:
            return with_copies or not value.startswith(f"{key},")
        return value in addresses or (with_copies and key.endswith(f".{COPIES}") and _copied(key) in addresses)

    return "".join(line for line in lines.splitlines(True) if not concerns(line)) if addresses else lines


def arriving_copies(lines: str, copies: str, addresses: Container[str]) -> str:
    """Give those lines of aliases that take copies of mail for ``addresses``; ``copies`` is their own domain."""
    arriving = (line for line in lines.splitlines(True) if line.partition("\t")[0].endswith(f"@{copies}"))
    return "".join(line for line in arriving if _copied(line.partition("\t")[0]) in addresses)


def _copy_lines(text: RoutesText) -> list[str]:
    """Give the lines of copies: a local address becomes itself and its copies, a copy that arrives stays what it is."""
    local = text.local_addresses() if text.copies else frozenset()
    lines = []
    for line in text.copies.splitlines():
        address, _tab, domains = line.partition("\t")
        names = [f"{address.partition('@')[0]}@{domain}" for domain in domains.split()]
        if address in local:
            lines.append(f"{address}\t{', '.join([address, *names])}\n")
        else:
            lines += [f"{name}\t{name}\n" for name in names]
    return lines


def _copied(key: str) -> str:
    """Give the address whose copies travel under this name."""
    local_part, _at, domain = key.partition("@")
    return f"{local_part}@{domain[: -len(COPIES) - 1].partition('.')[2]}"
