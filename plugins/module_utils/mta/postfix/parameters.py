# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module postfix_parameters: main.cf as it is to main.cf as it shall be. Private.

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import Plan, Step, carry_out
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    is_running,
    read_defaults,
    read_server,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.parameter_values import fault
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.parameters_request import (
    ParametersRequest,
    parse_request,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.reload import Due, due_for, noted_due
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.staging import (
    WriteMainCf,
    check_staged,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.steps import Settle
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Diff, Outcome


def set_parameters(arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring parameters of main.cf to what the module's arguments say."""
    request = parse_request(arguments)
    directory = request.config_directory
    lock = server_lock(directory, arguments["lock_timeout"])
    return carry_out(lock, lambda: plan_parameters(read_server(directory), request), check_mode, {})


def plan_parameters(server: PostfixServer, request: ParametersRequest) -> Plan:
    """Plan the new main.cf, have Postfix check it, and the reload or restart; writes nothing.

    Raises InvalidInput for a value that Postfix would not take.
    """
    defaults = read_defaults(request.config_directory)
    before = server.main_cf
    after = request.applied_to(before, server.parameters, defaults)
    changed = tuple(name for name in request.names if before.value(name) != after.value(name))
    due = due_for(changed)
    steps: list[Step] = []
    warnings: tuple[str, ...] = ()
    if after != before:
        for name in changed:
            _check(server, name, after.value(name), defaults.get(name))
        warnings = check_staged(server, after, changed if request.allow_unknown else ())
        steps.append(WriteMainCf(server, after, due))
    due = max(due, noted_due(request.config_directory))
    if request.reload and due is not Due.NONE:
        steps.append(Settle(request.config_directory))
    told = {
        name: {"before": before.value(name), "after": after.value(name), "changed": name in changed}
        for name in request.names
    }
    diffs = (Diff(str(server.main_cf_path), before.text, after.text),) if after != before else ()
    return Plan(tuple(steps), {"parameters": told, "due": str(due)}, diffs, warnings)


def _check(server: PostfixServer, name: str, value: str | None, default: str | None) -> None:
    """Raise what keeps a changed parameter from its value; None stands for the default."""
    found = None if value is None else fault(name, value, default, server.map_types)
    if found:
        raise InvalidInput(f"The parameter {name} cannot have the value {value!r}: {found}.")
    if name in ("queue_directory", "data_directory"):
        if name == "queue_directory" and is_running(server.config_directory):
            raise ServerStateError(
                "Postfix runs, and could not be stopped any more with another queue_directory: stop it first."
            )
        if value and "$" not in value and not Path(value).is_dir():
            raise InvalidInput(f"The {name} {value} is not there: create it first.")
