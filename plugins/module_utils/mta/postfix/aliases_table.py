# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The table of aliases: what becomes of a domain's section when routes change. Pure text. Private.

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.destinations import RoutesRequest, RoutesText
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes import RoutesTable
from ansible_collections.mailops.split_domain.plugins.module_utils.recipient_aliases import (
    alias_lines,
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
    )


def aliases_section(table: RoutesTable, request: RoutesRequest, names: AliasNames) -> str:
    """Give the section of the request's domain that fits its routes."""
    text = request.text.only_local() if request.only_local else request.text
    wanted = "" if request.state == "absent" else names.lines(text)
    present = table.sections.get(request.text.domain, "")
    if request.state == "exact" or not present:
        return wanted
    asked = frozenset(line.partition("\t")[0] for line in text.lines.splitlines())
    kept = without_addresses(present, asked, with_copies=not request.only_local).splitlines(True)
    keys = {line.partition("\t")[0] for line in kept}
    return "".join(sorted([*kept, *(line for line in wanted.splitlines(True) if line.partition("\t")[0] not in keys)]))


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
