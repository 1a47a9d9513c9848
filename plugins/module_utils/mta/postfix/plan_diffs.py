# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What --diff shows of main.cf and of our tables. Private.

from __future__ import annotations

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import shown_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import PostfixServer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.logins import PASSWORDS, hidden_diff
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables import TableChange
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Diff


def main_cf_diff(before: MainCf, after: MainCf, server: PostfixServer) -> tuple[Diff, ...]:
    """Give the diff of main.cf; none where it stays."""
    return () if before == after else (Diff(str(server.main_cf_path), before.text, after.text),)


def table_diff(change: TableChange) -> Diff:
    """Give the diff of one table, or of its index alone."""
    before, after = (change.before or "").splitlines(True), change.after.splitlines(True)
    if before != after and change.path.name == PASSWORDS:
        return hidden_diff(str(change.path), change.before or "", change.after)
    if before == after:
        done = "put right" if change.index_work == "none" else "rebuilt"
        return Diff(f"{change.path} (index)", "; ".join(change.reasons) + "\n", f"{done}\n")
    return shown_lines(str(change.path), before, after)
