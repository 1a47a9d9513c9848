# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what a DNS server can do wrong on the wire: each fault has its own sentence and leaves no zone half done.

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import pytest
from authoritative_server import ADDRESS, READER, SECRETS, WRITER
from update_relay import HangUp
from wire_server import SOA, TTL, ZONE, Spoil, Unframed, WireServer, started_wire_server

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.key import ALGORITHMS
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

ONE, TWO = "10 mx1.example.com.", "20 mx2.example.com."
BEFORE = {"a.example.com.": {ONE, TWO}, "b.example.com.": {ONE, TWO}}
TWO_RECORD = {"preference": 20, "exchange": "mx2.example.com"}
THREE_RECORD = {"preference": 30, "exchange": "mx3.example.com"}
# Each changes both names.
WISHES = {
    "exact": ([THREE_RECORD], {"30 mx3.example.com."}),
    "present": ([THREE_RECORD], {ONE, TWO, "30 mx3.example.com."}),
    "absent": ([TWO_RECORD], {ONE}),
}


def _unsigned(reply: dns.message.Message) -> bytes:
    reply.tsig = None
    return reply.to_wire()


def _signed_with(name: str, secret: str, algorithm: dns.name.Name) -> Spoil:
    def spoil(reply: dns.message.Message) -> bytes:
        reply.use_tsig(dns.tsig.Key(dns.name.from_text(name), secret, algorithm))
        return reply.to_wire()

    return spoil


def _tsig_error(error: int) -> Spoil:
    """Give the reply of a server that did not accept the signature (RFC 8945 section 5.2)."""

    def spoil(reply: dns.message.Message) -> bytes:
        reply.answer, reply.authority = [], []
        reply.set_rcode(dns.rcode.NOTAUTH)
        key = dns.tsig.Key(dns.name.from_text(WRITER), SECRETS[WRITER], dns.tsig.HMAC_SHA256)
        reply.use_tsig(key, tsig_error=error)
        return reply.to_wire()

    return spoil


def _other_id(reply: dns.message.Message) -> bytes:
    wire = reply.to_wire()
    return (int.from_bytes(wire[:2], "big") ^ 0x5555).to_bytes(2, "big") + wire[2:]


def _other_question(reply: dns.message.Message) -> bytes:
    if reply.opcode() == dns.opcode.UPDATE:
        reply.set_opcode(dns.opcode.QUERY)
    else:
        reply.question = [dns.rrset.RRset(dns.name.from_text("other." + ZONE), 1, dns.rdatatype.MX)]
    return reply.to_wire()


def _not_a_reply(reply: dns.message.Message) -> bytes:
    reply.flags &= ~dns.flags.QR
    return reply.to_wire()


def _truncated(reply: dns.message.Message) -> bytes:
    reply.answer, reply.authority = [], [dns.rrset.from_text(ZONE, TTL, "IN", "SOA", SOA)]
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def _closed(reply: dns.message.Message) -> bytes:
    raise HangUp


@dataclass(frozen=True)
class Fault:
    """What is sent in place of a good reply, what the user is told, and over what it can happen."""

    spoil: Spoil
    words: str
    kind: type[SplitDomainError]
    protocols: tuple[str, ...] = ("tcp", "udp")
    # What the server refuses it does not write, what only its reply lacks it does.
    is_written: bool = True
    is_silent: bool = False


WRONG, DISTRUST, GONE = failures.KeyRefused, failures.SignatureFailed, failures.ServerUnreachable
FAULTS = {
    "unsigned": Fault(_unsigned, "it is not signed (and says NOERROR)", DISTRUST),
    "another key": Fault(
        _signed_with(READER, SECRETS[READER], dns.tsig.HMAC_SHA256), "it is signed with another key", DISTRUST
    ),
    "another algorithm": Fault(
        _signed_with(WRITER, SECRETS[WRITER], dns.tsig.HMAC_SHA512), "it is signed with another algorithm", DISTRUST
    ),
    "another secret": Fault(
        _signed_with(WRITER, SECRETS[READER], dns.tsig.HMAC_SHA256), "its signature is wrong", DISTRUST
    ),
    "BADSIG": Fault(_tsig_error(16), "said BADSIG: check key_secret", WRONG, is_written=False),
    "BADKEY": Fault(_tsig_error(17), "said BADKEY: check key_name", WRONG, is_written=False),
    "BADTIME": Fault(_tsig_error(18), "said BADTIME: set the clocks", WRONG, is_written=False),
    "BADTRUNC": Fault(_tsig_error(22), "said BADTRUNC: use a key_algorithm that", WRONG, is_written=False),
    "another question": Fault(_other_question, "it answers another question", DISTRUST),
    "no response": Fault(_not_a_reply, "it answers another question", DISTRUST),
    "truncated": Fault(_truncated, "it is truncated, though it came over TCP", DISTRUST, ("tcp",)),
    "garbage": Fault(lambda reply: reply.id.to_bytes(2, "big") + b"garbage", "it cannot be read", DISTRUST),
    "an id alone": Fault(lambda reply: reply.id.to_bytes(2, "big"), "it cannot be read", DISTRUST),
    "half": Fault(lambda reply: reply.to_wire()[: len(reply.to_wire()) // 2], "it cannot be read", DISTRUST),
    "more than a message": Fault(lambda reply: reply.to_wire() + b"more", "it cannot be read", DISTRUST),
    "closed": Fault(_closed, "it closed the connection", GONE, ("tcp",)),
    "another id": Fault(_other_id, "only messages with ids that nobody asked with", GONE, is_silent=True),
    "nothing": Fault(lambda reply: None, "it did not answer within", GONE, is_written=False, is_silent=True),
    "too late": Fault(lambda reply: None, "it did not answer within", GONE, is_silent=True),
    "half and silence": Fault(
        lambda reply: Unframed(b"\xff\xff" + reply.to_wire()),
        "it stopped in the middle",
        GONE,
        ("tcp",),
        is_silent=True,
    ),
}
# When it happens: while sets are read, or addresses of exchangers, while it is written, or while that is read back.
STAGES = ("sets", "addresses", "update", "read-back")
CASES = [
    pytest.param(fault, protocol, stage, state, check_mode, id=f"{name} {protocol} {stage} {state} {check_mode}")
    for (name, fault), stage, state, check_mode in itertools.product(FAULTS.items(), STAGES, WISHES, (False, True))
    for protocol in fault.protocols
    if not (check_mode and stage == "read-back")
    and not (stage == "addresses" and state == "absent")
    # Knot DNS says so of names that the key has nothing to do with, and exchangers may be anywhere.
    and not (stage == "addresses" and name == "BADKEY")
    # Silence takes its time.
    and not (fault.is_silent and state != "exact")
]


def stage_of(server: WireServer, request: dns.message.Message) -> str | None:
    if request.opcode() == dns.opcode.UPDATE:
        return "update"
    name, rdtype = request.question[0].name.to_text(), request.question[0].rdtype
    if rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
        return "addresses"
    # Other names are answered well, and are not to be written for that.
    return ("read-back" if server.writes else "sets") if name.startswith("b.") else None


def params(server: WireServer, state: str, **options: Any) -> dict[str, Any]:
    return {
        "server": ADDRESS,
        "port": server.port,
        "protocol": "tcp",
        "timeout": 10.0,
        "key_name": WRITER,
        "key_secret": SECRETS[WRITER],
        "key_algorithm": None,
        "key_file": None,
        "wait": False,
        "wait_servers": [],
        "wait_timeout": 10.0,
        "allow_removal": False,
        "removal_share": 0.3,
        "record_sets": [
            {"name": name, "zone": None, "state": state, "ttl": None, "mx": WISHES[state][0]}
            for name in ("a.example.com", "b.example.com")
        ],
        **options,
    }


@pytest.mark.parametrize(("fault", "protocol", "stage", "state", "check_mode"), CASES)
def test_a_fault_is_told_as_what_it_is_and_leaves_the_zone_whole(
    fault: Fault, protocol: str, stage: str, state: str, check_mode: bool
) -> None:
    with started_wire_server(BEFORE) as server:
        server.spoils = lambda request, _protocol: stage_of(server, request) == stage
        server.spoil = fault.spoil
        server.writes_what_it_spoils = fault.is_written
        # Of a datagram that is not to be trusted the true reply is waited for, until the timeout.
        timeout = 0.5 if fault.is_silent or protocol == "udp" else 10.0
        with pytest.raises(SplitDomainError) as caught:
            publish_mx_records(params(server, state, protocol=protocol, timeout=timeout), check_mode)
        said = str(caught.value)
        after = dict.fromkeys(BEFORE, WISHES[state][1])
        was_written = not check_mode and (stage == "read-back" or (stage == "update" and fault.is_written))
        assert fault.words in said and "\n" not in said and SECRETS[WRITER] not in said
        assert f"{ADDRESS} port {server.port} (with the key {WRITER})" in said
        assert server.sets == (after if was_written else BEFORE)
        if stage == "read-back":
            assert isinstance(caught.value, failures.WriteNotSeen)
            assert "before this the server took the updates of example.com" in said
        else:
            assert isinstance(caught.value, fault.kind)
        if stage == "update" and fault.kind is not WRONG and not check_mode:
            assert "not known" in said
        server.spoils = lambda _request, _protocol: False
        assert publish_mx_records(params(server, state), False).changed == (not was_written)
        assert server.sets == after


@pytest.mark.parametrize("state", WISHES)
def test_a_truncated_datagram_is_asked_for_again_over_tcp(state: str) -> None:
    with started_wire_server(BEFORE) as server:
        server.spoils = lambda request, protocol: protocol == "udp" and request.opcode() == dns.opcode.QUERY
        server.spoil = _truncated
        assert publish_mx_records(params(server, state, protocol="udp"), False).changed
        assert server.sets == dict.fromkeys(BEFORE, WISHES[state][1])


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_signs_and_is_verified(algorithm: str, protocol: str) -> None:
    with started_wire_server(BEFORE, dns.name.from_text(ALGORITHMS[algorithm])) as server:
        options = params(server, "exact", key_algorithm=algorithm, protocol=protocol)
        assert publish_mx_records(options, False).changed
        assert server.writes == 1
        assert not publish_mx_records(options, False).changed
