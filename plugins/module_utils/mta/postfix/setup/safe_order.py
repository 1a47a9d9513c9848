# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The order of steps in which a Postfix server never takes mail that it cannot guard or answer for. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Step
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    CALL_AHEAD_CLASS,
    LOCAL_DOMAINS,
    MAIL_DOMAINS,
    SKIP_CLASS,
    UNLISTED_CLASS,
    is_question,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.tls_policies import (
    POLICIES,
    policies_come_after,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.verdicts import STRICT_CLASSES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import PostfixServer
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.staging import WriteMainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.change import TableChange
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.steps import (
    BringTable,
    NoteReload,
    ReloadIfDue,
    WriteTable,
)

ACCEPTING_TABLES = (MAIL_DOMAINS, LOCAL_DOMAINS)


def in_safe_order(
    server: PostfixServer, tables: Mapping[str, TableChange], main_cf: Optional[WriteMainCf]
) -> tuple[Step, ...]:
    """Order the steps so that at no moment mail is taken without its guard, or a user of the server's own is unknown.

    What refers to a table comes after the table, but for TLS policies that need what is in main.cf. A domain comes last
    and goes first, because its entry in one of ``ACCEPTING_TABLES`` makes this server accept its mail, or forward it.
    """
    accepting = [tables[name] for name in ACCEPTING_TABLES if name in tables]
    policies = tables.get(POLICIES)
    if (
        main_cf is None
        or not policies_come_after(server.main_cf, main_cf.main_cf)
        or (policies and policies.before is None)
    ):
        policies = None
    guard: list[Step] = [
        WriteTable(change)
        for name, change in sorted(tables.items())
        if name not in ACCEPTING_TABLES and change is not policies
    ]
    guard += [main_cf] if main_cf else []
    guard += [ReloadIfDue(server.config_directory), WriteTable(policies)] if policies else []
    early = [change for change in accepting if change.before is None or not _rows(change.after) - _rows(change.before)]
    late = [change for change in accepting if change not in early]
    before: list[Step] = [WriteTable(change) for change in early]
    after: list[Step] = []
    for change in late:
        # A domain that goes does so before its guard, and one that comes does so behind it: two changes of one table.
        keys = {line.split("\t", 1)[0] for line in change.after.splitlines()}
        left = [line for line in (change.before or "").splitlines(True) if line.split("\t", 1)[0].rstrip() in keys]
        left = _with_early_answers(left, change.after)
        if guard and "".join(left) != change.before:
            before.append(BringTable(server, change.path, change.type, "".join(left)))
            after.append(BringTable(server, change.path, change.type, change.after))
        else:
            after.append(WriteTable(change))
    # smtpd(8) remembers as long as it lives to which class the domain of an address belonged, but not what is asked.
    note: list[Step] = [NoteReload(server.config_directory)] if any(map(_moves, accepting)) else []
    reload: list[Step] = [ReloadIfDue(server.config_directory)] if guard and late else []
    return (
        *(note if before else ()),
        *before,
        *guard,
        *reload,
        *(note if after else ()),
        *after,
    )


def _with_early_answers(lines: Sequence[str], after: str) -> list[str]:
    """Give lines of a table with those answers to unknown recipients that have to come before main.cf changes.

    They are refused before a catch-all goes, which would be too late to take their mail; and a site that needs no proof
    any more is asked before the classes of verdicts go, where unknown recipients go where they went.
    """
    new = dict(line.split("\t", 1) for line in after.splitlines(True) if "\t" in line)
    old = dict(line.split("\t", 1) for line in lines if "\t" in line)
    for key, answer in old.items():
        coming = new[key]
        needs_no_proof = answer.strip() in STRICT_CLASSES and old.get(key[1:]) == new.get(key[1:])
        if (answer.strip(), coming.strip()) == (SKIP_CLASS, UNLISTED_CLASS) or (
            needs_no_proof and coming.strip() == CALL_AHEAD_CLASS
        ):
            old[key] = coming
    return [*(line for line in lines if "\t" not in line), *("\t".join(row) for row in old.items())]


def _moves(change: TableChange) -> bool:
    return change.before is None or _routes_in(change.before) != _routes_in(change.after)


def _rows(table: Optional[str]) -> frozenset[str]:
    return frozenset((table or "").splitlines(True))


def _routes_in(domains_table: str) -> list[str]:
    """Give the rows of the table that say where a domain goes, without those for its unknown recipients."""
    return [line for line in domains_table.splitlines() if not is_question(line)]
