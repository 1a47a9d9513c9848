#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the gates that are named on the command line, and ends with what each took and the sum of all of them.
#
# The quick ones come first. What waits more than it works runs side by side.

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
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
    """Give Molecule's scenarios, each in a run of its own, those that take long first."""
    scenarios = {path.parent.name for path in (ROOT / "extensions" / "molecule").glob("*/molecule.yml")} - {"default"}
    return [
        Step(
            f"molecule {name}",
            # The laboratory stands already; its scenario "default" is for those who run Molecule by hand.
            ("molecule", "test", "--no-shared-state", "--scenario-name", name),
            environment={
                "MOLECULE_EPHEMERAL_DIRECTORY": str(BUILD / "molecule" / name),
                "MOLECULE_COMMAND_BORDERS": "false",
                "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
                "COLUMNS": "160",
            },
            count=counting.by_molecule_log,
        )
        for name in sorted(scenarios, key=lambda name: (name not in LONG_SCENARIOS, name))
    ]


def laboratory_step(name: str, *command: str) -> Step:
    """Give a step that brings a laboratory up or down."""
    words = (str(BIN / "python"), str(ROOT / "tests" / "lab" / "lab.py"), *command)
    return Step(f"{name} {command[0]}", words, environment={"SPLIT_DOMAIN_LAB": name})


LONG_SCENARIOS = ("existing_users", "many_sites", "master_slave", "own_users", "routing_modes", "two_servers")
# Scenarios wait more than they work, so that two of them run at a time.
LABORATORIES = 2
SLOWEST_SHOWN = 20
# Of a step that failed, these are shown once more at the end.
LINES_SHOWN = 12
# A step that has not ended by then is ended, and has failed; seconds.
PATIENCE = 2700

GATES: dict[str, Callable[[], list[Step]]] = {
    "lint": lint_steps,
    "unit": lambda: pytest_steps("unit", "--numprocesses=2", "--dist=loadfile"),
    # Tests with servers wait more than they work, so that several files are run at a time.
    "integration": lambda: pytest_steps("integration", "--numprocesses=6", "--dist=loadfile"),
    "sanity": sanity_steps,
    "molecule": molecule_steps,
}
# Gates that run side by side, one group after the other, the quick ones first.
GROUPS = (("lint", "unit"), ("integration",), ("sanity", "molecule"))


@dataclass(frozen=True)
class Done:
    """A step that has ended, with its output."""

    name: str
    count: Count
    seconds: float
    output: str


def run_step(step: Step, is_shown: bool = True) -> Done:
    """Run one step and give its count; its output is shown while it comes, or else as a whole at its end."""
    lines: list[str] = []

    def say(text: str) -> None:
        lines.append(text)
        if is_shown:
            print(text, end="", flush=True)

    say(f"==> {step.name}: {' '.join(Path(word).name if word.startswith('/') else word for word in step.command)}\n")
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
        start_new_session=True,
    )
    # With all that it has started, so that nobody holds its output open.
    ending = threading.Timer(PATIENCE, os.killpg, (process.pid, signal.SIGKILL))
    ending.start()
    try:
        for line in process.stdout or ():
            say(line)
        count = step.count(process.wait(), "".join(lines[1:]))
    finally:
        ending.cancel()
        if process.poll() is None:
            # Whoever ends this run from a terminal does not reach a group of its own.
            os.killpg(process.pid, signal.SIGTERM)
    seconds = time.monotonic() - started
    if seconds >= PATIENCE:
        say(f"{step.name} did not end within {PATIENCE} s; the lines above say how far it came\n")
    say(f"<== {step.name}: {'ok' if count.failed == 0 else 'FAILED'}, {count}, {seconds:.1f} s\n")
    if not is_shown:
        print("".join(lines), end="", flush=True)
    return Done(step.name, count, seconds, "".join(lines))


def run_gate(name: str, is_shown: bool) -> list[Done]:
    """Run the steps of a gate one after the other; Molecule's in as many laboratories at a time as there are."""
    if name != "molecule":
        return [run_step(step, is_shown) for step in GATES[name]()]
    # Molecule believes its notes of a run that was killed.
    shutil.rmtree(BUILD / "molecule", ignore_errors=True)
    waiting = deque(GATES[name]())
    laboratories = [f"lab-{number + 1}" for number in range(LABORATORIES)]
    with ThreadPoolExecutor() as threads:
        parts = threads.map(lambda laboratory: run_in_laboratory(laboratory, waiting), laboratories)
        return [one for part in parts for one in part]


def run_in_laboratory(name: str, waiting: deque[Step]) -> list[Done]:
    """Bring a laboratory up, take one step after the other from those that wait, and take it down."""
    done = [run_step(laboratory_step(name, "reset", "--all"), False)]
    while waiting and not done[0].count.failed:
        step = waiting.popleft()
        done.append(run_step(replace(step, environment={**step.environment, "SPLIT_DOMAIN_LAB": name}), False))
    return [*done, run_step(laboratory_step(name, "down"), False)]


def run_gates(names: list[str]) -> list[Done]:
    """Run the gates, those of a group side by side; what the last one of a group prints is shown at once."""
    done: list[Done] = []
    for group in GROUPS:
        gates = [gate for gate in group if gate in names]
        with ThreadPoolExecutor() as threads:
            for ended in threads.map(run_gate, gates, [gate is gates[-1] for gate in gates]):
                done += ended
    return done


def show_times(done: list[Done], seconds: float) -> None:
    """Print what each step took, and the slowest tests of those that pytest ran."""
    print(f"\n{'step':<28} {'seconds':>8}")
    for one in done:
        print(f"{one.name:<28} {one.seconds:>8.1f}")
    print(f"{'all':<28} {seconds:>8.1f}")
    slowest = counting.slowest_tests(reports_of(done), SLOWEST_SHOWN)
    if slowest:
        print(f"\nthe slowest tests{'seconds':>15}")
        for took, test in slowest:
            print(f"{took:>8.1f}  {test}")
    print()


def show_failures(done: list[Done]) -> None:
    """Print once more, at the end, what failed: the tests of pytest by name, of other steps the lines that tell."""
    for test, reason in counting.failed_tests(reports_of(done)):
        print(f"FAILED {test}: {reason}")
    for one in done:
        if one.count.failed and not one.name.startswith("pytest"):
            for line in counting.telling_lines(one.output, LINES_SHOWN):
                print(f"{one.name}: {line}")


def reports_of(done: list[Done]) -> list[Path]:
    """Give the reports that pytest wrote in these steps."""
    reports = (BUILD / f"junit-{one.name.rpartition('/')[2]}.xml" for one in done)
    return [report for report in reports if report.exists()]


def main() -> int:
    """Run the named gates; exit code 1 when anything failed."""
    parser = argparse.ArgumentParser(description="Run gates of the project.")
    parser.add_argument("gates", nargs="+", choices=[*GATES, "all"], metavar="GATE")
    wanted = parser.parse_args().gates
    started = time.monotonic()
    done = run_gates(list(GATES) if "all" in wanted else wanted)
    show_times(done, time.monotonic() - started)
    failed_steps = [one.name for one in done if one.count.failed]
    if failed_steps:
        show_failures(done)
        print(f"failed: {', '.join(failed_steps)}")
    print(sum((one.count for one in done), Count()))
    return 1 if failed_steps else 0


if __name__ == "__main__":
    sys.exit(main())
