# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of MX records and sets: one form for every spelling, and the refusals that RFCs ask for.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mx import records as mx

RECORDS = st.builds(
    mx.MxRecord, st.integers(0, 65535), st.from_regex(r"[a-z][a-z0-9]{0,5}\.example\.(com|net)", fullmatch=True)
)


@pytest.mark.parametrize("spelling", [10, "10", "010", " 10 ", "00000000000000000010"])
def test_every_spelling_of_a_preference_is_the_same_number(spelling):
    assert mx.parse_preference(spelling) == 10


@pytest.mark.parametrize("value", [-1, 65536, "65536", "-1", "ten", "", "1.5", 1.5, True, None, "1" * 5000, "٣"])
def test_what_is_no_preference_is_refused(value):
    with pytest.raises(InvalidInput, match="65535"):
        mx.parse_preference(value)


@given(st.integers(0, 65535), st.integers(0, 4))
def test_leading_zeros_never_change_a_preference(number, zeros):
    assert mx.parse_preference("0" * zeros + str(number)) == number


@pytest.mark.parametrize("spelling", ["mx1.example.com", "MX1.Example.Com.", " mx1.example.com "])
def test_every_spelling_of_an_exchange_is_the_same_host(spelling):
    assert mx.parse_record(10, spelling) == mx.MxRecord(10, "mx1.example.com")


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        ("192.0.2.1", "IP address.*host name"),
        ("192.0.2.1.", "IP address"),
        ("2001:db8::1", "IP address"),
        ("[192.0.2.1]", "IP address"),
        ("mx_1.example.com", "letters, digits and hyphens"),
        ("mx1..example.com", "empty label"),
        ("mx1 .example.com", "white space"),
        ("mx1", "one label"),
        ("", "empty"),
        ("*.example.com", "letters"),
        ("@", "letters"),
    ],
)
def test_an_exchange_that_is_no_host_name_is_refused_with_its_reason(exchange, reason):
    with pytest.raises(InvalidInput, match=reason):
        mx.parse_record(10, exchange)


def test_a_null_mx_is_taken_alone_with_preference_zero():
    null = mx.parse_record("0", ".")
    assert null.is_null and str(null) == "0 ."
    mx.check_set([null])


def test_a_null_mx_with_another_preference_is_refused():
    with pytest.raises(InvalidInput, match="RFC 7505"):
        mx.parse_record(10, ".")


def test_a_null_mx_beside_another_record_is_refused():
    with pytest.raises(InvalidInput, match=r"RFC 7505.*10 mx1\.example\.com|10 mx1.*RFC 7505"):
        mx.check_set([mx.parse_record(0, "."), mx.parse_record(10, "mx1.example.com")])


@pytest.mark.parametrize("ttl", [-1, 2**31])
def test_a_ttl_outside_rfc_2181_is_refused(ttl):
    with pytest.raises(InvalidInput, match="RFC 2181"):
        mx.parse_ttl(ttl)


@given(st.lists(RECORDS, max_size=6), st.randoms())
def test_a_set_has_one_form_in_any_order_and_with_any_copies(records, random):
    shuffled = records * 2
    random.shuffle(shuffled)
    assert mx.MxSet.of(shuffled, 300) == mx.MxSet.of(records, 300)


def test_an_empty_set_has_no_ttl():
    assert mx.MxSet.of([], 300) == mx.MxSet()


def test_a_record_on_a_server_is_taken_as_it_is_even_when_nobody_may_write_it():
    assert mx.as_found(10, "192.0.2.1.") == mx.MxRecord(10, "192.0.2.1")
    assert mx.as_found(0, ".").is_null


def test_a_set_reads_as_the_lines_of_a_zone_file():
    records = [mx.MxRecord(20, "b.example.com"), mx.MxRecord(10, "a.example.com")]
    assert mx.MxSet.of(records, 60).lines("example.com") == (
        "example.com. 60 IN MX 10 a.example.com.\nexample.com. 60 IN MX 20 b.example.com.\n"
    )
