# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A Postfix server with split domains: reading what stands there and planning what shall. Private.

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import (
    Plan,
    Step,
    shown_lines,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    DEFAULT_CONFIG_DIRECTORY,
    PostfixServer,
    expanded,
    is_running,
    read_server,
    read_text,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.loan import Loan, give_back, lay_over
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.own_files import (
    LOAN_FILE,
    SETTINGS_FILE,
    json_text,
    own_directory,
    read_json,
    split_entries,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.reload import Due, noted_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes import RoutesTable
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.safe_order import in_safe_order
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.server_facts import (
    networks_of_peers,
    refuse_foreign_domains,
    refuse_old_postfix,
    refuse_overrides,
    refuse_waiting_mail,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.split import (
    ROUTES,
    SplitConfiguration,
    TableNames,
    compile_split,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.staging import WriteMainCf, check_staged
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.steps import (
    CreateDirectory,
    RemoveDirectory,
    Settle,
    WriteFile,
    WriteTable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_types import TableType, table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables import TableChange, plan_own_table
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.transports import default_local_transport
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Diff
from ansible_collections.mailops.split_domain.plugins.module_utils.settings import (
    DomainSettings,
    DomainsRequest,
    parse_settings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.topology import refuse_two_policies


class PostfixDomainsServer:
    """The Postfix instance of one configuration directory, as a server of split domains."""

    def __init__(self, config_directory: str = DEFAULT_CONFIG_DIRECTORY) -> None:
        """Name the instance; nothing is read yet."""
        self._config_directory = config_directory
        self._directory = own_directory(config_directory)

    def locked(self) -> AbstractContextManager[None]:
        """Keep other runs away from the instance's configuration."""
        return server_lock(self._config_directory)

    def plan_domains(self, request: DomainsRequest) -> Plan:
        """Plan the split settings: the tables that they compile to, our part of main.cf, and the reload."""
        before = self._settings()
        after = {} if request.purge else {name: old for name, old in before.items() if name not in request.absent}
        after.update((entry.domain, entry) for entry in request.present)
        server = read_server(self._config_directory)
        running = is_running(self._config_directory)
        gone = set(before) - set(after)
        if gone and running:
            refuse_waiting_mail(server, gone)
        if after:
            steps, diffs, warnings = self._plan_split(server, before, dict(sorted(after.items())))
        else:
            steps, diffs, warnings = self._plan_removal(server)
        if steps or noted_due(self._config_directory) is not Due.NONE:
            steps = (*steps, Settle(self._config_directory))
        if gone and not running:
            warnings = (
                *warnings,
                "Postfix does not run, so nobody looked for mail of the removed domains in its queue",
            )
        names = sorted({*(entry.domain for entry in request.present), *request.absent, *gone})
        return Plan(
            steps=steps,
            values={
                "domains": [_reported(name, before.get(name), after.get(name)) for name in names],
                "running": running,
                "server_changed": bool(steps),
            },
            diffs=diffs,
            warnings=warnings,
        )

    def _plan_split(
        self, server: PostfixServer, before: Mapping[str, DomainSettings], after: Mapping[str, DomainSettings]
    ) -> tuple[tuple[Step, ...], tuple[Diff, ...], tuple[str, ...]]:
        refuse_old_postfix(server)
        refuse_foreign_domains(server, after, str(self._directory))
        kind = table_type(server)
        settings = _with_transports(server, after)
        refuse_two_policies(peer.relay for entry in settings for peer in entry.peers)
        wanted = compile_split(
            settings,
            networks_of_peers(settings),
            _alias_tables(server, str(self._directory)),
            TableNames(str(self._directory), kind.name),
        )
        refuse_overrides(server, {*wanted.first, *wanted.last})
        loan = self._loan()
        main_cf, new_loan = lay_over(server.main_cf, server.parameters, loan, wanted)
        warnings: tuple[str, ...] = ()
        if main_cf != server.main_cf:
            warnings = check_staged(server, main_cf)
        tables = self._plan_tables(server, kind, wanted)
        # What was borrowed before stays on record until main.cf has changed, and domains that go stay in the settings
        # until nothing of them is left, so that a killed run can be repeated.
        interim_loan = new_loan if main_cf == server.main_cf else loan.joined(new_loan)
        steps = (
            *self._changed_files({**before, **after}, interim_loan),
            *in_safe_order(tables, WriteMainCf(server, main_cf) if main_cf != server.main_cf else None),
            *((self._loan_file(new_loan),) if interim_loan != new_loan else ()),
        )
        gone = set(before) - set(after)
        if gone:
            steps = (*steps, *self._forget_routes(server, kind, gone), self._settings_file(after))
        if steps and not self._directory.exists():
            steps = (CreateDirectory(self._directory), *steps)
        diffs = (*_main_cf_diff(server.main_cf, main_cf, server), *(_table_diff(change) for change in tables.values()))
        return steps, diffs, (*warnings, *_call_ahead_warnings(settings))

    def _plan_tables(
        self, server: PostfixServer, kind: TableType, wanted: SplitConfiguration
    ) -> dict[str, TableChange]:
        texts = {name: (text, kind) for name, text in wanted.indexed_tables.items()}
        for name, text in wanted.plain_tables.items():
            texts[name] = (text, table_type(server, "cidr" if name == "peers" else "regexp"))
        if not server.main_cf.value(ROUTES):
            # Postfix reads the table from now on, so it has to be whole, also after a run that was killed. Later its
            # entries, and its repair, are recipient_routes' own.
            texts["routes"] = (read_text(self._directory / "routes") or "", kind)
        changes = {}
        for name, (text, its_kind) in texts.items():
            change = plan_own_table(server, self._directory / name, its_kind, text)
            if change is not None:
                changes[name] = change
        return changes

    def _forget_routes(self, server: PostfixServer, kind: TableType, gone: set[str]) -> tuple[Step, ...]:
        path = self._directory / "routes"
        text = read_text(path) or ""
        table = RoutesTable.parse(text)
        if not gone & set(table.sections):
            return ()
        for domain in gone:
            table = table.with_section(domain, "")
        change = plan_own_table(server, path, kind, table.render())
        return () if change is None else (WriteTable(change),)

    def _plan_removal(self, server: PostfixServer) -> tuple[tuple[Step, ...], tuple[Diff, ...], tuple[str, ...]]:
        """Give main.cf back first: nothing refers to the tables when they go."""
        if not self._directory.exists():
            return (), (), ()
        main_cf = give_back(server.main_cf, self._loan())
        warnings: tuple[str, ...] = ()
        steps: tuple[Step, ...] = ()
        if main_cf != server.main_cf:
            warnings = check_staged(server, main_cf)
            steps = (WriteMainCf(server, main_cf), Settle(self._config_directory))
        diffs = (
            *_main_cf_diff(server.main_cf, main_cf, server),
            Diff(str(self._directory), "directory\n", "absent\n"),
        )
        return (*steps, RemoveDirectory(self._directory)), diffs, warnings

    def _changed_files(self, after: Mapping[str, DomainSettings], loan: Loan) -> tuple[WriteFile, ...]:
        files = (self._loan_file(loan), self._settings_file(after))
        return tuple(file for file in files if read_text(file.path) != file.text)

    def _loan_file(self, loan: Loan) -> WriteFile:
        return WriteFile(self._directory / LOAN_FILE, json_text(loan.as_json()))

    def _settings_file(self, settings: Mapping[str, DomainSettings]) -> WriteFile:
        entries = [entry.as_arguments() for _name, entry in sorted(settings.items())]
        return WriteFile(self._directory / SETTINGS_FILE, json_text({"domains": entries}))

    def _settings(self) -> dict[str, DomainSettings]:
        return {entry.domain: entry for entry in map(parse_settings, split_entries(self._directory))}

    def _loan(self) -> Loan:
        return Loan.from_json(read_json(self._directory / LOAN_FILE, {}))


def _with_transports(server: PostfixServer, settings: Mapping[str, DomainSettings]) -> tuple[DomainSettings, ...]:
    """Give the settings with the transport that the server delivers by where they name none."""
    entries = tuple(settings.values())
    if all(entry.local_transport for entry in entries):
        return entries
    default = default_local_transport(server)
    return tuple(replace(entry, local_transport=entry.local_transport or default) for entry in entries)


def _alias_tables(server: PostfixServer, own_directory: str) -> tuple[str, ...]:
    """Give the server's own tables of virtual_alias_maps: their addresses are known here in any case."""
    aliases = words(expanded(server.config_directory, ["virtual_alias_maps"]).get("virtual_alias_maps", ""))
    return tuple(table for table in aliases if ":" in table and own_directory not in table)


def _call_ahead_warnings(settings: tuple[DomainSettings, ...]) -> tuple[str, ...]:
    return tuple(
        f"{entry.domain} forwards unknown recipients to {entry.unknown} without call-ahead: mail for nobody is "
        f"accepted here and bounced later; switch call_ahead on, or list all users in the directory"
        for entry in settings
        if entry.unknown is not None and not entry.call_ahead
    )


def _reported(domain: str, before: Optional[DomainSettings], after: Optional[DomainSettings]) -> dict[str, Any]:
    return {
        "domain": domain,
        "before": before.as_arguments() if before else None,
        "after": after.as_arguments() if after else None,
        "changed": before != after,
    }


def _main_cf_diff(before: MainCf, after: MainCf, server: PostfixServer) -> tuple[Diff, ...]:
    return () if before == after else (Diff(str(server.main_cf_path), before.text, after.text),)


def _table_diff(change: TableChange) -> Diff:
    before, after = (change.before or "").splitlines(True), change.after.splitlines(True)
    if before == after:
        return Diff(f"{change.path} (index)", "; ".join(change.reasons) + "\n", "rebuilt\n")
    return shown_lines(str(change.path), before, after)
