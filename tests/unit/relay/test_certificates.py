# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what is read of certificates: public keys of every kind, names, TLSA records; and of what is none.

from __future__ import annotations

import contextlib
import hashlib
import time

import pytest
from authority import KEYS, issue
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.relay.certificates import (
    NotReadable,
    Tlsa,
    fingerprints_of,
    is_named,
    names_of,
    public_key_of,
    read_tlsa,
    usable,
)

# One of each kind, with more and less in it.
ISSUED = [
    *(issue("mx.example.net", kind=kind) for kind in KEYS),
    issue("ca.example.net", is_authority=True, kind="rsa"),
    issue(*(f"mx{number}.example.net" for number in range(400))),
    issue(common_name="x" * 60),
]
DER = ISSUED[1].der


@pytest.mark.parametrize("issued", ISSUED)
def test_the_public_key_of_a_certificate_is_the_one_that_a_whole_library_reads(issued: object) -> None:
    assert public_key_of(issued.der) == issued.public_key  # type: ignore[attr-defined]
    certificate, key = (text.replace(":", "").lower() for text in fingerprints_of(issued.der))  # type: ignore[attr-defined]
    assert (certificate, key) == (issued.fingerprint, issued.key_fingerprint)  # type: ignore[attr-defined]


@given(st.integers(0, len(DER) - 1))
def test_a_certificate_that_ends_early_is_none(length: int) -> None:
    with pytest.raises(NotReadable):
        public_key_of(DER[:length])


@given(st.binary(max_size=300) | st.builds(lambda head, tail: head + tail, st.just(DER[:40]), st.binary(max_size=300)))
def test_bytes_that_are_no_certificate_are_told_so_and_nothing_else_happens(data: bytes) -> None:
    with contextlib.suppress(NotReadable):
        assert public_key_of(data) in data


@settings(max_examples=300)
@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_one_wrong_octet_never_gives_a_key_that_is_not_in_the_certificate(place: int, octet: int) -> None:
    data = DER[:place] + bytes([octet]) + DER[place + 1 :]
    with contextlib.suppress(NotReadable):
        assert public_key_of(data) in data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DER + b"\0",
        b"\x30\x80" + DER[4:],
        b"\x30\x84\0\0" + DER[2:],
        b"\x30\x81\x05" + bytes(5),
        b"\x30\x89" + b"\1" * 9,
        b"\x31" + DER[1:],
    ],
)
def test_what_der_does_not_know_is_refused(data: bytes) -> None:
    with pytest.raises(NotReadable):
        public_key_of(data)


def test_a_reader_of_hostile_bytes_is_quick() -> None:
    started = time.monotonic()
    with pytest.raises(NotReadable):
        public_key_of(b"\x30\x83\xff\xff\xff" + b"\x30\x80" * 4_000_000)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("name", "wanted", "is_name"),
    [
        ("mx.example.net", "mx.example.net", True),
        ("MX.Example.NET", "mx.example.net", True),
        ("*.example.net", "mx.example.net", True),
        ("*.example.net", "a.mx.example.net", False),
        ("*.example.net", "example.net", False),
        ("*.net", "example.net", False),
        ("*", "example.net", False),
        ("*.*.net", "mx.example.net", False),
        ("m*.example.net", "mx.example.net", False),
        ("mx.*.net", "mx.example.net", False),
        (".example.net", "mx.example.net", False),
        ("*.example.net.", "mx.example.net", False),
        ("mx.example.net\0.evil.net", "mx.example.net", False),
        ("*..net", "mx..net", False),
        # KELVIN SIGN, which is a k in lower case.
        ("mx.\u212aim.example.net", "mx.kim.example.net", False),
        ("*.\u212aim.example.net", "mx.kim.example.net", False),
        ("", "mx.example.net", False),
    ],
)
def test_a_name_is_the_host_or_a_wildcard_for_its_first_label(name: str, wanted: str, is_name: bool) -> None:
    assert is_named([name], [wanted]) == is_name
    assert is_named(["other.example.com", name], ["b.example.org", wanted]) == is_name


def test_the_common_name_counts_only_where_there_is_no_other() -> None:
    subject = ((("countryName", "DE"),), (("commonName", "mx.example.net"),))
    assert names_of({"subject": subject}) == ("mx.example.net",)
    assert names_of({"subject": subject, "subjectAltName": (("IP Address", "192.0.2.1"),)}) == ("mx.example.net",)
    assert names_of({"subject": subject, "subjectAltName": (("DNS", "a.example.net"),)}) == ("a.example.net",)
    assert names_of({}) == ()


@given(st.binary(max_size=80))
def test_any_data_of_a_record_is_read_or_is_none(data: bytes) -> None:
    record = read_tlsa(data)
    assert (record is None) == (len(data) < 4)
    if record is not None:
        assert bytes([record.usage, record.selector, record.matching]) + record.data == data
        assert record.is_usable == (record in usable([record]))


def test_records_that_mail_servers_do_not_take_are_left_out() -> None:
    digest, longer = bytes(32), bytes(64)
    taken = [Tlsa(3, 1, 1, digest), Tlsa(2, 0, 2, longer), Tlsa(3, 0, 0, b"x")]
    left = [Tlsa(1, 1, 1, digest), Tlsa(0, 0, 1, digest), Tlsa(3, 2, 1, digest), Tlsa(3, 1, 3, digest)]
    left += [Tlsa(3, 1, 1, digest[1:]), Tlsa(3, 1, 2, digest), Tlsa(255, 1, 1, digest), Tlsa(3, 0, 0, b"")]
    assert usable([*left, *taken, *taken]) == tuple(taken)


def test_the_stronger_of_two_digests_of_one_thing_counts() -> None:
    weak, strong = Tlsa(3, 1, 1, hashlib.sha256(b"").digest()), Tlsa(3, 1, 2, hashlib.sha512(b"").digest())
    other = Tlsa(3, 0, 1, weak.data)
    assert usable([weak, other, strong]) == (other, strong)
