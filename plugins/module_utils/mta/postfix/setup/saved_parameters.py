# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Our part of somebody else's main.cf: put in, kept, and given back byte for byte. Pure. Private.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import SplitConfiguration
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import (
    add_elements,
    remove_elements,
    words,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf


@dataclass(frozen=True)
class ChangedParameter:
    """A parameter that we changed: the raw text it had before (None: it was not set), and what of it is ours now.

    Either ``elements`` were added to the list value ``base``, or the whole value was replaced by ``value``. While
    main.cf is being changed, ``former`` is the value of ours that may still stand there.
    """

    block: Optional[str]
    base: str = ""
    elements: tuple[str, ...] = ()
    value: Optional[str] = None
    former: Optional[str] = None


@dataclass(frozen=True)
class SavedParameters:
    """All parameters that we changed on a server, by name. Kept in a file beside our tables."""

    parameters: Mapping[str, ChangedParameter] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SavedParameters:
        """Read what ``as_json`` gave."""
        return cls(
            {
                name: ChangedParameter(
                    block=entry["block"],
                    base=entry.get("base", ""),
                    elements=tuple(entry.get("elements", ())),
                    value=entry.get("value"),
                    former=entry.get("former"),
                )
                for name, entry in data.items()
            }
        )

    def as_json(self) -> dict[str, Any]:
        """Give them as plain values."""
        return {
            name: {
                "block": entry.block,
                **({"base": entry.base, "elements": list(entry.elements)} if entry.value is None else {}),
                **({} if entry.value is None else {"value": entry.value}),
                **({} if entry.former is None else {"former": entry.former}),
            }
            for name, entry in self.parameters.items()
        }

    def joined(self, later: SavedParameters) -> SavedParameters:
        """Give the saved parameters that restore main.cf whether these or ``later`` are the ones that took effect.

        They have to be on record while main.cf goes from one to the other, for a run may be killed in between.
        """
        parameters = {**self.parameters, **later.parameters}
        for name in self.parameters.keys() & later.parameters.keys():
            old, new = self.parameters[name], later.parameters[name]
            parameters[name] = ChangedParameter(
                block=new.block,
                base=new.base,
                elements=tuple(dict.fromkeys((*new.elements, *old.elements))),
                value=new.value,
                former=None if old.value == new.value else old.value,
            )
        return SavedParameters(dict(sorted(parameters.items())))


def lay_over(
    main_cf: MainCf, in_force: Mapping[str, str], saved: SavedParameters, wanted: SplitConfiguration
) -> tuple[MainCf, SavedParameters]:
    """Give main.cf with our part as ``wanted``, and the saved parameters that restore it.

    ``in_force`` holds the unexpanded value of every parameter, defaults included, as postconf(1) prints them.
    """
    parameters = dict(saved.parameters)
    ours: set[str] = {*wanted.first, *wanted.last, *wanted.values}
    for name in set(parameters) - ours:
        main_cf = _give_back(main_cf, name, parameters.pop(name))
    for name in dict.fromkeys((*wanted.first, *wanted.last)):
        edit = _ListEdit(name, wanted.first.get(name, ()), wanted.last.get(name, ()))
        default = in_force.get(edit.name, "")
        main_cf, parameters[edit.name] = _change_list(main_cf, default, parameters.get(edit.name), edit)
    for name, value in wanted.values.items():
        if name not in parameters or parameters[name].value is None:
            parameters[name] = ChangedParameter(block=main_cf.block(name), value=value)
        else:
            parameters[name] = ChangedParameter(block=parameters[name].block, value=value)
        if main_cf.value(name) != value:
            main_cf = main_cf.with_value(name, value)
    return main_cf, SavedParameters(dict(sorted(parameters.items())))


def give_back(main_cf: MainCf, saved: SavedParameters) -> MainCf:
    """Give main.cf without our part: byte for byte what it was, but for what others changed since."""
    for name, changed in saved.parameters.items():
        main_cf = _give_back(main_cf, name, changed)
    return main_cf


@dataclass(frozen=True)
class _ListEdit:
    """The elements that a list parameter shall have from us, at its beginning and at its end."""

    name: str
    first: tuple[str, ...]
    last: tuple[str, ...]


def _change_list(
    main_cf: MainCf, default: str, earlier: Optional[ChangedParameter], edit: _ListEdit
) -> tuple[MainCf, ChangedParameter]:
    name, elements = edit.name, (*edit.first, *edit.last)
    current = main_cf.value(name)
    theirs = default if current is None else current
    theirs = remove_elements(theirs, (*(earlier.elements if earlier else ()), *elements))
    new = add_elements(add_elements(theirs, edit.first, "first"), edit.last, "last")
    if earlier is None:
        untouched = current is None or words(theirs) == words(current)
        block = main_cf.block(name) if untouched else f"{name} = {theirs}\n"
        changed = ChangedParameter(block=block, base=theirs, elements=elements)
    else:
        changed = ChangedParameter(block=earlier.block, base=earlier.base, elements=elements)
    if current is None or words(new) != words(current):
        main_cf = main_cf.with_value(name, new)
    return main_cf, changed


def _give_back(main_cf: MainCf, name: str, changed: ChangedParameter) -> MainCf:
    current = main_cf.value(name)
    if current is None:
        return main_cf
    if changed.value is not None:
        is_ours = current in (changed.value, changed.former)
        return main_cf.with_block(name, changed.block) if is_ours else main_cf
    theirs = remove_elements(current, changed.elements)
    if words(theirs) == words(changed.base):
        return main_cf.with_block(name, changed.block)
    return main_cf if words(theirs) == words(current) else main_cf.with_value(name, theirs)


def without_ours(in_force: Mapping[str, str], saved: SavedParameters, name: str) -> str:
    """Give a list parameter as it is without our part."""
    value = in_force.get(name, "")
    changed = saved.parameters.get(name)
    return remove_elements(value, changed.elements) if changed else value


def value_without_ours(in_force: Mapping[str, str], saved: SavedParameters, name: str) -> str:
    """Give a parameter that we replace as a whole as it would be without us; somebody else's later value is theirs."""
    changed = saved.parameters.get(name)
    value = in_force.get(name, "")
    return "" if changed and value in (changed.value, changed.former) else value
