# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The routes of one domain on a Postfix server: reading what stands there and planning what shall. Private.

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import RoutesRequest
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import LAID_OVER
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan, Step, shown_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.existing_domains import (
    CLASS_DEFAULT,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    ALIASES,
    ROUTES,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import RELAY_SERVICE
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    DEFAULT_CONFIG_DIRECTORY,
    PostfixServer,
    is_running,
    read_server,
    read_text_file,
    run_or_fail,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_files import (
    SETTINGS_FILE,
    own_directory,
    read_json,
    rights_of_directory,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.own_settings import (
    default_local_transport,
    foreign_domains,
    has_own_catch_all,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import Due, noted_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes.tables import (
    ALIASES_HEADER,
    ROUTES_HEADER,
    RoutesTable,
    alias_names,
    aliases_section,
    render_section,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.verify_cache import plan_for_routes
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.change import (
    TableChange,
    plan_own_table,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.difference import differing_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.index import table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.steps import (
    CreateDirectory,
    ReloadIfDue,
    WriteTable,
)

MOST_REPORTED_CHANGES = 100
# So few lines are found sooner by searching the text for each than by taking it apart.
FEW = 8
Routes = Mapping[str, str]
"""Transports by address."""


class PostfixRoutesServer:
    """The Postfix instance of one configuration directory, as a keeper of routes."""

    def __init__(self, config_directory: str = DEFAULT_CONFIG_DIRECTORY) -> None:
        """Name the instance; nothing is read yet."""
        self._config_directory = config_directory

    def locked(self, patience: float) -> AbstractContextManager[None]:
        """Keep other runs away from the instance's configuration, waiting for their end for so many seconds."""
        return server_lock(self._config_directory, patience)

    def plan_routes(self, request: RoutesRequest) -> Plan:
        """Plan the per-address routes of one domain."""
        directory = own_directory(self._config_directory)
        server = read_server(self._config_directory)
        domain = request.text.domain
        settled = next((entry for entry in split_entries(directory) if entry["domain"] == domain), None)
        transport = request.local_transport
        if transport is None:
            transport = (settled or {}).get("local_transport")
        if not transport and not _stays(server, directory, domain, is_split=settled is not None):
            transport = default_local_transport(server)
        return plan_routes(server, directory, replace(request, local_transport=transport or None), settled or {})


def _stays(server: PostfixServer, directory: Path, domain: str, is_split: bool) -> bool:
    """Tell whether the domain's users stay where the server's own settings have them, the split being laid over it."""
    if is_split:
        return domain in laid_over_domains(directory)
    place = foreign_domains(server, [domain], str(directory)).get(domain)
    return place is not None and place.takes_a_split


def plan_routes(server: PostfixServer, directory: Path, request: RoutesRequest, settled: Mapping[str, Any]) -> Plan:
    """Plan the section of one domain in the tables of routes and aliases below ``directory``.

    ``settled`` are the domain's settings on this server, if there are any. Without a local transport in the request
    the server's own users are left to its own settings, without a route.
    """
    domain = request.text.domain
    table = RoutesTable.parse(read_text_file(directory / "routes") or "")
    routed = request.text if request.local_transport else request.text.only_elsewhere()
    complete = routed.with_transports(request.local_transport or CLASS_DEFAULT, RELAY_SERVICE)
    aliases = RoutesTable.parse(read_text_file(directory / "aliases") or "")
    # A domain that the server has itself has no need of such aliases: its routes are kept from its own catch-all.
    is_caught = bool(request.local_transport) and has_own_catch_all(server.config_directory, str(directory), domain)
    names = alias_names(request, settled, is_caught)
    rewritten = aliases_section(aliases, request, names)
    stand = table.sections.get(domain) == complete and aliases.sections.get(domain, "") == rewritten
    if request.state != "exact" or not stand:
        # What stands was checked when it was written.
        request.text.check()
        refuse_double_delivery(server, aliases.sections.get(domain, ""), request)
    section = complete if request.state == "exact" else _merged_section(table, request)
    gone, come = _changed_lines(table.sections.get(domain, ""), section)
    values = _values(domain, section, _routes_in(domain, gone), _routes_in(domain, come))
    in_the_end = replace(request, state="exact", only_local=False)
    exact = rewritten if request.state == "exact" else aliases_section(aliases, in_the_end, names)
    values["complete"] = section == complete and rewritten == exact
    # Aliases first: an address that comes home is not sent away any more when its route says local.
    edits = (
        _SectionEdit(aliases, directory / "aliases", ALIASES, ALIASES_HEADER, domain, rewritten),
        _SectionEdit(table, directory / "routes", ROUTES, ROUTES_HEADER, domain, section),
    )
    changes = [(edit, change) for edit in edits for change in [edit.plan(server)] if change is not None]
    lost = _routes_in(domain, gone).keys() - _routes_in(domain, come).keys()
    asks_ahead = bool(settled.get("unknown") and settled.get("call_ahead"))
    forgetting = plan_for_routes(server, directory, domain, lost if asks_ahead else ())
    writing: tuple[Step, ...] = tuple(WriteTable(change) for _edit, change in changes)
    steps = (*forgetting.before, *writing, *forgetting.after)
    create = CreateDirectory(directory, rights_of_directory(server))
    if create.is_due and (steps or directory.exists()):
        steps = (create, *steps)
    stands = any((directory / name).exists() for name in ("aliases", "routes"))
    reload_noted = stands and noted_due(server.config_directory) is not Due.NONE
    if reload_noted or any(change.reload_due for _edit, change in changes):
        steps = (*steps, ReloadIfDue(server.config_directory))
    values["table_changed"] = bool(steps)
    diffs = (*(edit.diff(change) for edit, change in changes), *(create.diffs if create in steps else ()))
    return Plan(steps=steps, values=values, diffs=diffs, warnings=forgetting.warnings)


@dataclass(frozen=True)
class _SectionEdit:
    """Another section for a domain in one of the tables."""

    table: RoutesTable
    path: Path
    parameter: str
    header: str
    domain: str
    section: str

    def plan(self, server: PostfixServer) -> Optional[TableChange]:
        """Give what is due on the server; None when nothing is, also where Postfix wants no table and none is due."""
        text = read_text_file(self.path)
        if text is None and not self.section and not server.main_cf.value(self.parameter):
            return None
        if text is None or not _stands(self.table, self.domain, self.section):
            text = self.table.with_section(self.domain, self.section).render(self.header)
        return plan_own_table(server, self.path, table_type(server), text)

    def diff(self, change: TableChange) -> Diff:
        """Give the lines that change, or why only the index is written."""
        gone, come = _changed_lines(self.table.sections.get(self.domain, ""), self.section)
        if gone or come:
            return shown_lines(str(self.path), gone, come)
        return shown_lines(f"{self.path} (index)", ["; ".join(change.reasons) + "\n"], ["rebuilt\n"])


def _stands(table: RoutesTable, domain: str, section: str) -> bool:
    """Tell whether the table says just ``section`` of the domain, also in the sections of others."""
    return table.sections.get(domain, "") == section and not any(
        f"@{domain}\t" in text for name, text in table.sections.items() if name != domain
    )


def _merged_section(table: RoutesTable, request: RoutesRequest) -> str:
    text = request.text.only_local() if request.only_local else request.text
    lines = text.with_transports(request.local_transport or CLASS_DEFAULT, RELAY_SERVICE)
    domain = request.text.domain
    present = table.sections.get(domain, "")
    if request.state == "present" and set(lines.splitlines()) <= set(present.splitlines()):
        # Most often so, and much quicker than to take 100,000 lines apart.
        return present
    asked = RoutesTable({domain: lines}).routes(domain)
    routes = table.routes(domain)
    if request.state == "present":
        merged = {**routes, **asked}
        return render_section({address: value for address, value in merged.items() if value != CLASS_DEFAULT})
    return render_section({address: value for address, value in routes.items() if address not in asked})


def _values(domain: str, section: str, before: Routes, after: Routes) -> dict[str, object]:
    """Give the module's result from the routes that stand in changed lines only."""
    changed = sorted(address for address in {*before, *after} if before.get(address) != after.get(address))
    removed = sum(address not in after for address in changed)
    added = sum(address not in before for address in changed)
    total = section.count("\n")
    return {
        "domain": domain,
        "table_changed": False,
        "counts": {
            "before": total - added + removed,
            "after": total,
            "added": added,
            "changed": len(changed) - added - removed,
            "removed": removed,
        },
        "changes": [
            {"address": address, "before": before.get(address), "after": after.get(address)}
            for address in changed[:MOST_REPORTED_CHANGES]
        ],
    }


def _changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Give the lines that stand in only one of two sections, each list sorted; ``after`` has no line twice."""
    left, right = differing_lines(before, after)
    old, new = set(left.splitlines(True)), set(right.splitlines(True))
    gone = old - new
    # A line that hands have doubled may still stand where the two agree.
    if len(gone) > FEW:
        gone -= set(after.splitlines(True))
    elif gone:
        whole = f"\n{after}"
        gone = {line for line in gone if f"\n{line}" not in whole}
    return sorted(gone), sorted(new - old)


def _routes_in(domain: str, lines: Sequence[str]) -> Routes:
    return RoutesTable({domain: "".join(lines)}).routes(domain)


def split_entries(directory: Path) -> list[dict[str, Any]]:
    """Give the split domains of a server as ``split_domains`` wrote them down; raises ServerStateError."""
    return list(read_json(directory / SETTINGS_FILE, {"domains": []})["domains"])


def laid_over_domains(directory: Path) -> frozenset[str]:
    """Give the split domains that the server's own settings had already, as ``split_domains`` found them."""
    return frozenset(read_json(directory / SETTINGS_FILE, {}).get(LAID_OVER, {}))


# Users with copies whose mailbox moves to another site, and their mail that still waits for the old one.


def refuse_double_delivery(server: PostfixServer, aliases: str, request: RoutesRequest) -> None:
    """Raise ServerStateError when mail that was copied already waits here for a mailbox that moves elsewhere.

    At its next try it would follow the mailbox, to a site that has the copy, or makes it again. ``aliases`` is what
    stands in that table of the domain. Mail that is being delivered right now goes where it went before.
    """
    if request.state == "absent" or request.only_local:
        return
    copied = {key for key, _tab, value in _rows(aliases) if value.startswith(f"{key}, ")}
    moving = {key for key, _tab, _to in _rows(request.text.only_elsewhere().lines)} & copied if copied else set()
    if not moving or not is_running(server.config_directory):
        return
    waiting = _deferred(server, moving)
    if waiting:
        raise ServerStateError(
            f"{len(waiting)} recipient(s) who get copies and move to another site wait in the queue of this server "
            f"({waiting[0]}), and their mail would come twice there: let it be delivered (postqueue -f), or remove it "
            "or put it on hold (postsuper), then run again"
        )


def _rows(lines: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition("\t") for line in lines.splitlines())


def _deferred(server: PostfixServer, addresses: Container[str]) -> list[str]:
    """Give the recipients in the deferred queue who are one of ``addresses``, or a subaddress."""
    delimiters = server.parameters.get("recipient_delimiter", "")
    messages = map(json.loads, run_or_fail(["postqueue", "-j"], server.config_directory).stdout.splitlines())
    found = []
    for message in messages:
        for recipient in message["recipients"] if message["queue_name"] == "deferred" else ():
            local_part, _at, domain = recipient["address"].lower().rpartition("@")
            ends = [place for place, letter in enumerate(local_part) if letter in delimiters]
            if any(f"{local_part[:end]}@{domain}" in addresses for end in (None, *ends)):
                found.append(recipient["address"])
    return found
