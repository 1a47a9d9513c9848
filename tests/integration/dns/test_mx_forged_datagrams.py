# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of datagrams that somebody else sends in front of the true reply (RFC 5452 section 9.1): they are passed over.

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from authoritative_server import ADDRESS, READER, SECRETS
from test_mx_wire_faults import BEFORE, WISHES, params
from wire_server import WireServer, started_wire_server

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.fan_out import FanOut, NoReply, Query
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

QUESTION = b"\x04evil\x03org\0" + struct.pack("!HH", 15, 1)


def _made(request: bytes, flags: int, question: bytes = b"", number: int | None = None) -> bytes:
    given = request[:2] if number is None else number.to_bytes(2, "big")
    return given + struct.pack("!HHHHH", flags, bool(question), 0, 0, 0) + question


def _question_of(request: bytes) -> bytes:
    return request[12 : request.index(b"\0", 12) + 5]


def _signed_by_another(request: bytes) -> bytes:
    asked = dns.message.from_wire(request, keyring=False, continue_on_error=True, ignore_trailing=True)
    reply = dns.message.Message(asked.id)
    reply.flags = dns.flags.QR | dns.flags.AA
    reply.question = list(asked.question)
    reply.use_tsig(dns.tsig.Key(dns.name.from_text(READER), SECRETS[READER], dns.tsig.HMAC_SHA256))
    return reply.to_wire()


FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "another id": lambda request: _made(request, 0x8400, _question_of(request), int.from_bytes(request[:2], "big") ^ 1),
    "another question": lambda request: _made(request, 0x8400, QUESTION),
    "an error for another question": lambda request: _made(request, 0x8403, QUESTION),
    "a request": lambda request: request,
    "nothing but an id": lambda request: request[:2],
    "garbage": lambda request: request[:2] + b"garbage",
    "no question": lambda request: _made(request, 0x8400),
    "a refusal without a question": lambda request: _made(request, 0x8405),
    "unsigned": lambda request: _made(request, 0x8400, _question_of(request)),
    "an unsigned refusal": lambda request: _made(request, 0x8405, _question_of(request)),
    "truncated and unsigned": lambda request: _made(request, 0x8600, _question_of(request)),
    "signed by another": _signed_by_another,
}
# What an unsigned question cannot tell from a true reply, whoever sends it first.
NEEDS_A_KEY = ("unsigned", "an unsigned refusal", "truncated and unsigned", "signed by another")


@pytest.mark.parametrize("state", ["exact", "absent"])
@pytest.mark.parametrize("name", FORGERIES)
def test_signed_questions_and_updates_wait_past_a_forged_datagram(name: str, state: str) -> None:
    with started_wire_server(BEFORE) as server:
        server.forgeries = lambda request: [FORGERIES[name](request)] * 2
        assert publish_mx_records(params(server, state, protocol="udp"), False).changed
        assert server.sets == dict.fromkeys(BEFORE, WISHES[state][1])
        assert not publish_mx_records(params(server, state, protocol="udp"), False).changed


@pytest.mark.parametrize("name", [name for name in FORGERIES if name not in NEEDS_A_KEY])
def test_questions_without_a_key_wait_past_a_forged_datagram(name: str) -> None:
    query = Query(ADDRESS, "a.example.com", "MX")
    with started_wire_server(BEFORE) as server:
        server.forgeries = lambda request: [FORGERIES[name](request)] * 2
        answer = FanOut(server.port, 5.0).ask([query])[query]
    assert not isinstance(answer, NoReply) and len(answer.answer) == len(BEFORE["a.example.com."])


def test_a_forged_datagram_alone_is_told_after_the_timeout() -> None:
    with started_wire_server(BEFORE) as server:
        server.forgeries = lambda request: [FORGERIES["another question"](request)]
        server.spoils = lambda _request, _protocol: True
        server.spoil = lambda reply: None
        started = time.monotonic()
        with pytest.raises(failures.SignatureFailed, match="is not signed|answers another question"):
            publish_mx_records(params(server, "exact", protocol="udp", timeout=1.0), False)
        assert time.monotonic() - started >= 1.0
        assert server.sets == BEFORE


def _unsigned_refusal(request: bytes) -> list[bytes]:
    return [_made(request, 0x8405)]


def _late_once(server: WireServer, seconds: float) -> None:
    """Let the first reply be sent so many seconds after its question."""
    late = [seconds]
    server.spoils = lambda _request, _protocol: bool(late)
    server.spoil = lambda reply: time.sleep(late.pop()) or reply.to_wire()  # type: ignore[func-returns-value]


@pytest.mark.parametrize("has_tcp", [True, False], ids=["udp and tcp", "udp alone"])
def test_a_forged_refusal_does_not_end_a_signed_question_whose_reply_is_late(has_tcp: bool) -> None:
    with started_wire_server(BEFORE, has_tcp=has_tcp) as server:
        server.forgeries = _unsigned_refusal
        _late_once(server, 2.5)
        assert publish_mx_records(params(server, "exact", protocol="udp", timeout=6.0), False).changed
        assert server.sets == dict.fromkeys(BEFORE, WISHES["exact"][1])


def test_a_refusal_of_a_signed_question_without_a_signature_is_told_at_the_end() -> None:
    with started_wire_server(BEFORE, has_tcp=False) as server:
        server.forgeries = _unsigned_refusal
        server.spoils = lambda _request, _protocol: True
        server.spoil = lambda reply: None
        started = time.monotonic()
        with pytest.raises(failures.SignatureFailed, match=r"not signed \(and says REFUSED\)"):
            publish_mx_records(params(server, "exact", protocol="udp", timeout=2.0), False)
        assert time.monotonic() - started >= 2.0
        assert server.sets == BEFORE


def test_a_refusal_without_a_signature_is_soon_believed_over_tcp() -> None:
    with started_wire_server(BEFORE) as server:
        server.spoils = lambda request, _protocol: request.question[0].name.to_text().startswith("mx")
        server.spoil = lambda reply: _made(reply.id.to_bytes(2, "big"), 0x8405)
        started = time.monotonic()
        outcome = publish_mx_records(params(server, "exact", protocol="udp", timeout=30.0), False)
    assert outcome.changed and outcome.values["exchanges"] == [{"exchange": "mx3.example.com", "addresses": []}]
    assert time.monotonic() - started < 15


def test_a_flood_of_forged_datagrams_ends_with_the_timeout() -> None:
    query = Query(ADDRESS, "a.example.com", "MX")
    with started_wire_server(BEFORE) as server:
        server.forgeries = lambda request: [FORGERIES["another question"](request)] * 500
        server.spoils = lambda _request, _protocol: True
        server.spoil = lambda reply: None
        answer = FanOut(server.port, 1.0).ask([query])[query]
    assert answer == NoReply("its reply answers another question")


def test_a_server_that_leaves_the_question_out_of_an_error_is_believed_soon() -> None:
    query = Query(ADDRESS, "a.example.com", "MX")
    with started_wire_server(BEFORE) as server:
        server.spoils = lambda _request, _protocol: True
        server.spoil = lambda reply: _made(reply.id.to_bytes(2, "big"), 0x8404)
        started = time.monotonic()
        answer = FanOut(server.port, 10.0).ask([query])[query]
    assert not isinstance(answer, NoReply) and answer.rcode == "NOTIMP"
    assert time.monotonic() - started < 5
