# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# All that this collection sets up on a Postfix server, and the steps from one such state to another. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import (
    DomainSettings,
    servers_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.host_addresses import networks_of_peers
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Step
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.modes import (
    BEST_EXCHANGER,
    PROXIES,
    RELAY_RESTRICTIONS,
    compile_modes,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.passwords import (
    OPTIONS,
    PASSWORDS,
    plan_logins,
    standing_passwords,
    with_logins,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    TableNames,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import compile_split
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.tls_policies import (
    CONSULTED,
    refuse_unfit_policies,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.trusted_sites import (
    JUDGING_LISTS,
    with_trusted_sites,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.verdicts import (
    domains_asked_anew,
    standing_verdicts,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    expanded,
    read_text_file,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_files import (
    SAVED_PARAMETERS_FILE,
    SETTINGS_FILE,
    json_text,
    own_directory,
    read_json,
    rights_of_directory,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import Due, noted_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.staging import (
    WriteMainCf,
    check_staged,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.existing_domains import (
    fallback_of_unknown_users,
    held_domains,
    places_of_its_own,
    refuse_held_subdomains,
    wildcard_warnings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.named_transports import (
    modes_with_transports,
    with_transports,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.own_tables import (
    main_cf_diff,
    plan_stale_tables,
    plan_tables,
    steps_of_forgetting,
    table_diff,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.requirements import (
    PROTOCOLS,
    refuse_old_postfix,
    refuse_overrides,
    refuse_unspoken_addresses,
    refuse_waiting_mail,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.safe_order import (
    ACCEPTING_TABLES,
    in_safe_order,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.saved_parameters import (
    SavedParameters,
    give_back,
    lay_over,
    value_without_ours,
    without_ours,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.verify_cache import (
    plan_for_domains,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.steps import (
    CreateDirectory,
    ReloadIfDue,
    RemoveDirectory,
    WriteFile,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.server_state import ServerState
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import refuse_two_policies


@dataclass(frozen=True)
class Configuration:
    """What has to be done to bring a server to a state, and what is told about it."""

    steps: tuple[Step, ...] = ()
    diffs: tuple[Diff, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What a run brings that stands in no settings: verdicts on sites by domain, and passwords of relays by place."""

    verdicts: Mapping[str, str] = field(default_factory=dict)
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)


class Configurator:
    """The part of one Postfix instance that belongs to this collection."""

    def __init__(self, config_directory: str) -> None:
        """Name the instance; nothing is read yet."""
        self._config_directory = config_directory
        self.directory = own_directory(config_directory)

    def state(self) -> ServerState:
        """Read what is set up now; raises ServerStateError for damaged files."""
        return ServerState.from_json(read_json(self.directory / SETTINGS_FILE, {"domains": []}))

    def verdicts(self, settings: Iterable[DomainSettings]) -> dict[str, str]:
        """Read what was found of the next sites of these domains, by domain."""
        texts = (read_text_file(self.directory / name) or "" for name in ACCEPTING_TABLES)
        return standing_verdicts("".join(texts), settings)

    def passwords(self) -> dict[str, str]:
        """Read the passwords of relays that stand on the server, by place."""
        return standing_passwords(read_text_file(self.directory / PASSWORDS) or "")

    def plan(
        self,
        server: PostfixServer,
        before: ServerState,
        after: ServerState,
        running: bool,
        findings: Findings = Findings(),
    ) -> Configuration:
        """Plan the way from one state to another, reload included.

        ``findings`` are what stands in no settings.
        Raises ServerStateError where the wanted state does not fit the server, or mail for a domain that goes waits.
        """
        gone = before.names - after.names
        if gone and running:
            refuse_waiting_mail(server, gone)
        unreached = before.rewritten_to - after.rewritten_to - gone
        if unreached and running:
            refuse_waiting_mail(server, unreached)
        findings = replace(findings, verdicts={**self.verdicts(after.domains.values()), **findings.verdicts})
        found = self._plan_state(server, before, after, findings) if after.names else self._plan_removal(server)
        steps, warnings = found.steps, found.warnings
        if steps or noted_due(self._config_directory) is not Due.NONE:
            steps = (*steps, ReloadIfDue(self._config_directory))
        if gone and not running:
            said = "Postfix does not run, so nobody looked for mail of the removed domains in its queue"
            warnings = (*warnings, said)
        return Configuration(steps, found.diffs, warnings)

    def _plan_state(
        self, server: PostfixServer, before: ServerState, after: ServerState, findings: Findings
    ) -> Configuration:
        refuse_old_postfix(server, after.domains.values())
        after.refuse_double_use()
        places = places_of_its_own(server, after, str(self.directory))
        refuse_held_subdomains(server, after.domains.values(), str(self.directory))
        laid_over = {name: place.parameter for name, place in places.items() if name in after.domains}
        after = replace(after, laid_over=laid_over)
        held = held_domains(server, laid_over, str(self.directory))
        kind = table_type(server)
        found = (replace(entry, verdict=findings.verdicts.get(name)) for name, entry in after.domains.items())
        settings = with_transports(server, tuple(found), held.names)
        refuse_two_policies(peer.relay for entry in settings for peer in entry.peers)
        consulted = expanded(self._config_directory, (*CONSULTED, PROTOCOLS))
        refuse_unspoken_addresses(servers_of(settings), consulted[PROTOCOLS])
        policy_warnings = refuse_unfit_policies(servers_of(settings), consulted)
        saved = self._saved_parameters()
        held = replace(held, fallback=fallback_of_unknown_users(server, settings, held, saved))
        networks = networks_of_peers(settings)
        names = TableNames(str(self.directory), kind.name)
        wanted = compile_split(
            settings,
            networks,
            held,
            names,
            compile_modes(
                modes_with_transports(server, [entry for name, entry in after.modes.items() if name not in places]),
                without_ours(server.parameters, saved, RELAY_RESTRICTIONS),
                words(without_ours(server.parameters, saved, PROXIES)),
                value_without_ours(server.parameters, saved, BEST_EXCHANGER),
            ),
        )
        wanted = with_logins(
            wanted,
            plan_logins(servers_of(settings), findings.passwords, read_text_file(self.directory / PASSWORDS) or ""),
            names,
            options_are_set=server.main_cf.value(OPTIONS) is not None and OPTIONS not in saved.parameters,
        )
        refuse_overrides(server, {*wanted.first, *wanted.last})
        # Less than this where master.cf says otherwise for port 25: there sites are judged as anybody is.
        judged = [name for name in JUDGING_LISTS if words(without_ours(server.parameters, saved, name))]
        wanted = with_trusted_sites(wanted, settings, networks, names, judged)
        main_cf, new_saved = lay_over(server.main_cf, server.parameters, saved, wanted)
        warnings: tuple[str, ...] = ()
        if main_cf != server.main_cf:
            warnings = check_staged(server, main_cf)
        tables = plan_tables(server, self.directory, kind, wanted)
        accepting = [tables[name] for name in ACCEPTING_TABLES if name in tables]
        asked_anew = [name for one in accepting for name in domains_asked_anew(one.before or "", one.after)]
        forgetting = plan_for_domains(server, self.directory, asked_anew)
        # What was saved before stays on record until main.cf has changed, and domains that go stay in the settings
        # until nothing of them is left, so that a killed run can be repeated.
        interim = new_saved if main_cf == server.main_cf else saved.joined(new_saved)
        steps = (
            *self._changed_files(before.joined(after), interim),
            *forgetting.before,
            *in_safe_order(server, tables, WriteMainCf(server, main_cf) if main_cf != server.main_cf else None),
            *((self._saved_parameters_file(new_saved),) if interim != new_saved else ()),
            *forgetting.after,
        )
        removals = plan_stale_tables(self.directory, wanted)
        steps = (*steps, *removals)
        gone = before.names - after.names
        forgotten = steps_of_forgetting(server, self.directory, before, after)
        if gone or forgotten:
            last = () if before.joined(after) == after else (self._settings_file(after),)
            steps = (*steps, *forgotten, *last)
        create = CreateDirectory(self.directory, rights_of_directory(server))
        if create.is_due and (steps or self.directory.exists()):
            steps = (create, *steps)
        files = [step for step in steps if isinstance(step, (CreateDirectory, WriteFile))]
        diffs = (*main_cf_diff(server.main_cf, main_cf, server), *(table_diff(change) for change in tables.values()))
        diffs = (*diffs, *(diff for file in files for diff in file.diffs))
        diffs = (*diffs, *(Diff(str(removal.path), "table\n", "absent\n") for removal in removals))
        warnings = (*warnings, *forgetting.warnings, *policy_warnings, *_call_ahead_warnings(settings))
        return Configuration(steps, diffs, (*warnings, *wildcard_warnings(server, settings, held)))

    def _plan_removal(self, server: PostfixServer) -> Configuration:
        """Give main.cf back first: nothing refers to the tables when they go."""
        if not self.directory.exists():
            return Configuration()
        main_cf = give_back(server.main_cf, self._saved_parameters())
        warnings: tuple[str, ...] = ()
        steps: tuple[Step, ...] = ()
        if main_cf != server.main_cf:
            warnings = check_staged(server, main_cf)
            steps = (WriteMainCf(server, main_cf), ReloadIfDue(self._config_directory))
        diffs = (
            *main_cf_diff(server.main_cf, main_cf, server),
            Diff(str(self.directory), "directory\n", "absent\n"),
        )
        return Configuration((*steps, RemoveDirectory(self.directory)), diffs, warnings)

    def _changed_files(self, after: ServerState, saved: SavedParameters) -> tuple[WriteFile, ...]:
        files = (self._saved_parameters_file(saved), self._settings_file(after))
        return tuple(file for file in files if file.is_due)

    def _saved_parameters_file(self, saved: SavedParameters) -> WriteFile:
        return WriteFile(self.directory / SAVED_PARAMETERS_FILE, json_text(saved.as_json()))

    def _settings_file(self, state: ServerState) -> WriteFile:
        return WriteFile(self.directory / SETTINGS_FILE, json_text(state.as_json()))

    def _saved_parameters(self) -> SavedParameters:
        return SavedParameters.from_json(read_json(self.directory / SAVED_PARAMETERS_FILE, {}))


def _call_ahead_warnings(settings: tuple[DomainSettings, ...]) -> tuple[str, ...]:
    return tuple(
        f"{entry.domain} forwards unknown recipients to {entry.unknown} without call-ahead: mail for nobody is "
        f"accepted here and bounced later, and goes round if {entry.unknown} forwards it back from an address that is "
        f"not in its clients; switch call_ahead on, or list all users in the directory and remove 'unknown'"
        for entry in settings
        if entry.unknown is not None and not entry.call_ahead
    )
