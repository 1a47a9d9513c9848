#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the gates that are named on the command line, one step after the other, and ends with the sum of all of them.

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).resolve().parent))

import counting  # noqa: E402
from counting import Count  # noqa: E402

BIN = ROOT / ".venv" / "bin"
BUILD = ROOT / ".build"
INSTALLED = BUILD / "collections" / "ansible_collections" / "mailops" / "split_domain"
PACKAGE = "ansible_collections.mailops.split_domain.plugins"


@dataclass(frozen=True)
class Step:
    """One command of a gate. ``count`` reads its exit code and output; by default exit code 0 is one pass."""

    name: str
    command: tuple[str, ...]
    cwd: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    count: Callable[[int, str], Count] = counting.by_exit_code


def lint_steps() -> list[Step]:
    """Give everything that reads the sources without running them."""
    typed = ("module_utils", "modules", "action", "filter", "doc_fragments")
    packages = tuple(word for folder in typed for word in ("--package", f"{PACKAGE}.{folder}"))
    tarball = next(iter(sorted((BUILD / "dist").glob("*.tar.gz"))), BUILD / "dist" / "no-tarball-was-built")
    importer = BUILD / "importer"
    importer.mkdir(parents=True, exist_ok=True)
    return [
        Step("ruff check", ("ruff", "check", "--quiet", ".")),
        Step("ruff format", ("ruff", "format", "--quiet", "--check", ".")),
        Step("mypy --strict", ("mypy", *packages), environment={"MYPYPATH": str(BUILD / "link")}),
        Step("yamllint", ("yamllint", "--strict", ".")),
        Step("ansible-lint", ("ansible-lint", "--profile", "production", "--offline", "--strict", "--nocolor")),
        # References to other collections are left out: looking at all that are installed takes minutes.
        Step("antsibull-docs", ("antsibull-docs", "lint-collection-docs", "--plugin-docs", str(INSTALLED))),
        Step("antsibull-changelog", ("antsibull-changelog", "lint")),
        Step(
            "galaxy-importer",
            ("python", "-m", "galaxy_importer.main", str(tarball)),
            cwd=importer,
            environment={"GALAXY_IMPORTER_CONFIG": str(ROOT / "tests" / "gates" / "galaxy-importer.cfg")},
            count=counting.by_importer_log,
        ),
    ]


def pytest_steps(folder: str, *options: str) -> list[Step]:
    """Give the one step that runs the Python tests below ``tests/<folder>``, with further options of pytest."""
    report = BUILD / f"junit-{folder}.xml"
    report.unlink(missing_ok=True)
    return [
        Step(
            f"pytest tests/{folder}",
            ("python", "-m", "pytest", "-q", *options, f"--junitxml={report}", f"tests/{folder}"),
            environment={"PYTHONPATH": str(BUILD / "link")},
            count=lambda exit_code, _output: counting.by_junit(exit_code, report),
        )
    ]


def sanity_steps() -> list[Step]:
    """Give ansible-test's sanity tests over the collection as it was installed from its tarball."""
    return [
        Step(
            "ansible-test sanity",
            (str(ROOT / "tests" / "gates" / "sanity.sh"),),
            count=counting.by_sanity_log,
        )
    ]


def molecule_steps() -> list[Step]:
    """Give Molecule's scenarios over the lab: all of them in one run, so that they share its servers."""
    # Molecule believes its notes of a run that was killed, and would not make the servers again.
    notes = BUILD / "molecule"
    shutil.rmtree(notes, ignore_errors=True)
    return [
        Step(
            "molecule",
            ("molecule", "test", "--all"),
            environment={
                "MOLECULE_EPHEMERAL_DIRECTORY": str(notes),
                "MOLECULE_COMMAND_BORDERS": "false",
                "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
                "COLUMNS": "160",
            },
            count=counting.by_molecule_log,
        )
    ]


GATES: dict[str, Callable[[], list[Step]]] = {
    "lint": lint_steps,
    "unit": lambda: pytest_steps("unit"),
    # Tests with servers wait more than they work, so that several files are run at a time.
    "integration": lambda: pytest_steps("integration", "--numprocesses=6", "--dist=loadfile"),
    "sanity": sanity_steps,
    "molecule": molecule_steps,
}


def run_step(step: Step) -> Count:
    """Run one step, show its output while it comes, and give its count."""
    print(f"==> {step.name}: {' '.join(Path(word).name if word.startswith('/') else word for word in step.command)}")
    sys.stdout.flush()
    started = time.monotonic()
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **step.environment,
    }
    process = subprocess.Popen(
        step.command,
        cwd=step.cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        print(line, end="", flush=True)
    count = step.count(process.wait(), "".join(lines))
    verdict = "ok" if count.failed == 0 else "FAILED"
    print(f"<== {step.name}: {verdict}, {count}, {time.monotonic() - started:.1f} s", flush=True)
    return count


def main() -> int:
    """Run the named gates; exit code 1 when anything failed."""
    parser = argparse.ArgumentParser(description="Run gates of the project.")
    parser.add_argument("gates", nargs="+", choices=[*GATES, "all"], metavar="GATE")
    wanted = parser.parse_args().gates
    total = Count()
    failed_steps: list[str] = []
    for gate in GATES if "all" in wanted else wanted:
        for step in GATES[gate]():
            count = run_step(step)
            total = total + count
            if count.failed:
                failed_steps.append(step.name)
    if failed_steps:
        print(f"failed: {', '.join(failed_steps)}")
    print(total)
    return 1 if failed_steps else 0


if __name__ == "__main__":
    sys.exit(main())
