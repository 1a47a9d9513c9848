# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Our tables when settings change: what is due of them, what --diff shows, which routes go. Private.

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Step, shown_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.copies import (
    COPIED_NAMES,
    COPY_GUARDS,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    LAID_OVER_TABLES,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.passwords import (
    MODE,
    PASSWORDS,
    hidden_diff,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    ALIASES,
    ROUTES,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import SplitConfiguration
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.trusted_sites import (
    TRUSTED_SITE_CLASS,
    TRUSTED_SITE_RECIPIENTS,
    TRUSTED_SITES,
    XFORWARD,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    read_text_file,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_settings import (
    has_own_catch_all,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes.tables import (
    ALIASES_HEADER,
    ROUTES_HEADER,
    RoutesTable,
    forgotten,
    uncaught,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.change import (
    TableChange,
    plan_own_table,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import TableType, table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.removal import (
    TableRemoval,
    own_removal,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.steps import WriteTable
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.server_state import ServerState

_NETWORK_TABLES = ("peers", TRUSTED_SITES, XFORWARD)
_COMING_AND_GOING = (
    PASSWORDS,
    TRUSTED_SITES,
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
_OF_PEERS = (TRUSTED_SITE_RECIPIENTS, TRUSTED_SITE_CLASS, *COPY_GUARDS)


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
            texts[name] = (read_text_file(directory / name) or "", kind)
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


# What --diff shows of main.cf and of our tables.


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


# Routes and aliases that go with the settings of their domain, or with its catch-all.


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
    for name, header in (("aliases", ALIASES_HEADER), ("routes", ROUTES_HEADER)) if gone or freed else ():
        path = directory / name
        table = RoutesTable.parse(read_text_file(path) or "")
        wanted = uncaught(forgotten(table, gone), freed if name == "aliases" else ())
        change = None if wanted == table else plan_own_table(server, path, table_type(server), wanted.render(header))
        steps = steps if change is None else (*steps, WriteTable(change))
    return steps
