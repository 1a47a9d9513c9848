# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The table of aliases: what becomes of a domain's section when routes change. Pure text. Private.

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.destinations import RoutesRequest, RoutesText
from ansible_collections.mailops.split_domain.plugins.module_utils.dual_delivery import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes import RoutesTable
from ansible_collections.mailops.split_domain.plugins.module_utils.recipient_aliases import (
    alias_lines,
    arriving_copies,
    without_addresses,
)

HEADER = (
    "# Managed by mailops.split_domain: addresses that are rewritten, from and to the sub-domains of sites.\n"
    "# One section for each domain; changes made here are undone by the next run.\n"
)


@dataclass(frozen=True)
class AliasNames:
    """What makes aliases of routes on a server: what is asked for, and what its settings still have."""

    subdomains: frozenset[str]
    alias_domains: frozenset[str]
    catch_all: bool
    copies: Optional[str] = None
    """The domain in which copies come to this server's own site."""

    def lines(self, text: RoutesText) -> str:
        """Give the lines that follow from routes; raises InvalidInput as ``alias_lines`` does."""
        return alias_lines(text, sorted(self.subdomains), sorted(self.alias_domains), self.catch_all)


def alias_names(request: RoutesRequest, settled: Mapping[str, Any], own_catch_all: bool) -> AliasNames:
    """Give the names for a request on a server with these settings; ``own_catch_all``: it has a catch-all of its own.

    What goes has its addresses until the settings go, for others may still send mail there.
    """
    return AliasNames(
        subdomains=frozenset(name for name in (request.subdomain, settled.get("subdomain")) if name),
        alias_domains=frozenset({*(request.alias_domains or ()), *settled.get("alias_domains", ())}),
        catch_all=own_catch_all or request.catch_all or bool(settled.get("catch_all")),
        copies=copy_domain(settled["site"], request.text.domain) if settled.get("site") else None,
    )


def aliases_section(table: RoutesTable, request: RoutesRequest, names: AliasNames) -> str:
    """Give the section of the request's domain that fits its routes.

    A copy whose name was taken once is taken as long as its user is listed, wherever the mailbox lives now: another
    server may still make such copies, and one may wait in a queue for days.
    """
    text = request.text.only_local() if request.only_local else request.text
    wanted = "" if request.state == "absent" else names.lines(text)
    present = table.sections.get(request.text.domain, "")
    if not present:
        return wanted
    addresses = frozenset(line.partition("\t")[0] for line in text.lines.splitlines())
    kept = "" if request.state == "exact" else without_addresses(present, addresses, not request.only_local)
    if names.copies is not None and request.state != "absent" and not request.only_local:
        kept += arriving_copies(present, names.copies, addresses)
    if not kept:
        return wanted
    keys = {line.partition("\t")[0] for line in kept.splitlines()}
    added = [line for line in wanted.splitlines(True) if line.partition("\t")[0] not in keys]
    return "".join(sorted([*kept.splitlines(True), *added]))


def uncaught(table: RoutesTable, domains: Collection[str]) -> RoutesTable:
    """Give a table of aliases without the lines that kept addresses of these domains from a catch-all."""

    def keeps(line: str, domain: str) -> bool:
        key, _tab, value = line.rstrip("\n").partition("\t")
        return key == value and key.endswith(f"@{domain}")

    return RoutesTable(
        {
            domain: "".join(line for line in section.splitlines(True) if not keeps(line, domain))
            if domain in domains
            else section
            for domain, section in table.sections.items()
        }
    )


def forgotten(table: RoutesTable, gone: Collection[str]) -> RoutesTable:
    """Give a table of routes or aliases without the sections of domains that go, and without their addresses."""
    keys = tuple(f"@{domain}\t" for domain in gone)
    return RoutesTable(
        {
            domain: "".join(line for line in section.splitlines(True) if not any(key in line for key in keys))
            if any(key in section for key in keys)
            else section
            for domain, section in table.sections.items()
            if domain not in gone
        }
    )
