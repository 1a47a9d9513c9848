# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the walls of the house: imports run downwards only, and each library stays in its room.

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
PREFIX = "ansible_collections.mailops.split_domain.plugins."
ROOMS = ("dns", "mta", "smtp")
DOOR = "module_utils.door"


def name_of(path: Path) -> str:
    parts = path.relative_to(PLUGINS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Give the full names of everything that a file imports, at its beginning or later."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


IMPORTS = {name_of(path): imports_of(path) for path in sorted(PLUGINS.rglob("*.py"))}
OWN = {
    name: {imported.removeprefix(PREFIX) for imported in imported_names if imported.removeprefix(PREFIX) in IMPORTS}
    for name, imported_names in IMPORTS.items()
}
BELOW_THE_DOORS = [name for name in IMPORTS if name.startswith("module_utils.") and name != DOOR]


def room_of(name: str) -> str | None:
    """Give the room of a name: dns, mta, smtp (which is several files), or None for the pure ground floor."""
    first = name.removeprefix("module_utils.").split(".")[0].split("_")[0]
    return first if first in ROOMS else None


def is_from(imported: str, package: str) -> bool:
    return imported == package or imported.startswith(package + ".")


@pytest.mark.parametrize("name", BELOW_THE_DOORS)
def test_nothing_below_the_doors_knows_ansible(name: str) -> None:
    assert [imported for imported in IMPORTS[name] if is_from(imported, "ansible")] == []


@pytest.mark.parametrize("name", [name for name in BELOW_THE_DOORS if not name.startswith("module_utils.dns")])
def test_dnspython_is_known_in_the_room_for_dns_only(name: str) -> None:
    assert [imported for imported in IMPORTS[name] if is_from(imported, "dns")] == []


@pytest.mark.parametrize("name", BELOW_THE_DOORS)
def test_nothing_below_the_doors_imports_a_door(name: str) -> None:
    assert [own for own in OWN[name] if not own.startswith("module_utils") or own == DOOR] == []


@pytest.mark.parametrize("name", [name for name in BELOW_THE_DOORS if room_of(name) is None])
def test_the_pure_ground_floor_imports_no_room(name: str) -> None:
    assert [own for own in OWN[name] if own.startswith("module_utils.") and room_of(own) is not None] == []


@pytest.mark.parametrize("name", [name for name in BELOW_THE_DOORS if room_of(name) is not None])
def test_no_room_imports_another(name: str) -> None:
    assert [own for own in OWN[name] if room_of(own) not in (None, room_of(name))] == []


def test_no_file_imports_itself_through_others() -> None:
    TopologicalSorter(OWN).prepare()


@pytest.mark.parametrize("name", [name for name in IMPORTS if name.startswith("modules.")])
def test_a_door_holds_nothing_but_documentation_a_spec_and_one_call(name: str) -> None:
    tree = ast.parse((PLUGINS / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))
    functions = [node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda))]
    assert functions == ["main"]
    branches = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.Try))]
    assert branches == []
