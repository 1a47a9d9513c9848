# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether a message that went wrong is called wrong: each way of going wrong fails its row.

from __future__ import annotations

from dataclasses import replace

import pytest
from laboratory.expectations import (
    CLOUD,
    FORMS,
    HQ,
    OUTSIDE,
    Answered,
    Bounced,
    Deferred,
    Delivered,
    Expectation,
    Held,
    Refused,
    expectations,
)
from laboratory.extensions import WORDS
from laboratory.mailboxes import Message
from laboratory.observation import Sent, Traces, judge
from laboratory.queues import Queued
from laboratory.sending import Outgoing, Reply
from laboratory.table import outcome_table

BOB = "bob@example.com"
MESSAGE = Outgoing("localhost", "sender@example.org", BOB, "<1.run@lab>")
COPY = Message(CLOUD, BOB, "<1.run@lab>", "<sender@example.org>", "", (OUTSIDE, HQ, CLOUD))
BOUNCE = Message(OUTSIDE, "sender@example.org", "<b@lab>", "<>", "<1.run@lab>", (OUTSIDE,))
WAITING = Queued(HQ, "ABC", "sender@example.org", (BOB,), ("no route to host",))
TAKEN = Reply(250, "2.0.0 Ok", 0.1)
UNKNOWN = Reply(550, "5.1.1 user unknown", 0.1)
DELIVERED = Delivered(CLOUD, BOB, (OUTSIDE, HQ, CLOUD))
NOTHING = Traces((), (), ())


def row(must):
    return Expectation("outside", OUTSIDE, "localhost", "sender@example.org", BOB, must)


def passes(must, reply, traces, meanwhile=""):
    return judge(Sent(row(must), MESSAGE, reply, meanwhile), traces).passed


def test_one_copy_in_the_right_mailbox_over_the_right_servers_is_right():
    assert passes(DELIVERED, TAKEN, Traces((COPY,), (), ()))


@pytest.mark.parametrize(
    "traces",
    [
        NOTHING,
        Traces((COPY, COPY), (), ()),
        Traces((replace(COPY, host=HQ),), (), ()),
        Traces((replace(COPY, mailbox="dave@example.com"),), (), ()),
        Traces((replace(COPY, hops=(OUTSIDE, CLOUD)),), (), ()),
        Traces((replace(COPY, hops=(OUTSIDE, HQ, CLOUD, HQ, CLOUD)),), (), ()),
        Traces((COPY,), (BOUNCE,), ()),
        Traces((COPY,), (), (WAITING,)),
    ],
    ids=["lost", "twice", "wrong host", "wrong mailbox", "past hq", "looped", "also bounced", "still queued"],
)
def test_a_delivery_that_is_not_exactly_the_expected_one_is_wrong(traces):
    assert not passes(DELIVERED, TAKEN, traces)


REFUSED = Refused((550,), ("5.1.1",), "user unknown")


def test_a_refusal_with_the_expected_codes_and_no_trace_is_right():
    assert passes(REFUSED, UNKNOWN, NOTHING)


@pytest.mark.parametrize(
    ("reply", "traces"),
    [
        (TAKEN, NOTHING),
        (Reply(450, "4.1.1 try again", 0.1), NOTHING),
        (Reply(550, "5.7.1 not you", 0.1), NOTHING),
        (Reply(0, "connection refused", 0.1), NOTHING),
        (UNKNOWN, Traces((COPY,), (), ())),
        (UNKNOWN, Traces((), (BOUNCE,), ())),
        (UNKNOWN, Traces((), (), (WAITING,))),
    ],
    ids=["accepted", "deferred", "other reason", "no server", "delivered", "bounced", "queued"],
)
def test_a_refusal_in_another_way_or_with_a_trace_is_wrong(reply, traces):
    assert not passes(REFUSED, reply, traces)


BOUNCED = Bounced(CLOUD, BOB)
OWN_BOUNCE = Message(CLOUD, BOB, "<b@lab>", "<>", "<1.run@lab>", (CLOUD,))


def test_one_bounce_made_by_the_first_server_is_right():
    assert passes(BOUNCED, TAKEN, Traces((), (OWN_BOUNCE,), ()))


@pytest.mark.parametrize(
    "bounces",
    [(), (OWN_BOUNCE, OWN_BOUNCE), (replace(OWN_BOUNCE, hops=(HQ, CLOUD)),), (replace(OWN_BOUNCE, sender="<a@b>"),)],
    ids=["none", "two", "made by the other site", "not a bounce"],
)
def test_no_bounce_two_or_one_from_further_on_is_wrong(bounces):
    assert not passes(BOUNCED, TAKEN, Traces((), bounces, ()))


@pytest.mark.parametrize("must", [Held(HQ, DELIVERED), Deferred(DELIVERED)])
def test_a_message_that_was_not_seen_waiting_did_not_wait(must):
    arrived = Traces((COPY,), (), ())
    assert passes(must, TAKEN, arrived, meanwhile="waits at hq")
    assert not passes(must, TAKEN, arrived, meanwhile="")


ANSWER = replace(BOUNCE, hops=(CLOUD, OUTSIDE))


def test_an_answer_comes_from_the_server_that_has_to_give_it():
    arrived = Traces((COPY,), (ANSWER,), ())
    for by, is_right in (("", True), (CLOUD, True), (HQ, False)):
        assert passes(Answered(DELIVERED, OUTSIDE, "sender@example.org", by), TAKEN, arrived) == is_right
    assert not passes(Answered(DELIVERED, OUTSIDE, "sender@example.org", CLOUD), TAKEN, Traces((COPY,), (), ()))


@pytest.mark.parametrize(
    ("extension", "text", "is_right"),
    [
        ("8BITMIME", f"Subject: a\n\n{WORDS}\n", True),
        ("8BITMIME", "Subject: a\n\nGr=C3=BC=C3=9Fe aus K=C3=B6ln\n", False),
        ("SMTPUTF8", f"Subject: a {WORDS}\n\n{WORDS}\n", True),
        ("SMTPUTF8", f"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\n{WORDS}\n", False),
        ("", "Subject: a\n\na\n", True),
    ],
)
def test_a_message_whose_letters_were_encoded_on_the_way_was_harmed(extension, text, is_right):
    expected = replace(row(DELIVERED), extension=extension)
    arrived = Traces((replace(COPY, text=text),), (), ())
    assert judge(Sent(expected, MESSAGE, TAKEN), arrived).passed == is_right


def test_a_wrong_row_shows_what_was_seen_of_its_message():
    outcome = judge(Sent(row(DELIVERED), MESSAGE, TAKEN), Traces((), (BOUNCE,), ()))
    table = outcome_table([outcome])
    assert "WRONG" in table
    assert "bounce in the mailbox sender@example.org on sender.example.org" in table


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_look_at_delivery_refusal_bounce_loop_relaying_and_outage(form):
    rows = expectations(form)
    kinds = {type(row.must) for row in rows}
    assert {Delivered, Refused, Bounced, Deferred} <= kinds
    refusals = {code for row in rows if isinstance(row.must, Refused) for code in row.must.enhanced}
    assert {"5.1.1", "5.7.1"} <= refusals
    assert ("5.4.6" in refusals) == (form == "directory")
    assert any(row.recipient == "someone@elsewhere.test" and row.host == CLOUD for row in rows)
    assert {row.recipient for row in rows} >= {BOB, "Bob@example.com", "bob+news@example.com", "nobody@example.com"}
