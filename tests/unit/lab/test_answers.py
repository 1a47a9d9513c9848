# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Reading what servers and hosts answer: status codes, and the differences of two states of a server's files.

from __future__ import annotations

import pytest
from laboratory.sending import Reply
from laboratory.server_files import differences


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [("5.1.1 <a@b>: unknown", "5.1.1"), ("4.7.10 later", "4.7.10"), ("Ok", ""), ("15.1.1 no", ""), ("", "")],
)
def test_the_enhanced_status_code_is_the_first_word_of_a_reply(text, enhanced):
    assert Reply(550, text, 0.0).enhanced == enhanced


@pytest.mark.parametrize(("code", "accepted"), [(250, True), (251, True), (354, False), (450, False), (0, False)])
def test_only_a_code_of_the_second_hundred_is_acceptance(code, accepted):
    assert Reply(code, "", 0.0).accepted is accepted


def test_two_equal_states_have_no_differences():
    assert differences({"/a": "1"}, {"/a": "1"}) == []


def test_new_lost_and_changed_files_are_told_apart():
    found = differences({"/gone": "1", "/same": "1", "/other": "1"}, {"/same": "1", "/other": "2", "/new": "1"})
    assert found == ["/gone is gone", "/new is new", "/other is different"]
