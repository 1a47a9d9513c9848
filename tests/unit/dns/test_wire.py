# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of requests and replies as octets: dnspython's own reader agrees, and no octets bring the reader down.

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rrset
import dns.tsig
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import wire

KEY = dns.tsig.Key("mail-update.", b"secret-secret-secret", dns.tsig.HMAC_SHA256)
OTHER_KEY = dns.tsig.Key("mail-update.", b"another-secret-of-it", dns.tsig.HMAC_SHA256)
KEYS = st.sampled_from([None, KEY])
NAMES = st.sampled_from(["example.com", "a.b.example.com", "*.example.com", "_x.example.net", "xn--bcher-kva.example"])
HOSTS = st.sampled_from(["mx1.example.com.", "MX2.Example.NET.", ".", "very.deep.below.example.com."])


def reply_to(request: wire.Request, key: dns.tsig.Key | None, *rrsets: dns.rrset.RRset) -> bytes:
    """Give the reply that dnspython writes, with a glue record and an NS set as servers send them."""
    reply = dns.message.make_response(dns.message.from_wire(request.wire, keyring=key))
    reply.flags |= dns.flags.AA
    reply.answer += rrsets
    reply.authority.append(dns.rrset.from_text("example.com.", 300, "IN", "NS", "ns1.example.com."))
    reply.additional.append(dns.rrset.from_text("ns1.example.com.", 300, "IN", "A", "192.0.2.1"))
    return reply.to_wire()


@given(st.integers(0, 65535), NAMES, st.sampled_from(["MX", "SOA", "A", "NS"]), KEYS, st.booleans())
def test_a_question_is_what_dnspython_reads_with_a_signature_that_it_accepts(number, name, rdtype, key, edns):
    request = wire.question(number, name, rdtype, key, edns)
    read = dns.message.from_wire(request.wire, keyring=key)
    assert read.id == number and read.flags == 0
    assert read.question[0].name == dns.name.from_text(name) and read.question[0].rdtype.name == rdtype
    assert read.had_tsig == (key is not None)
    assert (read.edns == 0 and read.payload == wire.UDP_SIZE) if edns else read.edns == -1


@given(
    NAMES, KEYS, st.booleans(), st.lists(st.tuples(st.integers(0, 65535), HOSTS), max_size=8), st.integers(0, 2**31 - 1)
)
def test_a_reply_is_read_as_dnspython_wrote_it(name, key, edns, records, ttl):
    request = wire.question(7, name, "MX", key, edns)
    texts = [f"{preference} {host}" for preference, host in records]
    rrsets = [dns.rrset.from_text(f"{name}.", ttl, "IN", "MX", *texts)] if texts else []
    reply = wire.read_reply(reply_to(request, key, *rrsets), request, key)
    assert (reply.rcode, reply.is_authoritative, reply.is_truncated) == ("NOERROR", True, False)
    expected = {(preference, host.lower().rstrip(".") or ".") for preference, host in records}
    assert {(one.preference, one.value) for one in reply.answer} == expected
    assert all((one.name, one.rdtype, one.ttl) == (name, "MX", ttl) for one in reply.answer)
    assert [(one.name, one.rdtype, one.value) for one in reply.authority] == [("example.com", "NS", "ns1.example.com")]


@given(KEYS, st.data())
def test_no_octets_bring_the_reader_down(key, data):
    request = wire.question(7, "example.com", "MX", key, False)
    mx = dns.rrset.from_text("example.com.", 300, "IN", "MX", "10 mx1.example.com.")
    octets = bytearray(reply_to(request, key, mx))
    for _each in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    del octets[data.draw(st.integers(0, len(octets))) :]
    read_or_refused(bytes(octets), request, key)


@given(KEYS, st.binary(max_size=80))
def test_noise_is_refused_or_read_but_never_brings_the_reader_down(key, noise):
    request = wire.question(7, "example.com", "MX", key, False)
    read_or_refused(request.wire[:2] + noise, request, key)
    assert wire.rcode_of(noise)


def read_or_refused(octets: bytes, request: wire.Request, key: dns.tsig.Key | None) -> None:
    try:
        reply = wire.read_reply(octets, request, key)
    except (wire.Unreadable, wire.NotSigned, wire.NotAnAnswer, dns.exception.DNSException):
        return
    # Whatever was changed, a signed reply that is believed is the one that was signed.
    assert key is None or [str(one.value) for one in reply.answer] == ["mx1.example.com"]


def test_a_reply_signed_with_another_secret_is_refused():
    request = wire.question(7, "example.com", "MX", KEY, False)
    asked = dns.message.from_wire(request.wire, keyring=KEY)
    reply = dns.message.make_response(asked)
    reply.use_tsig(OTHER_KEY)
    reply.request_mac = asked.mac
    with pytest.raises(dns.tsig.BadSignature):
        wire.read_reply(reply.to_wire(), request, KEY)


def test_a_signed_reply_to_an_earlier_request_is_refused():
    earlier = wire.question(7, "example.com", "A", KEY, False)
    request = wire.question(7, "example.com", "MX", KEY, False)
    with pytest.raises(dns.tsig.BadSignature):
        wire.read_reply(reply_to(earlier, KEY), request, KEY)


def test_the_addresses_that_come_with_a_referral_are_read():
    request = wire.question(7, "www.child.example.com", "MX", None, True)
    reply = dns.message.make_response(dns.message.from_wire(request.wire))
    reply.authority.append(dns.rrset.from_text("child.example.com.", 300, "IN", "NS", "ns1.child.example.com."))
    reply.additional.append(dns.rrset.from_text("ns1.child.example.com.", 300, "IN", "A", "192.0.2.1"))
    reply.additional.append(dns.rrset.from_text("ns1.child.example.com.", 300, "IN", "AAAA", "2001:db8::1"))
    read = wire.read_reply(reply.to_wire(), request, None)
    assert [(one.name, one.value) for one in read.glue] == [
        ("ns1.child.example.com", "192.0.2.1"),
        ("ns1.child.example.com", "2001:db8::1"),
    ]


def test_octets_after_the_end_of_a_reply_are_refused():
    request = wire.question(7, "example.com", "MX", None, False)
    with pytest.raises(wire.Unreadable, match="follow"):
        wire.read_reply(reply_to(request, None) + b"\0", request, None)


def test_an_update_is_signed_and_named_by_its_zone():
    message = dns.update.UpdateMessage("Example.com.")
    message.absent("a.example.com.", "MX")
    request = wire.update(9, message, KEY)
    read = dns.message.from_wire(request.wire, keyring=KEY)
    assert read.id == 9 and read.had_tsig and request.about == "example.com"


@given(st.integers(0, 65535), NAMES, st.booleans())
def test_a_recursive_question_differs_in_its_flag_alone(number, name, edns):
    request = wire.question(number, name, "MX", None, edns)
    read = dns.message.from_wire(wire.recursive(request).wire)
    assert read.flags == dns.flags.RD
    read.flags = dns.flags.Flag(0)
    assert read == dns.message.from_wire(request.wire)


@given(st.integers(0, 2**32 - 1))
def test_the_serial_of_a_zone_and_the_offer_of_recursion_are_read(serial):
    request = wire.recursive(wire.question(7, "example.com", "SOA", None, True))
    reply = dns.message.make_response(dns.message.from_wire(request.wire), recursion_available=True)
    reply.answer.append(dns.rrset.from_text("example.com.", 300, "IN", "SOA", f"ns1. host.master. {serial} 1 2 3 4"))
    read = wire.read_reply(reply.to_wire(), request, None)
    assert [(one.rdtype, one.serial) for one in read.answer] == [("SOA", serial)]
    assert read.offers_recursion
