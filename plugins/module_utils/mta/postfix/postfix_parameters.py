# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The work of the module postfix_parameters: main.cf as it is to main.cf as it shall be. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Diff, Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import TABLES_OF_LOGINS, holds_passwords
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan, Step, carry_out
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    PostfixServer,
    is_running,
    read_defaults,
    read_server,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import (
    Position,
    add_elements,
    remove_elements,
    words,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.parameter_values import (
    fault,
    is_list,
    same_value,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.reload import (
    Due,
    due_for,
    noted_due,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.staging import (
    WriteMainCf,
    check_staged,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.steps import ReloadIfDue


def set_parameters(arguments: dict[str, Any], check_mode: bool) -> Outcome:
    """Bring parameters of main.cf to what the module's arguments say."""
    request = parse_parameters_request(arguments)
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
        steps.append(ReloadIfDue(request.config_directory))
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


# What the module postfix_parameters is asked for: its arguments checked and turned into values.


@dataclass(frozen=True)
class ListChange:
    """Elements that one parameter's list shall have, or not have."""

    name: str
    elements: tuple[str, ...]
    present: bool
    position: Position


@dataclass(frozen=True)
class ParametersRequest:
    """Parameters of main.cf as they shall be."""

    values: Mapping[str, str]
    lists: tuple[ListChange, ...]
    removed: tuple[str, ...]
    allow_unknown: bool
    reload: bool
    config_directory: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters that the request is about, each once."""
        return tuple(dict.fromkeys([*self.values, *(change.name for change in self.lists), *self.removed]))

    def applied_to(self, main_cf: MainCf, effective: Mapping[str, str], defaults: Mapping[str, str]) -> MainCf:
        """Return main.cf as the request wants it.

        ``effective`` has the values in force, with which a list that main.cf does not set begins. A value that main.cf
        has already in another spelling stays as it is.
        """
        for name, value in self.values.items():
            before = main_cf.value(name)
            if before is None or not same_value(name, before, value, defaults.get(name)):
                main_cf = main_cf.with_value(name, value)
        for change in self.lists:
            before = main_cf.value(change.name)
            start = effective.get(change.name, "") if before is None else before
            if change.present:
                after = add_elements(start, change.elements, change.position)
            else:
                after = remove_elements(start, change.elements)
            if after == "" and start != "" and defaults.get(change.name) == "":
                # The last element goes, and with it a definition that says nothing.
                main_cf = main_cf.without(change.name)
            elif after != start:
                main_cf = main_cf.with_value(change.name, after)
        for name in self.removed:
            main_cf = main_cf.without(name)
        return main_cf


def parse_parameters_request(arguments: Mapping[str, Any]) -> ParametersRequest:
    """Read the module's arguments; raises InvalidInput for what cannot be used."""
    values = {str(name): _value(str(name), value) for name, value in arguments["parameters"].items()}
    lists = tuple(_list_change(entry) for entry in arguments["elements"])
    removed = tuple(arguments["removed"])
    groups = [set(values), {change.name for change in lists}, set(removed)]
    for name in {*values, *(change.name for change in lists), *removed}:
        # A parameter's name is checked where it is written; this is for those that are not.
        MainCf("").with_value(name, "")
        if sum(name in group for group in groups) > 1:
            raise InvalidInput(
                f"The parameter {name} is in more than one of parameters, elements and removed: say one thing about it."
            )
    tables = [*values.items(), *((one.name, ", ".join(one.elements)) for one in lists if one.present)]
    for name, value in tables:
        if name.endswith(TABLES_OF_LOGINS) and holds_passwords(value):
            raise InvalidInput(
                f"The parameter {name} has a password in it, and everybody on the server may read main.cf: put it into "
                "a table with secret_entries of postfix_map, and name that."
            )
    return ParametersRequest(
        values=values,
        lists=lists,
        removed=removed,
        allow_unknown=arguments["allow_unknown"],
        reload=arguments["reload"] == "auto",
        config_directory=arguments["config_directory"],
    )


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, str)):
        text = " ".join(line.strip() for line in str(value).splitlines()) if isinstance(value, str) else str(value)
        if is_list(name):
            words(text)
        return text.strip()
    if isinstance(value, Sequence) and _is_list_of_texts(value):
        return ", ".join(str(element).strip() for element in value)
    raise InvalidInput(
        f"The value {shown(value)} of the parameter {name} is none: give a text, a number, yes or no, or a list of "
        "texts, and name the parameter in 'removed' to have it removed."
    )


def _is_list_of_texts(value: Sequence[Any]) -> bool:
    """Tell whether every element of a list is a text or a number that stands for itself."""
    return all(
        isinstance(element, (str, int)) and not isinstance(element, bool) and words(str(element)) for element in value
    )


def _list_change(entry: Mapping[str, Any]) -> ListChange:
    name = entry["name"]
    if not entry["elements"]:
        raise InvalidInput(f"The elements for the parameter {name} are empty: name at least one.")
    for element in entry["elements"]:
        # Finds what is no element before anything is read from the server.
        add_elements("", [element], "first")
    return ListChange(name, tuple(entry["elements"]), entry["state"] == "present", entry["position"])
