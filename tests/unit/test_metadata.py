# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what the collection says about itself: action group, requirements, tests for every module, licence headers.

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
LICENCE = (
    "# Copyright (c) 2026, the mailops.split_domain developers",
    "# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
)
NAMES_THAT_SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc"}


def test_every_module_is_in_the_action_group() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert sorted(runtime["action_groups"]["split_domain"]) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_tested_against_real_servers(module: str) -> None:
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "integration").rglob("*.py")]
    assert any(re.search(rf"\b{module}\b", text) for text in tests)


@pytest.mark.parametrize("module", MODULES)
def test_the_interpreter_line_of_a_module_is_the_one_that_ansible_replaces(module: str) -> None:
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/python\n")


def test_the_execution_environment_names_files_that_exist() -> None:
    environment = yaml.safe_load((ROOT / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))
    assert [name for name in environment["dependencies"].values() if not (ROOT / name).is_file()] == []


def test_every_python_file_has_the_licence_and_says_what_lives_in_it(project_files: list[Path]) -> None:
    incomplete = []
    for path in project_files:
        if path.suffix != ".py" or not path.read_text(encoding="utf-8").strip():
            continue
        lines = [
            line for line in path.read_text(encoding="utf-8").splitlines()[:8] if line and not line.startswith("#!")
        ]
        if (
            tuple(lines[:3]) != LICENCE
            or not lines[3].startswith("# ")
            or not lines[3].rstrip().endswith((".", ":", ","))
        ):
            incomplete.append(path.relative_to(ROOT).as_posix())
    assert incomplete == []


def test_every_file_has_a_name_that_says_something(project_files: list[Path]) -> None:
    assert [path.name for path in project_files if path.stem in NAMES_THAT_SAY_NOTHING] == []


def test_no_file_tells_of_the_machine_or_the_tools_it_was_written_with(project_files: list[Path]) -> None:
    # Written in pieces, so that this file does not find itself.
    forbidden = re.compile(
        "|".join(
            [
                "/wo" + "rk/",
                "/tmp/" + "w/",  # noqa: S108 - a text to look for, not a folder to use
                "/ho" + r"me/\w+/",
                r"\b(?:cl" + r"aude|an" + r"thropic|cha" + r"tgpt|co" + r"pilot|open" + r"ai)\b",
                "language " + "model",
            ]
        ),
        flags=re.IGNORECASE,
    )
    found = []
    for path in project_files:
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in forbidden.finditer(text)]
    assert found == []
