# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Every Debian package that the tests use is in a requirements file: a fresh machine has nothing else.
#
# "make fresh" proves the same by running the tests on such a machine; this is the quick form.

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTS = (ROOT / "tests" / "gates" / "requirements-apt.txt", ROOT / "tests" / "lab" / "requirements-apt.txt")
# What a fresh machine has by README.md, and what these packages and an empty Debian bring.
GIVEN = ("git", "make", "python3", "python3-venv", "ca-certificates")
# Where commands are started on this machine; those in texts for the lab's hosts are of the hosts' own packages.
RUNNING_HERE = (
    "tests/integration",
    "tests/support",
    "tests/gates",
    "tests/benchmarks",
    "tests/unit",
    "tests/simulator",
)
# Table types of Postfix that are not in the package postfix itself.
TABLE_TYPES = {name: f"postfix-{name}" for name in ("cdb", "ldap", "lmdb", "mysql", "pcre", "pgsql", "sqlite")}


def words_of(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def sources() -> Iterator[Path]:
    for folder in RUNNING_HERE:
        yield from sorted((ROOT / folder).rglob("*.py"))


@cache
def listed_with_dependencies() -> frozenset[str]:
    """Give the listed packages, what they pull in, and what every Debian has."""
    wanted = [*GIVEN, *(name for path in LISTS for name in words_of(path))]
    options = ("--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces")
    pulled = subprocess.run(
        ["apt-cache", "depends", *options, "--no-enhances", "--installed", *wanted],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    basic = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${Priority} ${Essential}\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    required = {line.split()[0] for line in basic.splitlines() if " required " in line or line.endswith(" yes")}
    names = re.findall(r"^(?:\s*\|?(?:Pre)?Depends: )?<?([a-z0-9][a-z0-9.+-]*)", pulled, re.MULTILINE)
    return frozenset({*wanted, *names, *required})


def packages_of(commands: Iterable[str]) -> dict[str, str]:
    """Give the Debian package of each command that one has brought."""
    paths: dict[str, str] = {}
    for command in commands:
        found = shutil.which(command, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        if found is not None:
            # A file of an older package may be listed without /usr, and a link belongs to nobody.
            resolved = str(Path(found).resolve())
            paths |= dict.fromkeys(
                (found, found.removeprefix("/usr"), resolved, resolved.removeprefix("/usr")), command
            )
    said = subprocess.run(["dpkg-query", "--search", *paths], capture_output=True, text=True, check=False).stdout
    owners: dict[str, str] = {}
    for line in said.splitlines():
        package, _colon, path = line.partition(": ")
        if path in paths and not line.startswith("diversion"):
            owners.setdefault(paths[path], package.partition(":")[0].split(",")[0])
    return owners


def started_commands() -> dict[str, str]:
    """Give the first word of every list of words that a test starts as a command, with a file that does."""
    found: dict[str, str] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            first = node.elts[0] if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) > 1 else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                word = first.value
                if re.fullmatch(r"[a-z][a-z0-9_.+-]*|/usr/[a-z/_-]+", word):
                    found.setdefault(word, path.relative_to(ROOT).as_posix())
    return found


def test_every_command_that_the_tests_start_comes_with_a_listed_package() -> None:
    started = started_commands()
    missing = {
        command: f"{package}, for {started[command]}"
        for command, package in packages_of(started).items()
        if package not in listed_with_dependencies()
    }
    assert missing == {}, "add the packages to tests/gates/requirements-apt.txt"


@pytest.mark.parametrize("kind", TABLE_TYPES)
def test_every_table_type_that_the_tests_use_comes_with_a_listed_package(kind: str) -> None:
    pattern = re.compile(rf"(?<![\w.-]){kind}:[{{/$\w]")
    users = [
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if path.name != Path(__file__).name and "integration" in path.parts and pattern.search(path.read_text("utf-8"))
    ]
    assert not users or TABLE_TYPES[kind] in words_of(LISTS[0]), f"{users[0]} uses {kind}: list {TABLE_TYPES[kind]}"


def test_what_this_machine_has_beyond_the_lists_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    by_hand = subprocess.run(["apt-mark", "showmanual"], capture_output=True, text=True, check=True).stdout.split()
    beyond = sorted(set(by_hand) - listed_with_dependencies())
    with capsys.disabled():
        print(f"\n{len(beyond)} packages were installed on this machine that no list has: {' '.join(beyond[:8])} ...")
