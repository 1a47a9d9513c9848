# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The routes of one domain on a Postfix server: reading what stands there and planning what shall. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.destinations import RoutesRequest
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import Plan, Step, shown_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    DEFAULT_CONFIG_DIRECTORY,
    PostfixServer,
    read_server,
    read_text,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.own_files import (
    own_directory,
    split_entries,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.reload import Due, noted_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes import (
    RoutesTable,
    render_section,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.steps import (
    CreateDirectory,
    Settle,
    WriteTable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_difference import differing_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.table_types import table_type
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables import plan_own_table
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.transports import (
    RELAY_SERVICE,
    default_local_transport,
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

    def locked(self) -> AbstractContextManager[None]:
        """Keep other runs away from the instance's configuration."""
        return server_lock(self._config_directory)

    def plan_routes(self, request: RoutesRequest) -> Plan:
        """Plan the per-address routes of one domain."""
        directory = own_directory(self._config_directory)
        server = read_server(self._config_directory)
        domain = request.text.domain
        settled = next((entry for entry in split_entries(directory) if entry["domain"] == domain), {})
        return plan_routes(server, directory, request, settled.get("local_transport"))


def plan_routes(
    server: PostfixServer, directory: Path, request: RoutesRequest, settled_transport: Optional[str]
) -> Plan:
    """Plan the section of one domain in the routes table below ``directory``.

    ``settled_transport`` is the local transport that the domain's settings name; the request's own goes before it, and
    the server's default comes after it.
    """
    domain = request.text.domain
    path = directory / "routes"
    text = read_text(path)
    table = RoutesTable.parse(text or "")
    transport = request.local_transport or settled_transport or default_local_transport(server)
    complete = request.text.with_transports(transport, RELAY_SERVICE)
    if request.state != "exact" or table.sections.get(domain) != complete:
        # What stands was checked when it was written.
        request.text.check()
    section = complete if request.state == "exact" else _merged_section(table, request, transport)
    gone, come = _changed_lines(table.sections.get(domain, ""), section)
    values = _values(domain, section, _routes_in(domain, gone), _routes_in(domain, come))
    values["complete"] = section == complete
    if text is None and not section:
        return Plan(steps=(), values=values)
    wanted_text = text if text is not None and _stands(table, domain, section) else None
    change = plan_own_table(
        server,
        path,
        table_type(server),
        table.with_section(domain, section).render() if wanted_text is None else wanted_text,
    )
    steps: tuple[Step, ...] = () if change is None else (WriteTable(change),)
    if steps and not directory.exists():
        steps = (CreateDirectory(directory), *steps)
    if (change is not None and change.reload_due) or noted_due(server.config_directory) is not Due.NONE:
        steps = (*steps, Settle(server.config_directory))
    values["table_changed"] = bool(steps)
    if change is None:
        return Plan(steps=steps, values=values)
    if gone or come:
        diff = shown_lines(str(path), gone, come)
    else:
        diff = shown_lines(f"{path} (index)", ["; ".join(change.reasons) + "\n"], ["rebuilt\n"])
    return Plan(steps=steps, values=values, diffs=(diff,))


def _stands(table: RoutesTable, domain: str, section: str) -> bool:
    """Tell whether the table says just ``section`` of the domain, also in the sections of others."""
    return table.sections.get(domain, "") == section and not any(
        f"@{domain}\t" in text for name, text in table.sections.items() if name != domain
    )


def _merged_section(table: RoutesTable, request: RoutesRequest, transport: str) -> str:
    text = request.text.only_local() if request.only_local else request.text
    lines = text.with_transports(transport, RELAY_SERVICE)
    domain = request.text.domain
    present = table.sections.get(domain, "")
    if request.state == "present" and set(lines.splitlines()) <= set(present.splitlines()):
        # Most often so, and much quicker than to take 100,000 lines apart.
        return present
    asked = RoutesTable({domain: lines}).routes(domain)
    routes = table.routes(domain)
    if request.state == "present":
        return render_section({**routes, **asked})
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
