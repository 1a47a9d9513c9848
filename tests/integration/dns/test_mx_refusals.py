# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records against a real BIND: every error is told as what it is, and nothing is written.

from __future__ import annotations

from typing import Any

import dns.message
import dns.rcode
import dns.tsig
import pytest
from named_server import READER, SECRETS, WRITER, Named, free_port
from update_relay import Relay, is_update, key, signed_answer, unsigned_answer, without_signature

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
BOTH_MODES = pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check mode"])


def failure_of(params: dict[str, Any], check_mode: bool = False) -> SplitDomainError:
    with pytest.raises(SplitDomainError) as caught:
        publish_mx_records(params, check_mode)
    assert "\n" not in str(caught.value)
    return caught.value


def through(relay: Relay, named: Named, *record_sets: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {**named.params(*record_sets, **options), "port": relay.port, "server": "127.0.0.1"}


@BOTH_MODES
@pytest.mark.parametrize("state", ["exact", "present", "absent"])
def test_a_key_that_the_server_does_not_know_is_told_as_badkey(named, state, check_mode):
    wish = {"name": "example.com", "state": state, "mx": [MX1]}
    error = failure_of({**named.params(wish), "key_name": "unknown-key"}, check_mode)
    assert isinstance(error, failures.SignatureFailed)
    assert "BADKEY" in str(error) and "unknown-key" in str(error) and "key_name" in str(error)


@BOTH_MODES
def test_a_wrong_secret_is_told_as_badsig_and_is_not_shown(named, check_mode):
    params = {**named.params({"name": "example.com", "mx": [MX1]}), "key_secret": SECRETS[READER]}
    error = failure_of(params, check_mode)
    assert "BADSIG" in str(error) and WRITER in str(error) and SECRETS[READER] not in str(error)


@BOTH_MODES
def test_clocks_that_differ_are_told_as_badtime(named, relay, check_mode):
    def signed_an_hour_ago(request: bytes) -> bytes:
        old = dns.message.from_wire(request, keyring=key())
        renewed = old.to_wire()
        return _resigned(renewed, old, seconds_ago=3600)

    relay.forwarded = signed_an_hour_ago
    error = failure_of(through(relay, named, {"name": "example.com", "mx": [MX1]}), check_mode)
    assert isinstance(error, failures.SignatureFailed)
    assert "BADTIME" in str(error) and "clock" in str(error) and WRITER in str(error)


def _resigned(wire: bytes, message: dns.message.Message, seconds_ago: int) -> bytes:
    """Sign a request anew as a client with a slow clock would."""
    bare = without_signature(wire)
    stamped = message.tsig[0].time_signed - seconds_ago
    template = message.tsig[0].replace(mac=b"")
    rdata, _context = dns.tsig.sign(bare, key(), template, stamped, b"")
    owner = key().name.to_wire()
    data = rdata.to_wire()
    record = (
        owner + (250).to_bytes(2, "big") + (255).to_bytes(2, "big") + bytes(4) + len(data).to_bytes(2, "big") + data
    )
    return bare[:10] + (int.from_bytes(bare[10:12], "big") + 1).to_bytes(2, "big") + bare[12:] + record


@BOTH_MODES
@pytest.mark.parametrize("rcode", ["NOTAUTH", "SERVFAIL", "NOTIMP", "FORMERR", "NOTZONE"])
def test_every_rcode_of_an_update_is_told_with_the_zone_the_key_and_the_server(named, relay, rcode, check_mode):
    relay.answer = lambda wire: signed_answer(wire, dns.rcode.from_text(rcode)) if is_update(wire) else None
    error = failure_of(through(relay, named, {"name": "a.example.com", "mx": [MX1]}), check_mode)
    assert isinstance(error, failures.ServerRefused)
    for word in [rcode, "zone example.com", WRITER, f"127.0.0.1 port {relay.port}"]:
        assert word in str(error)


@BOTH_MODES
@pytest.mark.parametrize("state", ["exact", "absent"])
def test_servfail_for_a_query_is_never_taken_for_an_empty_set(named, relay, state, check_mode):
    relay.answer = lambda wire: signed_answer(wire, dns.rcode.SERVFAIL)
    error = failure_of(through(relay, named, {"name": "example.com", "state": state, "mx": [MX1]}), check_mode)
    assert "SERVFAIL" in str(error) and "example.com" in str(error) and "log" in str(error)
    assert relay.updates == []


@BOTH_MODES
def test_an_unsigned_reply_to_a_signed_update_is_not_believed(named, relay, check_mode):
    relay.answer = lambda wire: unsigned_answer(wire, 0) if is_update(wire) else None
    error = failure_of(through(relay, named, {"name": "example.com", "mx": [MX1]}), check_mode)
    assert isinstance(error, failures.SignatureFailed)
    assert "not signed" in str(error) and "example.com" in str(error)


def test_an_unsigned_reply_to_a_signed_question_is_not_believed(named, relay):
    relay.answer = lambda wire: unsigned_answer(wire, 0)
    error = failure_of(through(relay, named, {"name": "example.com", "mx": []}))
    assert "not signed" in str(error)


def test_a_reply_signed_with_another_key_is_not_believed(named, relay):
    def signed_by_the_reader(wire: bytes) -> bytes:
        asked = dns.message.from_wire(wire, keyring=key())
        reply = dns.message.make_response(dns.message.from_wire(without_signature(wire)))
        reply.use_tsig(key(READER))
        reply.request_mac = asked.mac
        return reply.to_wire()

    relay.answer = signed_by_the_reader
    error = failure_of(through(relay, named, {"name": "example.com", "mx": []}))
    assert isinstance(error, failures.SignatureFailed)
    assert "another key" in str(error)


def test_a_reply_that_was_altered_on_its_way_is_not_believed(named, relay):
    def altered(wire: bytes) -> bytes:
        reply = bytearray(signed_answer(wire, 0))
        reply[3] ^= 0x05
        return bytes(reply)

    relay.answer = altered
    error = failure_of(through(relay, named, {"name": "example.com", "mx": []}))
    assert "signature is wrong" in str(error)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_port_where_nobody_listens_is_told(named, protocol):
    params = named.params({"name": "example.com", "mx": [MX1]}, protocol=protocol)
    error = failure_of({**params, "port": free_port()})
    assert isinstance(error, failures.ServerUnreachable) and "refused" in str(error)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"name": "example.com", "mx": [{"preference": 65536, "exchange": "mx1.example.com"}]}, ["65536", "65535"]),
        ({"name": "example.com", "mx": [{"preference": -1, "exchange": "mx1.example.com"}]}, ["-1"]),
        ({"name": "example.com", "mx": [{"preference": 1, "exchange": "192.0.2.1"}]}, ["192.0.2.1", "IP address"]),
        ({"name": "example.com", "mx": [{"preference": 1, "exchange": "2001:db8::1"}]}, ["IP address"]),
        ({"name": "example.com", "mx": [{"preference": 1, "exchange": "mx_1.example.com"}]}, ["mx_1"]),
        ({"name": "example.com", "mx": [{"preference": 0, "exchange": "."}, MX1]}, ["RFC 7505"]),
        ({"name": "example.com", "mx": [{"preference": 5, "exchange": "."}]}, ["RFC 7505"]),
        ({"name": "exam\nple.com", "mx": [MX1]}, ["control character"]),
        ({"name": "@", "mx": [MX1]}, ["zone"]),
        ({"name": "www", "zone": "example.com", "mx": [MX1]}, ["www.example.com"]),
        ({"name": "example.com", "ttl": -1, "mx": [MX1]}, ["TTL"]),
        ({"name": "example.com", "state": "absent", "mx": []}, ["empty"]),
        ({"name": "example.com", "state": "present", "mx": []}, ["empty"]),
        ({"name": "Example.NET.", "mx": [MX1]}, ["already in record_sets[0]"]),
    ],
)
def test_bad_input_is_refused_with_its_place_before_anything_is_sent(named, relay, bad, words):
    good = {"name": "example.net", "mx": [MX1]}
    error = failure_of(through(relay, named, good, bad))
    assert isinstance(error, InvalidInput)
    for word in ["record_sets[1]", *words]:
        assert word in str(error)
    assert relay.connections == 0


@pytest.mark.parametrize(
    "options",
    [
        {"key_secret": "no base64!"},
        {"key_secret": ""},
        {"key_name": None},
        {"key_secret": None},
        {"key_name": "two words"},
        {"port": 0},
        {"server": "bad..name"},
        {"timeout": 0.0},
        {"key_name": None, "key_secret": None, "key_file": "/nonexistent/key"},
    ],
    ids=str,
)
def test_options_that_cannot_be_used_are_refused_before_anything_is_sent(named, relay, options):
    params = {**through(relay, named, {"name": "example.com", "mx": [MX1]}), **options}
    error = failure_of(params)
    assert isinstance(error, InvalidInput)
    assert relay.connections == 0
    assert "no base64!" not in str(error)
