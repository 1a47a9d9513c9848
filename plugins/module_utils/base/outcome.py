# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: pure code uses it, so it cannot stand in run_module.py. What a piece of work hands back. Private.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Diff:
    """One before/after pair as ``--diff`` shows it."""

    header: str
    before: str
    after: str

    def as_ansible(self) -> dict[str, str]:
        """Return the pair in the shape that Ansible's diff callback expects."""
        return {
            "before_header": self.header,
            "after_header": self.header,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True)
class Outcome:
    """The result of one module call, the same in check mode and in a real run."""

    changed: bool
    values: dict[str, Any] = field(default_factory=dict)
    diffs: tuple[Diff, ...] = ()
    warnings: tuple[str, ...] = ()
