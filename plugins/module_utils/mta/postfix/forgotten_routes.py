# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Routes and aliases that go with the settings of their domain, or with its catch-all. Private.

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import Step
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.aliases_table import (
    HEADER as ALIASES_HEADER,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.aliases_table import forgotten, uncaught
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import PostfixServer, read_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.own_tables import has_own_catch_all
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes import HEADER, RoutesTable
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.server_state import ServerState
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.steps import WriteTable
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_types import table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables import plan_own_table


def steps_of_forgetting(
    server: PostfixServer, directory: Path, before: ServerState, after: ServerState
) -> tuple[Step, ...]:
    """Give the steps after which nothing is left of domains that go, nor what kept addresses from a catch-all."""
    gone = (before.names | before.copies) - (after.names | after.copies)
    freed = [
        name
        for name, entry in after.domains.items()
        if entry.catch_all is None and name in before.domains and before.domains[name].catch_all is not None
        if not has_own_catch_all(server.config_directory, str(directory), name)
    ]
    steps: tuple[Step, ...] = ()
    for name, header in (("aliases", ALIASES_HEADER), ("routes", HEADER)) if gone or freed else ():
        path = directory / name
        table = RoutesTable.parse(read_text(path) or "")
        wanted = uncaught(forgotten(table, gone), freed if name == "aliases" else ())
        change = None if wanted == table else plan_own_table(server, path, table_type(server), wanted.render(header))
        steps = steps if change is None else (*steps, WriteTable(change))
    return steps
