# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of faults where no server is needed: which set holds, whose fault a silence is, and that all are documented.

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import MailExchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.faults import find_faults
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.survey import (
    SERVER_NOT_ASKED,
    SILENT,
    MxSurvey,
    ServerAnswer,
    is_newer,
    newest,
)

ROOT = Path(__file__).resolve().parents[3]
SERIALS = st.integers(0, 2**32 - 1)
SET = MxSet.of([MxRecord(0, ".")], 300)


def survey(*servers: ServerAnswer, problem: str | None = None) -> MxSurvey:
    resolved = MailExchangers("example.com", SET if problem is None else MxSet(), problem=problem)
    return MxSurvey("example.com", "example.com", servers, resolved, resolved)


@given(SERIALS, st.integers(1, 2**31 - 1))
def test_a_serial_is_newer_than_all_that_it_can_be_raised_from_across_the_end_of_numbers(serial, raised_by):
    after = (serial + raised_by) % 2**32
    assert is_newer(after, serial) and not is_newer(serial, after)


@given(SERIALS, st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_the_answer_of_the_newest_zone_holds(first, steps):
    answers = [
        ServerAnswer(f"ns{number}", None, MxSet.of([MxRecord(step, "mx.example.com")], 300), (first + step) % 2**32)
        for number, step in enumerate(steps)
    ]
    held = newest(answers)
    assert held is not None and held.mx.records[0].preference == max(steps)


def test_among_servers_with_one_serial_the_set_of_most_of_them_holds():
    sets = [MxSet.of([MxRecord(number, "mx.example.com")], 300) for number in (10, 20, 20)]
    held = newest([ServerAnswer(f"ns{number}", None, mx_set, 1) for number, mx_set in enumerate(sets)])
    assert held is not None and held.mx == sets[1]


def test_a_server_that_this_host_cannot_reach_at_all_has_no_fault():
    here = ServerAnswer("ns1.example.com", "192.0.2.1", SET, 1)
    unreachable = ServerAnswer("ns1.example.com", "2001:db8::1", problem=SERVER_NOT_ASKED, detail="no way")
    assert find_faults(survey(here, unreachable)) == []


@pytest.mark.parametrize(("problem", "severity"), [(None, "warning"), ("the resolver said SERVFAIL", "error")])
def test_servers_that_are_silent_to_this_host_alone_lose_no_mail(problem, severity):
    silent = ServerAnswer("ns1.example.com", "192.0.2.1", problem=SILENT, detail="it did not answer within 5 s")
    found = {fault.code: fault.severity for fault in find_faults(survey(silent, problem=problem))}
    assert found["no_server_answers"] == severity


def test_every_fault_is_in_the_table_of_the_documentation():
    codes = set()
    for name in ("faults", "exchange_faults"):
        tree = ast.parse((ROOT / "plugins" / "module_utils" / "mx" / f"{name}.py").read_text(encoding="utf-8"))
        constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        codes |= {
            text for text in constants if isinstance(text, str) and re.fullmatch("[a-z]+(_[a-z]+)+|wildcard", text)
        }
    rows = re.findall(
        r"^\| (`.*?`) \| (?:error|warning|notice) ", (ROOT / "docs" / "mx_info.md").read_text(), re.MULTILINE
    )
    documented = {code for row in rows for code in re.findall(r"\w+", row)}
    assert documented == codes
