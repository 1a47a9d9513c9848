# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the gates' counting: nothing that failed, broke off or could not run is counted as passed.

from __future__ import annotations

from pathlib import Path

import counting
import pytest
from counting import Count

SANITY = 'Running sanity test "pep8"\nRunning sanity test "pylint"\nRunning sanity test "shellcheck"\n'
IMPORTED = "Loading module smtp_probe\nImporter processing completed successfully\n"


def test_a_sum_is_written_as_pytest_writes_it() -> None:
    assert str(Count(3, 1) + Count(2, 0, 1)) == "5 passed, 1 failed, 1 skipped"
    assert str(Count(3)) == "3 passed, 0 failed"


def test_sanity_tests_are_counted_one_by_one() -> None:
    assert counting.by_sanity_log(0, SANITY) == Count(passed=3)
    failed = "FATAL: The 2 sanity test(s) listed below (out of 3) failed. See error output above for details.\n"
    assert counting.by_sanity_log(1, SANITY + failed) == Count(passed=1, failed=2)


@pytest.mark.parametrize(
    ("exit_code", "output"),
    [
        (0, "WARNING: All targets skipped.\n"),
        (0, ""),
        (1, SANITY),
        (0, SANITY + 'WARNING: Required program "shellcheck" not found.\n'),
        (0, SANITY + "WARNING: Skipping sanity test pslint\n"),
    ],
)
def test_sanity_tests_that_did_not_run_are_failures(exit_code: int, output: str) -> None:
    assert counting.by_sanity_log(exit_code, output).failed > 0


def test_an_import_without_complaints_passes() -> None:
    assert counting.by_importer_log(0, IMPORTED) == Count(passed=1)


@pytest.mark.parametrize(
    ("exit_code", "output"),
    [
        (0, IMPORTED + "WARNING: plugins/modules/x.py:1: E1\n"),
        (0, "ERROR: The import failed for the following reason: no\n"),
        (0, "Loading module smtp_probe\n"),
        (1, IMPORTED),
    ],
)
def test_an_import_with_a_complaint_fails_although_the_importer_exits_with_0(exit_code: int, output: str) -> None:
    assert counting.by_importer_log(exit_code, output) == Count(failed=1)


def test_tests_are_counted_from_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>')
    assert counting.by_junit(1, report) == Count(passed=5, failed=2, skipped=2)


def test_a_test_run_that_broke_off_is_a_failure(tmp_path: Path) -> None:
    assert counting.by_junit(3, tmp_path / "missing.xml") == Count(failed=1)
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="0" errors="0" skipped="0"/></testsuites>')
    assert counting.by_junit(2, report) == Count(passed=9, failed=1)


def test_a_gate_without_any_test_is_a_failure(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="0" failures="0" errors="0" skipped="0"/></testsuites>')
    assert counting.by_junit(5, report) == Count(failed=1)


RECAP = (
    "\x1b[32mdefault             \x1b[0m: \x1b[33mactions=2\x1b[0m  \x1b[32msuccessful=2\x1b[0m  disabled=0  "
    "skipped=0  missing=0  failed=0\n"
    "own_users           : actions=6  successful={good}  disabled=0  skipped=0  missing={missing}  failed={failed}\n"
)


def test_molecules_scenarios_are_counted_by_its_recap() -> None:
    assert counting.by_molecule_log(0, RECAP.format(good=6, missing=0, failed=0)) == Count(passed=2)
    assert counting.by_molecule_log(1, RECAP.format(good=5, missing=0, failed=1)) == Count(passed=1, failed=1)


def test_a_scenario_with_a_missing_playbook_has_failed_although_molecule_only_warns() -> None:
    assert counting.by_molecule_log(0, RECAP.format(good=5, missing=1, failed=0)) == Count(passed=1, failed=1)


def test_a_molecule_run_without_any_scenario_is_a_failure() -> None:
    assert counting.by_molecule_log(0, "") == Count(failed=1)
    assert counting.by_molecule_log(1, RECAP.format(good=6, missing=0, failed=0)) == Count(passed=2, failed=1)


def test_the_slowest_tests_come_first(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    cases = "".join(f'<testcase classname="a.b" name="t{number}" time="{number}.5"/>' for number in (2, 9, 1))
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    assert counting.slowest_tests([report], 2) == [(9.5, "a.b::t9"), (2.5, "a.b::t2")]


def test_failed_tests_are_named_with_their_reason(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="a.b" name="t1"><failure message="1 == 2&#10;more"/></testcase>'
        '<testcase classname="a.b" name="t2"><error message="boom"/></testcase><testcase classname="a" name="t3"/>'
        "</testsuite></testsuites>",
        encoding="utf-8",
    )
    assert counting.failed_tests([report]) == [("a.b::t1", "1 == 2"), ("a.b::t2", "boom")]


def test_of_a_failed_step_the_lines_that_tell_are_shown_or_its_last_ones() -> None:
    told = "one\n\x1b[31mWRONG: mail is lost\x1b[0m\ntwo\nfatal: [a]: FAILED!\nthree\n"
    assert counting.telling_lines(told, 5) == ["WRONG: mail is lost", "fatal: [a]: FAILED!"]
    assert counting.telling_lines("one\n\ntwo\nthree\n", 2) == ["two", "three"]
