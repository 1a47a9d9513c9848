# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Reads from exit codes, reports and logs of the tools how much passed and how much failed.

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

# What is shown of a line, in characters.
LONGEST_LINE = 300


@dataclass(frozen=True)
class Count:
    """How many checks passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        """Give the sum of two counts."""
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        """Write it the way pytest does; skipped ones are named only when there are some."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def by_exit_code(exit_code: int, _output: str) -> Count:
    """Count a command as one check."""
    return Count(passed=1) if exit_code == 0 else Count(failed=1)


def by_junit(exit_code: int, report: Path) -> Count:
    """Count the tests of a JUnit report. A run that broke off before its report is one failure."""
    if not report.exists():
        return Count(failed=1)
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest wrote the file a moment ago
    total = Count()
    for suite in suites:
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        total = total + Count(max(tests - failed - skipped, 0), failed, skipped)
    return total + Count(failed=1) if exit_code != 0 and total.failed == 0 else total


def slowest_tests(reports: Iterable[Path], most: int) -> list[tuple[float, str]]:
    """Give the seconds and names of the tests in JUnit reports that took longest, the slowest first."""
    cases = (
        case
        for report in reports
        for case in ElementTree.parse(report).getroot().iter("testcase")  # noqa: S314 - written by pytest a moment ago
    )
    found = ((float(case.get("time", 0)), f"{case.get('classname')}::{case.get('name')}") for case in cases)
    return heapq.nlargest(most, found)


def failed_tests(reports: Iterable[Path]) -> list[tuple[str, str]]:
    """Give the names of the tests in JUnit reports that failed, each with the first line of what was wrong."""
    found = []
    for report in reports:
        for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by pytest a moment ago
            for outcome in (*case.iter("failure"), *case.iter("error")):
                reason = (outcome.get("message") or "").strip().partition("\n")[0]
                found.append((f"{case.get('classname')}::{case.get('name')}", reason[:LONGEST_LINE]))
    return found


def telling_lines(output: str, most: int) -> list[str]:
    """Give the lines of a log that say what is wrong, or where none does, its last lines; at most so many."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", output).splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"\bWRONG\b|^fatal: |\bERROR\b|\bFATAL\b", line)]
    return [line[:LONGEST_LINE] for line in (told or lines)[-most:]]


def by_importer_log(exit_code: int, output: str) -> Count:
    """Count a Galaxy import as one check: it ends with 0 even when it complained, so its complaints count."""
    complaints = re.findall(r"^(?:WARNING|ERROR|CRITICAL): .*", output, flags=re.MULTILINE)
    completed = "Importer processing completed successfully" in output
    return by_exit_code(0 if exit_code == 0 and completed and not complaints else 1, output)


def by_sanity_log(exit_code: int, output: str) -> Count:
    """Count ansible-test's sanity tests; a test that could not be run is a failure, not a skip."""
    ran = len(re.findall(r"^Running sanity test \"", output, flags=re.MULTILINE))
    failed = sum(map(int, re.findall(r"^FATAL: The (\d+) sanity test\(s\)", output, flags=re.MULTILINE)))
    # "Skipping ...", "All targets skipped", "Required program ... not found"
    not_run = len(re.findall(r"^WARNING: .*(?:skipp(?:ed|ing)|required program)", output, flags=re.MULTILINE | re.I))
    if failed + not_run == 0 and (exit_code != 0 or ran == 0):
        failed = 1
    return Count(passed=max(ran - failed, 0), failed=failed + not_run)


def by_molecule_log(exit_code: int, output: str) -> Count:
    """Count Molecule's scenarios by its recap; one of which a step failed or has no playbook has failed."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    steps = re.findall(r"^\w+\s*: actions=\d+ .*missing=(\d+)\s+failed=(\d+)", plain, flags=re.MULTILINE)
    failed = sum(1 for missing, wrong in steps if int(missing) + int(wrong) > 0)
    if failed == 0 and (exit_code != 0 or not steps):
        failed, steps = 1, [*steps, ("0", "1")]
    return Count(passed=len(steps) - failed, failed=failed)
