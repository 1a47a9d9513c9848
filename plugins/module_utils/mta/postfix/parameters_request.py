# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the module postfix_parameters is asked for: its arguments checked and turned into values. Pure. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import (
    Position,
    add_elements,
    remove_elements,
    words,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.parameter_values import (
    is_list,
    same_value,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.secrecy import TABLES_OF_LOGINS, holds_passwords
from ansible_collections.mailops.split_domain.plugins.module_utils.shapes import shown


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


def parse_request(arguments: Mapping[str, Any]) -> ParametersRequest:
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
