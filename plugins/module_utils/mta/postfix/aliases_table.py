# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The table of aliases: what becomes of a domain's section when routes change. Pure text. Private.

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.mailops.split_domain.plugins.module_utils.destinations import RoutesRequest
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes import RoutesTable
from ansible_collections.mailops.split_domain.plugins.module_utils.recipient_aliases import (
    alias_lines,
    without_addresses,
)

HEADER = (
    "# Managed by mailops.split_domain: addresses that are rewritten, from and to the sub-domains of sites.\n"
    "# One section for each domain; changes made here are undone by the next run.\n"
)


def aliases_section(
    table: RoutesTable, request: RoutesRequest, own_subdomains: Collection[str], alias_domains: Collection[str]
) -> str:
    """Give the section of the request's domain that fits its routes; the names are those of ``alias_lines``."""
    text = request.text.only_local() if request.only_local else request.text
    wanted = "" if request.state == "absent" else alias_lines(text, own_subdomains, alias_domains)
    present = table.sections.get(request.text.domain, "")
    if request.state == "exact" or not present:
        return wanted
    asked = frozenset(line.partition("\t")[0] for line in text.lines.splitlines())
    kept = without_addresses(present, asked, with_copies=not request.only_local)
    return "".join(sorted({*kept.splitlines(True), *wanted.splitlines(True)}))


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
