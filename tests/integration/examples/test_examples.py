# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the documentation: every example of a module runs, against real servers.

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
import yaml
from example_play import failures_of, run_examples
from receiving_postfix import Postfix

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))


def examples_of(module: str) -> str:
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{module} has no EXAMPLES")


@pytest.mark.parametrize("module", MODULES)
def test_every_example_shows_its_module_under_its_full_name(module: str) -> None:
    tasks = yaml.safe_load(examples_of(module))
    assert any(f"mailops.split_domain.{module}" in task for task in tasks)
    assert all(task["name"] and any("." in word for word in task) for task in tasks)


@pytest.mark.parametrize("module", MODULES)
def test_every_example_runs(module: str, places: dict[str, str], managed: Postfix, tmp_path: Path) -> None:
    report = run_examples(examples_of(module), places, tmp_path, managed.config)
    assert failures_of(report) == []
    assert report["stats"]["localhost"]["ok"] == len(yaml.safe_load(examples_of(module)))


@pytest.mark.parametrize("module", MODULES)
def test_check_mode_of_the_examples_changes_no_file_of_the_mail_server(
    module: str, places: dict[str, str], managed: Postfix, tmp_path: Path
) -> None:
    def files() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(managed.config.rglob("*")) if path.is_file()}

    before = files()
    report = run_examples(examples_of(module), places, tmp_path, managed.config, "--check")
    assert files() == before
    # Later examples build on earlier ones, which check mode did not carry out; a traceback is a fault all the same.
    assert "Traceback" not in json.dumps(report)
