# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The tables of routes and aliases: one section for each split domain. Pure text, made for large tables. Private.

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.model.aliases import (
    alias_lines,
    arriving_copies,
    without_addresses,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import copy_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import RoutesRequest, RoutesText

ROUTES_HEADER = (
    "# Managed by mailops.split_domain: the recipients that this server knows, and where their mail goes.\n"
    "# One section for each domain; changes made here are undone by the next run.\n"
)
_SECTION = "\n# domain: "
ALIASES_HEADER = (
    "# Managed by mailops.split_domain: addresses that are rewritten, from and to the subdomains of sites.\n"
    "# One section for each domain; changes made here are undone by the next run.\n"
)


@dataclass(frozen=True)
class RoutesTable:
    """The table as text, by domain. A section is ``address<TAB>transport`` lines sorted by address."""

    sections: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> RoutesTable:
        """Read the text of a routes table; what stands before the first section is dropped."""
        sections: dict[str, str] = {}
        # Not a regular expression: this is a table of up to a million lines, and few sections.
        for part in f"\n{text}".split(_SECTION)[1:]:
            domain, _newline, section = part.partition("\n")
            section = section if not section or section.endswith("\n") else f"{section}\n"
            sections[domain] = sections.get(domain, "") + section
        return cls(sections)

    def render(self, header: str = ROUTES_HEADER) -> str:
        """Give the text of the table, sections sorted by domain, empty ones left out."""
        return header + "".join(
            f"# domain: {domain}\n{section}" for domain, section in sorted(self.sections.items()) if section
        )

    def routes(self, domain: str) -> dict[str, str]:
        """Give the transport of every address of a domain, also where hands have edited the section."""
        found: dict[str, str] = {}
        for line in self.sections.get(domain, "").splitlines():
            words = line.split(None, 1)
            if len(words) > 1 and not line.startswith("#"):
                found.setdefault(words[0].lower(), words[1].strip())
        return found

    def with_section(self, domain: str, section: str) -> RoutesTable:
        """Give the table with another section for a domain; an empty one removes it.

        Addresses of the domain that hands have put into sections of other domains go.
        """
        others = {
            name: "".join(line for line in text.splitlines(True) if f"@{domain}\t" not in line)
            if f"@{domain}\t" in text
            else text
            for name, text in self.sections.items()
        }
        return RoutesTable({**others, domain: section})


def render_section(routes: Mapping[str, str]) -> str:
    """Give the canonical section of a domain's routes."""
    return "".join(f"{address}\t{transport}\n" for address, transport in sorted(routes.items()))


# The table of aliases: what becomes of a domain's section when routes change.


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
