# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the walls of the house: its wings and rooms, what each may import, and what each module brings to a server.
#
# shipped_files.json has the files that Ansible sends with each module; `python tests/unit/test_walls.py` writes it.

from __future__ import annotations

import ast
import json
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
UTILS = PLUGINS / "module_utils"
PREFIX = "ansible_collections.mailops.split_domain.plugins."
SHIPPED_FILES = Path(__file__).resolve().with_name("shipped_files.json")

# The wings, floor by floor. A wing imports only wings of lower floors.
FLOORS = (("base",), ("mx", "relay"), ("dns", "model"), ("smtp", "mta", "map"))
# The rooms: folders below module_utils, and what each may import. "mta shared" is a part of the folder mta.
ROOMS = {
    "base": (),
    "mx": ("base",),
    "relay": ("base",),
    "dns/client": ("base", "mx"),
    "dns/change": ("base", "mx", "dns/client"),
    "dns/update": ("base", "mx", "dns/client", "dns/change"),
    "dns/zone_file": ("base", "mx", "dns/client", "dns/change"),
    "dns/survey": ("base", "mx", "relay", "dns/client"),
    "dns": ("base", "mx", "dns/client", "dns/change", "dns/update", "dns/zone_file", "dns/survey"),
    "model": ("base", "mx", "relay"),
    "map": ("base", "mx", "relay", "model"),
    "smtp": ("base", "relay", "model"),
    "mta shared": ("base", "mx", "relay", "model"),
    "mta/postfix/instance": ("base", "relay"),
    "mta/postfix/tables": ("base", "mta/postfix/instance"),
    "mta/postfix/trace": ("base", "mta/postfix/instance"),
    "mta/postfix/compile": ("base", "mx", "relay", "model", "mta shared", "mta/postfix/instance"),
    "mta/postfix/routes": ("model",),
    "mta/postfix/setup": (
        *("base", "mx", "relay", "model", "mta shared"),
        *(f"mta/postfix/{room}" for room in ("instance", "tables", "trace", "compile", "routes")),
    ),
    "mta/postfix": (
        *("base", "mx", "relay", "model", "mta shared"),
        *(f"mta/postfix/{room}" for room in ("instance", "tables", "trace", "compile", "routes", "setup")),
    ),
    "mta": ("base", "mx", "relay", "model", "mta shared", "mta/postfix"),
}
# Files of mta/ that the doors and the mail servers both use; all others there are doors, which choose a mail server.
SHARED_OF_MTA = ("detection", "host_addresses", "peer_survey", "plan", "server_state", "traced_routes")
# The one file below the doors that may import Ansible, and the wing that may import dnspython.
KNOWS_ANSIBLE = "module_utils.base.run_module"
KNOWS_DNSPYTHON = "module_utils.dns."
# Lines of a file. A shorter one says in its first comment line why it is alone.
FEWEST, MOST = 60, 500
REASON = "# Alone here: "
# What never travels to a server, and what one module has no use for.
ON_THE_CONTROLLER = "module_utils.map."
NOT_SHIPPED = {"mx_info": "module_utils.dns.change."}


def name_of(path: Path) -> str:
    parts = path.relative_to(PLUGINS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def path_of(name: str) -> Path:
    return PLUGINS / f"{name.replace('.', '/')}.py"


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


FILES = [path for path in sorted(PLUGINS.rglob("*.py")) if path.name != "__init__.py"]
IMPORTS = {name_of(path): imports_of(path) for path in FILES}
OWN = {
    name: {imported.removeprefix(PREFIX) for imported in imported_names if imported.removeprefix(PREFIX) in IMPORTS}
    for name, imported_names in IMPORTS.items()
}
BELOW_THE_DOORS = [name for name in IMPORTS if name.startswith("module_utils.")]
MODULES = [name.removeprefix("modules.") for name in IMPORTS if name.startswith("modules.")]


def room_of(name: str) -> str:
    """Give the room of a file below module_utils."""
    *folders, last = name.split(".")[1:]
    room = "/".join(folders)
    return "mta shared" if room == "mta" and last in SHARED_OF_MTA else room


def wing_of(room: str) -> str:
    return room.split("/", maxsplit=1)[0].split(" ", maxsplit=1)[0]


def floor_of(room: str) -> int:
    return next(number for number, wings in enumerate(FLOORS) if wing_of(room) in wings)


def is_from(imported: str, package: str) -> bool:
    return imported == package or imported.startswith(package + ".")


def shipped_with(module: str) -> list[str]:
    """Give the files below module_utils that a module imports, and those that they import."""
    found: set[str] = set()
    waiting = [f"modules.{module}"]
    while waiting:
        new = OWN[waiting.pop()] - found
        found |= new
        waiting += new
    return sorted(found)


def shown_path(name: str) -> str:
    return path_of(name).relative_to(UTILS).as_posix()


def public_names_of(path: Path) -> set[str]:
    """Give the names without a leading underscore that a file defines at its top; what it imports is not its own."""
    names: set[str] = set()
    waiting: list[ast.AST] = [*ast.parse(path.read_text(encoding="utf-8")).body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
        else:
            waiting += [one for one in ast.iter_child_nodes(node) if isinstance(one, (ast.stmt, ast.excepthandler))]
    return {name for name in names if not name.startswith("_")}


def test_module_utils_holds_wings_and_nothing_loose() -> None:
    wings = {wing for floor in FLOORS for wing in floor}
    assert {path.name for path in UTILS.iterdir()} - {"__pycache__"} == wings | {"__init__.py"}


def test_every_package_is_empty_itself() -> None:
    folders = {path.parent for path in FILES if path.is_relative_to(UTILS)}
    packages = {one for folder in folders for one in (folder, *folder.parents) if one.is_relative_to(UTILS)}
    assert [folder for folder in sorted(packages) if (folder / "__init__.py").read_text(encoding="utf-8") != ""] == []


def test_every_room_is_known_and_used() -> None:
    assert {room_of(name) for name in BELOW_THE_DOORS} == set(ROOMS)
    shared = {name.rpartition(".")[2] for name in BELOW_THE_DOORS if room_of(name) == "mta shared"}
    assert shared == set(SHARED_OF_MTA)


@pytest.mark.parametrize("name", BELOW_THE_DOORS)
def test_a_file_imports_only_what_its_room_may(name: str) -> None:
    room = room_of(name)
    assert [own for own in sorted(OWN[name]) if room_of(own) not in (room, *ROOMS[room])] == []


def test_every_import_that_a_room_may_have_it_has() -> None:
    used = {(room_of(name), room_of(own)) for name in BELOW_THE_DOORS for own in OWN[name]}
    assert [(room, other) for room, others in ROOMS.items() for other in others if (room, other) not in used] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_lower_floors_and_its_own_wing(room: str) -> None:
    others = [other for other in ROOMS[room] if wing_of(other) != wing_of(room)]
    assert [other for other in others if floor_of(other) >= floor_of(room)] == []


def test_no_room_and_no_file_imports_itself_through_others() -> None:
    TopologicalSorter(ROOMS).prepare()
    TopologicalSorter(OWN).prepare()


@pytest.mark.parametrize("name", [name for name in BELOW_THE_DOORS if name != KNOWS_ANSIBLE])
def test_nothing_below_the_doors_knows_ansible(name: str) -> None:
    assert [imported for imported in IMPORTS[name] if is_from(imported, "ansible")] == []


@pytest.mark.parametrize("name", [name for name in BELOW_THE_DOORS if not name.startswith(KNOWS_DNSPYTHON)])
def test_dnspython_is_known_in_the_wing_for_dns_only(name: str) -> None:
    assert [imported for imported in IMPORTS[name] if is_from(imported, "dns")] == []


@pytest.mark.parametrize("name", BELOW_THE_DOORS)
def test_nothing_below_the_doors_imports_a_door(name: str) -> None:
    assert [own for own in OWN[name] if not own.startswith("module_utils.") or own == KNOWS_ANSIBLE] == []


@pytest.mark.parametrize("name", BELOW_THE_DOORS)
def test_a_file_is_neither_long_nor_short_without_a_reason(name: str) -> None:
    lines = path_of(name).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST
    assert len(lines) >= FEWEST or lines[3].startswith(REASON), "say in the first comment line why it is alone"


def test_no_public_name_means_two_things() -> None:
    places: dict[str, list[str]] = {}
    for name in BELOW_THE_DOORS:
        for public in public_names_of(path_of(name)):
            places.setdefault(public, []).append(shown_path(name))
    assert {public: found for public, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_ships_the_files_that_are_written_down(module: str) -> None:
    written = json.loads(SHIPPED_FILES.read_text(encoding="utf-8"))[module]
    assert [shown_path(name) for name in shipped_with(module)] == written


def test_the_shipped_files_of_every_module_are_written_down() -> None:
    assert sorted(json.loads(SHIPPED_FILES.read_text(encoding="utf-8"))) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_no_server_gets_what_belongs_to_the_controller(module: str) -> None:
    assert [name for name in shipped_with(module) if name.startswith(ON_THE_CONTROLLER)] == []


@pytest.mark.parametrize(("module", "room"), NOT_SHIPPED.items())
def test_a_module_that_only_reads_does_not_ship_changes(module: str, room: str) -> None:
    assert [name for name in shipped_with(module) if name.startswith(room)] == []


@pytest.mark.parametrize("name", [name for name in IMPORTS if name.startswith("modules.")])
def test_a_door_holds_nothing_but_documentation_a_spec_and_one_call(name: str) -> None:
    tree = ast.parse(path_of(name).read_text(encoding="utf-8"))
    functions = [node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda))]
    assert functions == ["main"]
    branches = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.Try))]
    assert branches == []


if __name__ == "__main__":
    shipped = {module: [shown_path(name) for name in shipped_with(module)] for module in MODULES}
    SHIPPED_FILES.write_text(json.dumps(shipped, indent=2) + "\n", encoding="utf-8")
