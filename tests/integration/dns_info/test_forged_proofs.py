# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what counts as a proof by DNSSEC: the answer to the question that was asked, from whichever resolver.

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from authoritative_server import free_port

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.survey.signed_records import ask_for_proof
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import (
    NO_RECORDS,
    NOT_TOLD,
    PROVEN,
    Proof,
    dane_warnings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import parse_relay

HOST = "mx.example.com"
A, CNAME, TLSA = 1, 5, 52
SAME = b"\xc0\x0c"
EVIL = b"\x04evil\x03org\0"
Answering = Callable[[bytes], "list[bytes]"]


def _record(owner: bytes, rdtype: int, data: bytes) -> bytes:
    return owner + struct.pack("!HHIH", rdtype, 1, 60, len(data)) + data


def _reply(
    request: bytes, question: bytes | None = None, records: list[bytes] | None = None, flags: int = 0x81A0
) -> bytes:
    asked = request[12:] if question is None else question
    rdtype = struct.unpack("!H", request[-4:-2])[0]
    data = b"\x03\x01\x01" + b"\0" * 32 if rdtype == TLSA else b"\x7f\0\0\1"
    found = [_record(SAME, rdtype, data)] if records is None else records
    return request[:2] + struct.pack("!HHHHH", flags, bool(asked), len(found), 0, 0) + asked + b"".join(found)


@contextlib.contextmanager
def resolver(answering: Answering, address: str = "127.0.0.1") -> Iterator[int]:
    """Answer each datagram with those that ``answering`` gives; the port is what is given."""
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind((address, free_port()))
        datagrams.settimeout(0.05)
        ending = threading.Event()

        def serve() -> None:
            while not ending.is_set():
                with contextlib.suppress(OSError):
                    request, client = datagrams.recvfrom(600)
                    for reply in answering(request):
                        datagrams.sendto(reply, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield datagrams.getsockname()[1]
        finally:
            ending.set()
            thread.join(5)


def _with_dane_ee(request: bytes) -> bytes:
    rdtype = struct.unpack("!H", request[-4:-2])[0]
    data = b"\x03\x01\x01" + b"\0" * 32 if rdtype == TLSA else b"\x7f\0\0\1"
    return _reply(request, records=[_record(SAME, rdtype, data)])


FORGED: dict[str, Answering] = {
    "another question": lambda request: [_reply(request, EVIL + request[-4:])],
    "another type": lambda request: [_reply(request, request[12:-4] + struct.pack("!HH", 15, 1))],
    "another class": lambda request: [_reply(request, request[12:-2] + b"\0\3")],
    "no question": lambda request: [_reply(request, b"")],
    "another id": lambda request: [bytes([request[0] ^ 1]) + _reply(request)[1:]],
    "no response": lambda request: [_reply(request, flags=0x01A0)],
    "another opcode": lambda request: [_reply(request, flags=0xA9A0)],
    "a piece": lambda request: [_reply(request)[:20]],
}


@pytest.mark.parametrize("name", FORGED)
def test_a_reply_to_another_question_proves_nothing(name: str) -> None:
    with resolver(FORGED[name]) as port:
        assert ask_for_proof(HOST, 25, ["127.0.0.1"], port) == Proof(NOT_TOLD, "127.0.0.1", "no answer")


@pytest.mark.parametrize("name", FORGED)
def test_the_true_reply_is_waited_for_past_a_forged_one(name: str) -> None:
    with resolver(lambda request: [*FORGED[name](request) * 2, _with_dane_ee(request)]) as port:
        assert ask_for_proof(HOST, 25, ["127.0.0.1"], port).found == PROVEN


def test_records_of_another_name_prove_nothing() -> None:
    def answering(request: bytes) -> list[bytes]:
        if request[-4:-2] == b"\0\x01":
            return [_reply(request)]
        return [_reply(request, records=[_record(EVIL, TLSA, b"\x03\x01\x01" + b"\0" * 32)])]

    with resolver(answering) as port:
        assert ask_for_proof(HOST, 25, ["127.0.0.1"], port).found == NO_RECORDS


def test_records_at_the_end_of_an_alias_count() -> None:
    def answering(request: bytes) -> list[bytes]:
        if request[-4:-2] == b"\0\x01":
            return [_reply(request)]
        return [
            _reply(request, records=[_record(SAME, CNAME, EVIL), _record(EVIL, TLSA, b"\x03\x01\x01" + b"\0" * 32)])
        ]

    with resolver(answering) as port:
        assert ask_for_proof(HOST, 25, ["127.0.0.1"], port).found == PROVEN


def test_the_name_that_an_alias_stands_for_is_that_of_the_proven_reply() -> None:
    asked = []

    def answering(request: bytes) -> list[bytes]:
        asked.append(request[12:-4])
        if request[-4:-2] == b"\0\x01":
            return [_reply(request, records=[_record(SAME, CNAME, EVIL), _record(EVIL, A, b"\x7f\0\0\1")])]
        return [_reply(request, records=None if EVIL in request else [])]

    with resolver(answering) as port:
        # This host itself has another name for it, which nobody signed.
        proof = ask_for_proof("localhost", 25, ["127.0.0.1"], port)
    assert proof.found == PROVEN and proof.names == ("evil.org", "localhost")
    assert asked == [b"\x09localhost\0", b"\x03_25\x04_tcp" + EVIL]


def test_an_alias_of_what_is_no_host_is_left_alone() -> None:
    odd = b"\x04a\xffb.\0"

    def answering(request: bytes) -> list[bytes]:
        if request[-4:-2] == b"\0\x01":
            return [_reply(request, records=[_record(SAME, CNAME, odd)])]
        return [_reply(request)]

    with resolver(answering) as port:
        assert ask_for_proof(HOST, 25, ["127.0.0.1"], port).names == (HOST,)


def test_a_truncated_reply_proves_nothing_by_itself() -> None:
    with resolver(lambda request: [_reply(request, records=[], flags=0x83A0)]) as port:
        assert ask_for_proof(HOST, 25, ["127.0.0.1"], port).found == NOT_TOLD


def test_a_proof_from_another_host_is_used_and_warned_of() -> None:
    relay = parse_relay({"host": HOST, "tls": "dane-only"}, "the relay")
    assert dane_warnings([relay], lambda _host, _port: Proof(PROVEN, "127.0.0.1")) == ()
    remote = Proof(PROVEN, "192.0.2.53", remote="192.0.2.53")
    (warning,) = dane_warnings([relay], lambda _host, _port: remote)
    assert "192.0.2.53" in warning and "answer at 127.0.0.1" in warning
