# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The order of steps in which a Postfix server never takes mail that it cannot guard or answer for. Private.

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import Step
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.staging import WriteMainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.steps import (
    NoteReload,
    Settle,
    WriteTable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables import TableChange


def in_safe_order(tables: Mapping[str, TableChange], main_cf: Optional[WriteMainCf]) -> tuple[Step, ...]:
    """Order the steps so that at no moment mail is taken without its guard.

    What refers to a table comes after the table; a domain comes last and goes first, because its entry in ``domains``
    is what makes this server accept its mail.
    """
    domains = tables.get("domains")
    others = [WriteTable(change) for name, change in sorted(tables.items()) if name != "domains"]
    guard: list[Step] = [*others, *([main_cf] if main_cf else [])]
    if domains is None:
        return tuple(guard)
    new = domains.before is None
    # smtpd(8) remembers as long as it lives to which class the domain of an address belonged, but not what is asked.
    moves = new or _routes_in(domains.before or "") != _routes_in(domains.after)
    change: list[Step] = [*([NoteReload(domains.config_directory)] if moves else []), WriteTable(domains)]
    only_removes = not new and set(domains.after.splitlines()) <= set((domains.before or "").splitlines())
    if new or only_removes:
        return (*change, *guard)
    settle = [Settle(domains.config_directory)] if guard else []
    return (*guard, *settle, *change)


def _routes_in(domains_table: str) -> list[str]:
    """Give the rows of the table that say where a domain goes, without those for its unknown recipients."""
    return [line for line in domains_table.splitlines() if not line.startswith("@")]
