# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of smtp_probe against servers that misbehave: every fault is one sentence, and none of them hangs.

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from smtp_wire_server import CLOSE, DRIP, SILENCE, WireServer

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.survey.signed_records import ask_for_proof
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.tls_authorities import (
    read_authorities,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.answers import UnexpectedAnswer
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.connection import ProbeFailed
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.probe import work

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"


class Wire:
    """Starts wire servers and probes them."""

    def __init__(self) -> None:
        self.servers: list[WireServer] = []

    def serve(self, **settings: Any) -> WireServer:
        self.servers.append(WireServer(**settings))
        return self.servers[-1]

    @staticmethod
    def probe(port: int, recipients: list[Any], **options: Any) -> list[dict[str, Any]]:
        defaults = {"host": "127.0.0.1", "sender": "<>", "helo": "probe.example.org", "timeout": 1}
        params = {**defaults, "tls": "may", "validate_certs": None, "port": port, "recipients": recipients, **options}
        outcome = work(ask_for_proof, read_authorities, params, False)
        assert outcome.changed is False
        answers: list[dict[str, Any]] = outcome.values["recipients"]
        return answers


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    for server in wire.servers:
        server.close()


def commands(server: WireServer) -> list[str]:
    return [line for connection in server.connections for line in connection]


def test_no_message_is_ever_begun(wire: Wire) -> None:
    server = wire.serve()
    wire.probe(server.port, [ALICE, BOB])
    assert commands(server) == [
        "EHLO probe.example.org",
        "MAIL FROM:<>",
        f"RCPT TO:<{ALICE}>",
        f"RCPT TO:<{BOB}>",
        "QUIT",
    ]


def test_commands_wait_for_each_other_where_pipelining_is_not_offered(wire: Wire) -> None:
    server = wire.serve(replies={"EHLO": b"250 wire\r\n"})
    answers = wire.probe(server.port, [ALICE, BOB])
    assert [answer["verdict"] for answer in answers] == ["accepted", "accepted"]


def test_a_server_that_knows_no_ehlo_is_greeted_with_helo(wire: Wire) -> None:
    server = wire.serve(replies={"EHLO": b"502 5.5.2 What?\r\n"})
    assert wire.probe(server.port, [ALICE])[0]["verdict"] == "accepted"
    assert "HELO probe.example.org" in commands(server)


def test_a_reply_of_many_lines_with_junk_is_shown_in_one_clean_line(wire: Wire) -> None:
    server = wire.serve(replies={"RCPT": b"550-5.1.1 No \xff\xfe\x1b[31m such\r\n550 5.1.1 user\r\n"})
    answer = wire.probe(server.port, [ALICE])[0]
    assert (answer["code"], answer["enhanced"]) == (550, "5.1.1")
    assert (
        answer["text"] == "No \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m such user"
    )


def test_a_connection_that_ends_with_421_is_replaced_and_nothing_is_lost(wire: Wire) -> None:
    server = wire.serve(
        replies={"RCPT": lambda _connection, count: b"250 2.1.5 Ok\r\n" if count == 0 else b"421 4.7.0 Enough\r\n"}
    )
    answers = wire.probe(server.port, [ALICE, BOB, CAROL])
    assert [(answer["address"], answer["verdict"]) for answer in answers] == [
        (ALICE, "accepted"),
        (BOB, "accepted"),
        (CAROL, "accepted"),
    ]
    assert len(server.connections) == 3


@pytest.mark.parametrize(
    "too_many",
    [b"452 4.5.3 Too many recipients", b"552 Too many recipients", b"550 5.5.3 Too many", b"451 4.3.0 One domain only"],
)
@pytest.mark.parametrize("extension", [b"250 PIPELINING\r\n", b"250 HELP\r\n"])
def test_what_is_put_off_for_the_company_it_keeps_is_asked_for_again_alone(
    wire: Wire, too_many: bytes, extension: bytes
) -> None:
    server = wire.serve()
    in_transaction = 0

    def mail(_connection: int, _count: int) -> bytes:
        nonlocal in_transaction
        in_transaction = 0
        return b"250 2.1.0 Ok\r\n"

    def rcpt(_connection: int, _count: int) -> bytes:
        nonlocal in_transaction
        in_transaction += 1
        return b"250 2.1.5 Ok\r\n" if in_transaction == 1 else too_many + b"\r\n"

    server.replies.update({"EHLO": b"250-wire\r\n" + extension, "MAIL": mail, "RCPT": rcpt})
    recipients = [f"user{number}@example.com" for number in range(12)]
    answers = wire.probe(server.port, recipients)
    assert [(answer["address"], answer["verdict"]) for answer in answers] == [(name, "accepted") for name in recipients]


def test_a_recipient_that_is_put_off_alone_as_well_is_deferred(wire: Wire) -> None:
    server = wire.serve(replies={"RCPT": lambda _connection, count: b"250 Ok\r\n" if count == 0 else b"450 Later\r\n"})
    assert [answer["verdict"] for answer in wire.probe(server.port, [ALICE, BOB, CAROL])] == [
        "accepted",
        "deferred",
        "deferred",
    ]


def test_a_recipient_to_whom_even_a_fresh_connection_says_421_is_deferred(wire: Wire) -> None:
    server = wire.serve(replies={"RCPT": b"421 4.3.2 Not now\r\n"})
    answers = wire.probe(server.port, [ALICE, BOB])
    assert [(answer["code"], answer["verdict"]) for answer in answers] == [(421, "deferred")] * 2
    assert len(server.connections) == 2


def test_a_connection_that_is_closed_between_recipients_is_replaced(wire: Wire) -> None:
    server = wire.serve(replies={"RCPT": lambda _connection, count: b"250 Ok\r\n" if count == 0 else CLOSE})
    assert [answer["verdict"] for answer in wire.probe(server.port, [ALICE, BOB])] == ["accepted", "accepted"]


def test_a_server_that_always_hangs_up_at_rcpt_is_a_failure_and_not_an_endless_loop(wire: Wire) -> None:
    server = wire.serve(replies={"RCPT": CLOSE})
    with pytest.raises(ProbeFailed, match=r"closed the connection instead of answering RCPT TO:<alice@example\.com>"):
        wire.probe(server.port, [ALICE, BOB])
    assert len(server.connections) == 1


def test_refusals_are_spread_over_connections_before_a_server_loses_its_patience(wire: Wire) -> None:
    server = wire.serve(replies={"RCPT": b"550 5.1.1 No such user\r\n"})
    answers = wire.probe(server.port, [f"user{number}@example.com" for number in range(35)])
    assert [answer["verdict"] for answer in answers] == ["refused"] * 35
    assert [sum(line.startswith("RCPT") for line in lines) for lines in server.connections] == [9, 9, 9, 8]


def test_a_greeting_of_421_is_tried_again(wire: Wire) -> None:
    server = wire.serve(greeting=lambda number, _count: b"421 4.3.2 Busy\r\n" if number == 0 else b"220 wire\r\n")
    assert wire.probe(server.port, [ALICE])[0]["verdict"] == "accepted"


def test_a_greeting_that_stays_421_is_a_failure(wire: Wire) -> None:
    server = wire.serve(greeting=b"421 4.3.2 Busy\r\n")
    with pytest.raises(ProbeFailed, match=r"421 4\.3\.2 Busy.*try again later"):
        wire.probe(server.port, [ALICE])
    assert len(server.connections) == 3


def test_a_greeting_of_554_is_told(wire: Wire) -> None:
    server = wire.serve(greeting=b"554-5.7.1 No service\r\n554 5.7.1 for you\r\n")
    with pytest.raises(ProbeFailed, match=r"greets with 554 5\.7\.1 No service for you"):
        wire.probe(server.port, [ALICE])


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"greeting": b"554 5.7.1 No service\r\n"}, 554),
        ({"greeting": b"421 4.3.2 Busy\r\n"}, 421),
        ({"replies": {"EHLO": b"550 Bad name\r\n", "HELO": b"550 Bad name\r\n"}}, 550),
        ({"replies": {"MAIL": b"451 4.7.1 Later\r\n"}}, 451),
    ],
)
def test_what_a_server_said_when_it_ended_the_conversation_is_in_the_failure(
    wire: Wire, settings: dict[str, Any], code: int
) -> None:
    with pytest.raises(ProbeFailed) as failure:
        wire.probe(wire.serve(**settings).port, [ALICE])
    assert failure.value.details()["reply"]["code"] == code


def test_a_server_that_said_nothing_has_no_reply_in_the_failure(wire: Wire) -> None:
    with pytest.raises(ProbeFailed) as failure:
        wire.probe(wire.serve(greeting=CLOSE).port, [ALICE])
    assert failure.value.details() == {}


def test_given_addresses_are_tried_in_their_order_whatever_the_dns_says_of_the_name(wire: Wire) -> None:
    server = wire.serve()
    # Nothing listens on the first; the name has no address at all.
    answers = wire.probe(server.port, [ALICE], host="not.there.invalid", addresses=["127.0.0.9", "127.0.0.1"])
    assert [answer["verdict"] for answer in answers] == ["accepted"]
    with pytest.raises(ProbeFailed, match=r"nothing listens on not\.there\.invalid port"):
        wire.probe(server.port, [ALICE], host="not.there.invalid", addresses=["127.0.0.8", "127.0.0.9"])


def test_a_name_among_the_addresses_is_refused(wire: Wire) -> None:
    with pytest.raises(InvalidInput, match="'addresses' has 'mx1.example.com', which is no IP address"):
        wire.probe(25, [ALICE], addresses=["mx1.example.com"])


def test_a_refused_name_is_told_with_its_cure(wire: Wire) -> None:
    server = wire.serve(replies={"EHLO": b"550 Bad name\r\n", "HELO": b"550 Bad name\r\n"})
    with pytest.raises(ProbeFailed, match=r"refuses the name probe\.example\.org: it said 550 Bad name; set 'helo'"):
        wire.probe(server.port, [ALICE])


def test_a_refused_sender_is_no_answer_about_the_recipient(wire: Wire) -> None:
    server = wire.serve(replies={"MAIL": b"550 5.7.1 Blocked\r\n"})
    with pytest.raises(ProbeFailed, match=r"refuses the sender <me@example\.org>.*550 5\.7\.1 Blocked"):
        wire.probe(server.port, [ALICE], sender="me@example.org")


@pytest.mark.parametrize("place", ["greeting", "EHLO", "MAIL", "RCPT"])
@pytest.mark.parametrize("fault", [SILENCE, DRIP], ids=["silent", "dripping"])
def test_a_server_that_does_not_answer_is_given_up_after_the_timeout(wire: Wire, place: str, fault: bytes) -> None:
    settings: dict[str, Any] = {"greeting": fault} if place == "greeting" else {"replies": {place: fault}}
    server = wire.serve(**settings)
    started = time.monotonic()
    with pytest.raises(ProbeFailed, match=f"did not answer .*{place}.* within 1 s"):
        wire.probe(server.port, [ALICE])
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("greeting", "message"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak SMTP"),
        (b"\xff\xfe\x00junk\r\n", "does not speak SMTP"),
        (b"220 " + b"x" * 100_000, "line of more than"),
        (b"220-more\r\n" * 5_000, "more than 1000 lines"),
        (CLOSE, "closed the connection instead of answering"),
    ],
    ids=["http", "junk", "endless line", "endless reply", "closed"],
)
def test_what_is_no_mail_server_is_told_so(wire: Wire, greeting: bytes, message: str) -> None:
    server = wire.serve(greeting=greeting)
    with pytest.raises(ProbeFailed, match=message):
        wire.probe(server.port, [ALICE])


def test_nothing_listening_is_told(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ProbeFailed, match=f"nothing listens on 127.0.0.1 port {port}"):
        wire.probe(port, [ALICE])


def test_a_name_without_an_address_is_told(wire: Wire) -> None:
    with pytest.raises(ProbeFailed, match=r"no-such-host\.invalid has no address"):
        wire.probe(25, [ALICE], host="no-such-host.invalid")


def test_demanded_tls_that_is_not_offered_is_a_failure(wire: Wire) -> None:
    server = wire.serve()
    with pytest.raises(ProbeFailed, match="does not offer STARTTLS"):
        wire.probe(server.port, [ALICE], tls="encrypt")
    assert not any(line.startswith("MAIL") for line in commands(server))


def test_demanded_tls_that_is_refused_is_a_failure(wire: Wire) -> None:
    replies = {"EHLO": b"250-wire\r\n250 STARTTLS\r\n", "STARTTLS": b"454 4.7.0 TLS not available\r\n"}
    server = wire.serve(replies=replies)
    with pytest.raises(ProbeFailed, match=r"454 4\.7\.0 TLS not available"):
        wire.probe(server.port, [ALICE], tls="encrypt")
    assert wire.probe(server.port, [ALICE], tls="may")[0]["verdict"] == "accepted"


def test_a_broken_handshake_is_a_failure_when_tls_is_demanded_and_plain_text_when_it_is_wished_for(wire: Wire) -> None:
    replies = {"EHLO": b"250-wire\r\n250 STARTTLS\r\n", "STARTTLS": b"220 Go ahead\r\nthis is no TLS\r\n"}
    server = wire.serve(replies=replies)
    with pytest.raises(ProbeFailed, match="TLS handshake with .* failed|broke off the TLS handshake"):
        wire.probe(server.port, [ALICE], tls="encrypt")
    assert wire.probe(server.port, [ALICE], tls="may")[0]["verdict"] == "accepted"


def test_bad_input_is_refused_before_any_connection(wire: Wire) -> None:
    server = wire.serve()
    for options in (
        {"recipients": [ALICE, "bob@example.com\r\nDATA"]},
        {"recipients": []},
        {"sender": "me@example.org>\r\nDATA"},
        {"helo": "probe.example.org\r\nMAIL FROM:<>"},
        {"host": "127.0.0.1\n"},
        {"validate_certs": True},
        {"tls": "verify", "host": "mx.example.com", "validate_certs": False},
        {"tls": "verify"},
        {"tls": "fingerprint"},
        {"tls": "encrypt", "username": "u"},
        {"tls": "may", "username": "u"},
        {"timeout": 0},
    ):
        with pytest.raises(InvalidInput):
            wire.probe(server.port, options.pop("recipients", [ALICE]), **options)
    with pytest.raises(InvalidInput, match="'port' is 65536"):
        wire.probe(65536, [ALICE])
    assert server.connections == []


def test_an_unexpected_answer_is_a_failure(wire: Wire) -> None:
    server = wire.serve()
    with pytest.raises(UnexpectedAnswer, match=r"alice@example\.com should be refused but is accepted"):
        wire.probe(server.port, [{"address": ALICE, "expect": "refused"}, {"address": BOB, "expect": "accepted"}])
