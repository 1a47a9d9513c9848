# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Where the tables of this collection are on a Postfix server. Pure. Private.

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TableNames:
    """Where the tables are, as Postfix names them: ``type:path`` for indexed ones."""

    directory: str
    indexed_type: str

    def path(self, name: str) -> str:
        """Give the path of a table's text."""
        return f"{self.directory}/{name}"

    def indexed(self, name: str) -> str:
        """Give an indexed table as Postfix reads it."""
        return f"{self.indexed_type}:{self.path(name)}"
