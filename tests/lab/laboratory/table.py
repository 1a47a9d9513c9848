# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The outcomes as a table that a person reads at a glance.
"""Outcomes as text."""

from __future__ import annotations

from collections.abc import Sequence

from laboratory.expectations import Bounced, Deferred, Held, Refused, site_name
from laboratory.observation import Outcome

HEADER = ("", "from", "to", "expected", "what happened", "over")


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """Give the table; a row that went wrong is followed by everything that was seen of its message."""
    rows = [_cells(outcome) for outcome in outcomes]
    widths = [max(len(row[column]) for row in (HEADER, *rows)) for column in range(len(HEADER))]
    lines = [_line(HEADER, widths), "  ".join("-" * width for width in widths)]
    for outcome, row in zip(outcomes, rows):
        lines.append(_line(row, widths))
        if not outcome.passed:
            lines.append(f"        {outcome.happened}")
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()


def _cells(outcome: Outcome) -> tuple[str, ...]:
    row = outcome.row
    hops = " > ".join(site_name(hop) for hop in outcome.hops)
    verdict = "ok" if outcome.passed else "WRONG"
    return verdict, row.who, row.recipient, str(row.must), _in_short(outcome), hops


def _in_short(outcome: Outcome) -> str:
    must = outcome.row.must
    if not outcome.passed:
        return "see below"
    if isinstance(must, Refused):
        return " ".join(outcome.happened.split()[:2])
    if isinstance(must, Bounced):
        return "bounced once"
    waited = "waited, then " if isinstance(must, (Held, Deferred)) else ""
    return f"{waited}in the mailbox, once"
