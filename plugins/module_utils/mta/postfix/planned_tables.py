# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is due of this collection's tables on a Postfix server when its settings change. Private.

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import PostfixServer, read_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.copies import COPIED_NAMES, COPY_GUARDS
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.laid_over import LAID_OVER_TABLES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.logins import MODE, PASSWORDS
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.restrictions import ALIASES, ROUTES
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.split import SplitConfiguration
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_removal import (
    TableRemoval,
    own_removal,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_types import TableType, table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables import TableChange, plan_own_table
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.welcome import (
    WELCOME,
    WELCOME_CLASS,
    WELCOME_RECIPIENTS,
    XFORWARD,
)

_NETWORK_TABLES = ("peers", WELCOME, XFORWARD)
_COMING_AND_GOING = (
    PASSWORDS,
    WELCOME,
    XFORWARD,
    COPIED_NAMES,
    "catch_all",
    "generic",
    "recipients",
    *LAID_OVER_TABLES,
)
# What earlier versions had, with keys that an address could have.
_OF_EARLIER_VERSIONS = ("domains", "destinations", "parent_domain", "whole_domain", "received")
# There is one for each site whose mail is looked at in a way of its own.
_OF_PEERS = (WELCOME_RECIPIENTS, WELCOME_CLASS, *COPY_GUARDS)


def plan_tables(
    server: PostfixServer, directory: Path, kind: TableType, wanted: SplitConfiguration
) -> dict[str, TableChange]:
    """Give what is due of the tables that the split settings compile to, by name."""
    texts = {name: (text, kind) for name, text in wanted.indexed_tables.items()}
    for name, text in wanted.plain_tables.items():
        texts[name] = (text, table_type(server, "cidr" if name in _NETWORK_TABLES else "regexp"))
    for name, parameter in (("routes", ROUTES), ("aliases", ALIASES)):
        if not server.main_cf.value(parameter):
            # Postfix reads the table from now on, so it has to be whole, also after a run that was killed. Later
            # its entries, and its repair, are recipient_routes' own.
            texts[name] = (read_text(directory / name) or "", kind)
    changes = {}
    for name, (text, its_kind) in texts.items():
        rights = FileRights(mode=MODE) if name == PASSWORDS else None
        change = plan_own_table(server, directory / name, its_kind, text, rights)
        if change is not None:
            changes[name] = change
    return changes


def plan_stale_tables(directory: Path, wanted: SplitConfiguration) -> tuple[TableRemoval, ...]:
    """Plan what goes of the tables that come and go with single relays or domains, once main.cf does not name them."""
    of_peers = (path.name for each in _OF_PEERS for path in directory.glob(f"{each}*") if not path.suffix)
    stale = {*_COMING_AND_GOING, *_OF_EARLIER_VERSIONS, *of_peers} - {*wanted.indexed_tables, *wanted.plain_tables}
    found = (own_removal(directory / name) for name in sorted(stale))
    return tuple(removal for removal in found if removal)
