# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A record as a zone file spells it. Pure. Private to this collection.

from __future__ import annotations

from typing import NamedTuple, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.lines import Line, Word


class ZoneRecord(NamedTuple):
    """One record, or with ``is_generated`` one $GENERATE, whose owner is then a pattern in the file's spelling.

    A zone has many of them: what the line tells is looked up there when it is asked for.
    """

    line: Line
    included_from: Optional[str]
    """The file that $INCLUDE names, or None for the zone file itself."""
    origin: str
    owner: str
    owner_spelling: str
    """How the owner can be spelled on this line, whether it is or not."""
    owner_words: int
    """So many words stand before the TTL, class or type: none where the owner is that of the line before."""
    is_generated: bool
    ttl: int
    """In seconds, as it holds, from wherever it comes."""
    default_ttl: Optional[int]
    """What a line without TTL has here; None where that is the TTL of the line before."""
    rdtype: str
    ttl_at: Optional[int]
    """Which word of the line is the TTL; None where it has none."""
    type_at: int
    """Which word of the line is the type."""

    @property
    def has_owner(self) -> bool:
        """Tell whether the line begins with its owner."""
        return self.owner_words > 0

    @property
    def ttl_word(self) -> Optional[Word]:
        """Give the TTL as it is spelled on the line."""
        return None if self.ttl_at is None else self.line.words[self.ttl_at]

    @property
    def after_owner(self) -> Word:
        """Give the first word behind the owner."""
        return self.line.words[self.owner_words]

    @property
    def values(self) -> tuple[Word, ...]:
        """Give the words behind the type."""
        return self.line.words[self.type_at + 1 :]

    @property
    def place(self) -> str:
        """Give the place for messages."""
        return f"line {self.line.number}" + (
            f" of the included file {self.included_from}" if self.included_from else ""
        )

    def says_the_same(self, other: ZoneRecord, but_for: Optional[int] = None) -> bool:
        """Tell whether two records are the same but for their places; one of the values may be left out of this."""
        told, others = ((one.included_from, one.owner, one.ttl, one.rdtype, one.origin) for one in (self, other))
        if told != others:
            return False
        # The same line has the same words.
        if self.type_at == other.type_at and self.line.spelled == other.line.spelled:
            return True
        values, theirs = ([word.text for word in one.values] for one in (self, other))
        if but_for is not None:
            values[but_for : but_for + 1] = theirs[but_for : but_for + 1] = [""]
        return values == theirs
