# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of smtp_answers: what may be asked, how replies are read, and when an answer was not the expected one.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp import answers as smtp_answers
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.answers import (
    RcptAnswer,
    RcptQuestion,
    SmtpReply,
)


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.com",
        "Bob.Builder+news@Example.COM",
        "o'neill@example.com",
        '"john..doe"@example.com',
        "user%elsewhere.example@example.com",
        "postmaster",
        "postmaster@[198.51.100.1]",
    ],
)
def test_an_address_goes_to_the_server_as_it_was_written(address: str) -> None:
    assert smtp_answers.parse_path(address, "the recipient") == address


def test_a_domain_with_umlauts_goes_to_the_server_as_a_labels() -> None:
    assert smtp_answers.parse_path("info@bücher.example", "the recipient") == "info@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.com\r\nDATA",
        "alice\r\nRCPT TO:<mallory@example.net>@example.com",
        "alice\n@example.com",
        "alice\0@example.com",
        "alice@example.com> NOTIFY=NEVER",
        "<alice@example.com>",
        "al ice@example.com",
        '"al ice"@example.com',
        "alice@exam ple.com",
        "alice",
        "@example.com",
        "alice@",
        "alice..bob@example.com",
        ".alice@example.com",
        "alïce@example.com",
        "alice@" + "a" * 64 + ".com",
        "a" * 250 + "@example.com",
        "",
    ],
)
def test_what_is_no_address_or_could_carry_a_command_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="recipient|domain"):
        smtp_answers.parse_path(address, "the recipient")


@given(st.text())
def test_no_text_gets_white_space_or_brackets_or_control_characters_onto_the_wire(text: str) -> None:
    try:
        path = smtp_answers.parse_path(text, "the recipient")
    except InvalidInput:
        return
    assert path.isascii()
    assert path.isprintable()
    assert not set(path) & set(" <>")


@pytest.mark.parametrize("sender", ["", "<>", " <> "])
def test_the_null_sender_can_be_written_in_several_ways(sender: str) -> None:
    assert smtp_answers.parse_sender(sender) == ""


def test_a_sender_can_be_written_with_angle_brackets() -> None:
    assert smtp_answers.parse_sender("<alice@example.com>") == "alice@example.com"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(250, "accepted"), (251, "accepted"), (450, "deferred"), (421, "deferred"), (550, "refused"), (354, "deferred")],
)
def test_the_first_digit_of_the_code_decides_the_verdict(code: int, verdict: str) -> None:
    assert RcptAnswer("alice@example.com", SmtpReply(code, "")).verdict == verdict


def test_the_enhanced_code_is_told_apart_from_the_text() -> None:
    result = RcptAnswer("nobody@example.com", SmtpReply(550, "5.1.1 <nobody@example.com>: unknown")).as_result()
    assert (result["enhanced"], result["text"]) == ("5.1.1", "<nobody@example.com>: unknown")


@pytest.mark.parametrize("text", ["no such user", "5.1 is no code", "4.1.1 contradicts the code", "5.1.1x", ""])
def test_text_without_a_fitting_enhanced_code_stays_whole(text: str) -> None:
    result = RcptAnswer("nobody@example.com", SmtpReply(550, text)).as_result()
    assert (result["enhanced"], result["text"]) == (None, text)


def test_a_reply_of_many_lines_becomes_one_line_with_one_enhanced_code() -> None:
    reply = smtp_answers.join_reply(550, ["5.1.1 The mailbox", "5.1.1 does not", "5.1.1 exist."])
    assert str(reply) == "550 5.1.1 The mailbox does not exist."


@pytest.mark.parametrize("line", [b"", b"HTTP/1.1 400 Bad Request\r\n", b"25\r\n", b"2500 OK\r\n", b"999 no\r\n"])
def test_a_line_that_is_no_reply_is_recognised(line: bytes) -> None:
    assert smtp_answers.parse_reply_line(line) is None


@given(st.binary(max_size=200))
def test_no_reply_puts_control_characters_on_the_terminal(junk: bytes) -> None:
    parsed = smtp_answers.parse_reply_line(b"250-" + junk.replace(b"\n", b""))
    assert parsed is not None
    assert parsed[2].isprintable()


def test_recipients_can_be_addresses_and_expectations_in_one_list() -> None:
    questions = smtp_answers.parse_questions(["alice@example.com", {"address": "bob@example.com", "expect": "refused"}])
    assert questions == (RcptQuestion("alice@example.com"), RcptQuestion("bob@example.com", "refused"))


@pytest.mark.parametrize(
    "entry",
    [
        {"address": "alice@example.com", "expects": "accepted"},
        {"address": "alice@example.com", "expect": "yes"},
        {"expect": "accepted"},
        {"address": None},
        ["alice@example.com"],
        7,
    ],
)
def test_an_entry_that_cannot_be_read_is_refused(entry: object) -> None:
    with pytest.raises(InvalidInput, match="expect|recipients"):
        smtp_answers.parse_questions([entry])


def test_an_empty_list_is_refused_because_it_would_prove_nothing() -> None:
    with pytest.raises(InvalidInput, match="'recipients' is empty"):
        smtp_answers.parse_questions([])


def test_every_unexpected_answer_is_named_in_one_message() -> None:
    questions = [
        RcptQuestion("a@example.com", "accepted"),
        RcptQuestion("b@example.com", "refused"),
        RcptQuestion("c@example.com"),
    ]
    answers = [
        RcptAnswer("a@example.com", SmtpReply(550, "5.1.1 unknown")),
        RcptAnswer("b@example.com", SmtpReply(250, "ok")),
        RcptAnswer("c@example.com", SmtpReply(450, "later")),
    ]
    with pytest.raises(smtp_answers.UnexpectedAnswer) as failure:
        smtp_answers.check_expectations("mx1.example.com port 25", questions, answers)
    assert str(failure.value) == (
        "mx1.example.com port 25 does not answer as expected: "
        "a@example.com should be accepted but is refused (550 5.1.1 unknown); "
        "b@example.com should be refused but is accepted (250 ok)"
    )
