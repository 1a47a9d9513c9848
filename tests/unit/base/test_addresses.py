# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mail addresses: one form for every spelling, and nothing that a mail table would take for more than a key.

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import (
    Address,
    parse_address,
    parse_recipient,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput

SAFE = string.ascii_letters + string.digits + "&'*+/=?^_~-"
DANGEROUS = '\n\r\0\t \v\f\x1b\x7f\u00a0\u2028\u200b$(){}[]<>,;:\\"`|!%#@'
ATOMS = st.text(SAFE, min_size=1, max_size=12)
LOCAL_PARTS = (
    st.lists(ATOMS, min_size=1, max_size=4)
    .map(".".join)
    .filter(lambda text: len(text) <= 64 and not text.startswith("-"))
)
DOMAINS = st.sampled_from(
    ["example.com", "Example.COM", "example.com.", "b\u00fccher.example", "xn--bcher-kva.example"]
)


@given(LOCAL_PARTS, DOMAINS)
def test_an_address_written_out_and_read_again_is_itself(local_part: str, domain: str) -> None:
    address = parse_address(f"{local_part}@{domain}")
    assert parse_address(str(address)) == address
    assert address.local_part == local_part.lower()


@given(LOCAL_PARTS)
def test_every_spelling_of_an_address_has_one_form(local_part: str) -> None:
    spellings = [f"{local_part}@example.com", f" {local_part.upper()}@EXAMPLE.com.\t", f"{local_part}@Example.Com"]
    assert {parse_address(spelling) for spelling in spellings} == {Address("example.com", local_part.lower())}


@pytest.mark.parametrize("character", DANGEROUS)
@pytest.mark.parametrize("place", ["a{}bob", "b{}ob", "bob{}"])
def test_a_dangerous_character_is_refused_wherever_it_stands_in_a_local_part(character: str, place: str) -> None:
    text = place.format(character) + "@example.com"
    with pytest.raises(InvalidInput) as refusal:
        parse_address(text)
    assert repr(text) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "\0" not in str(refusal.value)


@pytest.mark.parametrize("character", '\n\r\0\v\f \t$(){}[]<>,;:\\"`|!%#/_')
@pytest.mark.parametrize("place", ["exa{}mple.com", "example.com{}x", "{}x.example.com"])
def test_a_dangerous_character_is_refused_wherever_it_stands_in_a_domain(character: str, place: str) -> None:
    with pytest.raises(InvalidInput):
        parse_address("bob@" + place.format(character))


@given(st.text(max_size=40))
def test_any_text_is_either_an_address_of_safe_characters_or_refused_in_one_line(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidInput as refusal:
        assert "\n" not in str(refusal)
        assert "\0" not in str(refusal)
        return
    assert re.fullmatch(r"[a-z0-9&'*+/=?^_~.-]+@[a-z0-9.-]+", str(address))


@given(st.text(SAFE + DANGEROUS + ".\u00fc", min_size=1, max_size=70))
def test_no_local_part_that_is_taken_needs_quoting(local_part: str) -> None:
    try:
        address = parse_address(f"{local_part}@example.com")
    except InvalidInput:
        return
    assert not set(address.local_part) & set(DANGEROUS)
    assert all(address.local_part.split("."))
    assert not address.local_part.startswith("-")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bob", "is not a mail address: write it as user@example.com"),
        ("", "is not a mail address"),
        ("@example.com", "is not a mail address"),
        ("bob@", "is not a mail address"),
        ('"bob smith"@example.com', "quoted local part, which is not supported: give the mailbox an address without"),
        (".bob@example.com", "dot at an end of its local part"),
        ("bob.@example.com", "dot at an end of its local part"),
        ("b..ob@example.com", "or two in a row (RFC 5321): remove it"),
        ("-bob@example.com", "begins with a hyphen, which Postfix refuses"),
        ("b\u00f6b@example.com", "non-ASCII local part, which needs SMTPUTF8 (RFC 6531) on every hop"),
        ("b ob@example.com", "holds white space or a control character (' '): remove it"),
        ("b\nob@example.com", r"holds white space or a control character ('\n'): remove it"),
        ("b\0ob@example.com", r"holds white space or a control character ('\x00'): remove it"),
        ("${bob}@example.com", "holds the character '$', which cannot stand in a mail table"),
        ("bob@192.0.2.1", "is an IP address"),
        ("bob@[192.0.2.1]", "is an IP address"),
        ("a" * 65 + "@example.com", "local part of more than 64 characters"),
        ("a@" + ".".join(["b" * 60] * 4 + ["example"] * 2), "is longer than 253 characters"),
        ("a" * 64 + "@" + ".".join(["b" * 60] * 3 + ["example"]), "is longer than 254 characters"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_address(text)
    assert message in str(refusal.value)


def test_the_longest_local_part_is_taken() -> None:
    assert parse_address("a" * 64 + "@example.com").local_part == "a" * 64


def test_a_u_label_and_its_a_label_are_the_same_domain() -> None:
    assert str(parse_address("bob@B\u00dcCHER.example")) == "bob@xn--bcher-kva.example"


def test_an_address_of_another_domain_is_refused_with_both_names() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_recipient("bob@example.net", "example.com")
    assert str(refusal.value) == (
        "the address 'bob@example.net' does not belong to the split domain example.com: "
        "remove it, or list it under the domain example.net"
    )


@pytest.mark.parametrize("text", ["bob@sub.example.com", "bob@notexample.com", "bob@com"])
def test_neither_a_sub_domain_nor_a_look_alike_is_the_domain(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_recipient(text, "example.com")
