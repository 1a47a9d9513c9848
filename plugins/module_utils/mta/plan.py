# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A change of a mail server, whatever its MTA: planned as a value, then shown or done. Private.

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import MailServerMissing
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff, Outcome


class Step(Protocol):
    """One thing that is due on the server."""

    def apply(self) -> None:
        """Do it. A step that was done already, or that a killed run left half done, can be done again."""


@dataclass(frozen=True)
class Plan:
    """A change of a server as a value: what it would do, in order, and what is told about it."""

    steps: tuple[Step, ...]
    values: dict[str, Any] = field(default_factory=dict)
    diffs: tuple[Diff, ...] = ()
    warnings: tuple[str, ...] = ()

    def apply(self) -> None:
        """Do every step in its order."""
        for step in self.steps:
            step.apply()


def carry_out(
    lock: AbstractContextManager[None], plan_of: Callable[[], Plan], check_mode: bool, if_missing: dict[str, Any]
) -> Outcome:
    """Plan under ``lock``, which keeps other runs away from the server, and, but for check mode, apply the plan.

    In check mode a machine without a mail server is no failure: the run would come after its installation. Then
    ``if_missing`` are the values that can be told.
    """
    try:
        with lock:
            plan = plan_of()
            if not check_mode:
                plan.apply()
    except MailServerMissing:
        if check_mode:
            return Outcome(changed=True, values={"installed": False, **if_missing})
        raise
    return Outcome(bool(plan.steps), {"installed": True, **plan.values}, plan.diffs, plan.warnings)


def shown_lines(header: str, before: Sequence[str], after: Sequence[str], most: int = 500) -> Diff:
    """Give the diff of changed lines alone, cut after ``most`` of each side: tables may hold a million."""

    def cut(lines: Sequence[str]) -> str:
        rest = [f"... and {len(lines) - most} more lines\n"] if len(lines) > most else []
        return "".join([*lines[:most], *rest])

    return Diff(header, cut(before), cut(after))
