# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The routes table: one section of addresses for each split domain. Pure text, and made for large tables. Private.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HEADER = (
    "# Managed by mailops.split_domain: the recipients that this server knows, and where their mail goes.\n"
    "# One section for each domain; changes made here are undone by the next run.\n"
)
_SECTION = "\n# domain: "


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

    def render(self, header: str = HEADER) -> str:
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
