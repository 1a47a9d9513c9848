# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The account of a thousand messages: what it calls a fault.

from __future__ import annotations

import pytest
from laboratory.expectations import CLOUD, HQ, STRANGER
from laboratory.mailboxes import Message
from laboratory.many_messages import account_faults, known_recipients
from laboratory.sending import Outgoing, Reply

ALICE = "alice@example.com"
SENT = [Outgoing(HQ, STRANGER, ALICE, "<1@lab>"), Outgoing(CLOUD, STRANGER, "nobody@example.com", "<2@lab>")]
WANTED = {"<1@lab>": (HQ, ALICE), "<2@lab>": None}
TAKEN = Reply(250, "2.0.0 Ok", 0.1)
UNKNOWN = Reply(550, "5.1.1 user unknown", 0.1)
COPY = Message(HQ, ALICE, "<1@lab>", "<sender@example.org>", "", (HQ,))


def test_a_delivered_known_and_a_refused_unknown_recipient_are_no_faults():
    assert account_faults(SENT, [TAKEN, UNKNOWN], WANTED, [COPY]) == []


@pytest.mark.parametrize(
    ("replies", "found", "fault"),
    [
        ([TAKEN, UNKNOWN], [], "not exactly one copy"),
        ([TAKEN, UNKNOWN], [COPY, COPY], "not exactly one copy"),
        ([UNKNOWN, UNKNOWN], [COPY], "a known recipient was not accepted"),
        ([TAKEN, TAKEN], [COPY], "an unknown recipient was not refused"),
        ([TAKEN, Reply(450, "4.1.1 later", 1.0)], [COPY], "an unknown recipient was not refused"),
        ([TAKEN, UNKNOWN], [COPY, Message(CLOUD, ALICE, "<1@lab>", "<>", "", ())], "a copy where none belongs"),
        ([TAKEN, UNKNOWN], [COPY, Message(HQ, ALICE, "<b>", "<>", "<2@lab>", ())], "a bounce about <2@lab>"),
    ],
    ids=["lost", "twice", "refused", "accepted", "deferred", "stray", "bounce"],
)
def test_everything_else_is_a_fault_that_is_named(replies, found, fault):
    faults = account_faults(SENT, replies, WANTED, found)
    assert len(faults) == 1
    assert fault in faults[0]


def test_both_sites_have_users_enough_to_draw_from():
    homes = list(known_recipients().values())
    assert min(homes.count(HQ), homes.count(CLOUD)) >= 40
