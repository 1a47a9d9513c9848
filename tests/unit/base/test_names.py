# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of names: every spelling of a name has one form, and what is no name is refused with a reason.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base import names
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput

LABELS = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?", fullmatch=True)
TOP_LABELS = st.from_regex(r"[a-zA-Z]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?", fullmatch=True)
DOMAINS = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABELS, max_size=6), TOP_LABELS)
CANONICALISERS = [names.canonical_domain, names.canonical_host, names.canonical_owner, names.canonical_zone]


@pytest.mark.parametrize("spelling", ["example.com", "Example.COM", "example.com.", " example.com\t", "EXAMPLE.com. "])
@pytest.mark.parametrize("canonical", CANONICALISERS)
def test_every_spelling_of_a_name_has_one_form(spelling, canonical):
    assert canonical(spelling) == "example.com"


@given(DOMAINS)
def test_the_canonical_form_of_a_canonical_form_is_itself(domain):
    once = names.canonical_domain(domain)
    assert names.canonical_domain(once) == once == domain.lower()


@given(st.text(max_size=40))
def test_any_text_is_either_a_name_of_safe_characters_or_refused_in_one_line(text):
    try:
        name = names.canonical_domain(text)
    except InvalidInput as refusal:
        assert "\n" not in str(refusal) and "\0" not in str(refusal)
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert names.canonical_domain(name) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (".", "empty"),
        ("a..b", "empty label"),
        (".example.com", "empty label"),
        ("exam ple.com", "white space"),
        ("example.com\n", "control character"),
        ("exa\0mple.com", "control character"),
        ("example\u00a0.com", "white space"),
        ("-a.example.com", "hyphen"),
        ("a-.example.com", "hyphen"),
        ("a_b.example.com", "letters, digits and hyphens"),
        ("${x}.example.com", "letters, digits and hyphens"),
        ("user@example.com", "letters, digits and hyphens"),
        ("a/b.example.com", "letters, digits and hyphens"),
        ("192.0.2.1", "IP address"),
        ("2001:db8::1", "IP address"),
        ("[192.0.2.1]", "IP address"),
        ("192.0.2.256", "number"),
        ("a" * 64 + ".com", "63"),
        (".".join(["a" * 49] * 6) + ".com", "253"),
    ],
)
@pytest.mark.parametrize("canonical", [names.canonical_domain, names.canonical_host])
def test_what_is_no_name_is_refused_with_its_reason(text, reason, canonical):
    with pytest.raises(InvalidInput, match=reason):
        canonical(text)


def test_the_longest_name_is_taken():
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert len(longest) == names.MAX_NAME
    assert names.canonical_host(longest + ".") == longest


@pytest.mark.parametrize(
    ("u_label", "a_label"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("한국.example", "xn--3e0b707e.example"),
        ("\u1112\u1161\u11ab국.example", "xn--3e0b707e.example"),
        ("xn--BCHER-kva.example", "xn--bcher-kva.example"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example"),
    ],
)
def test_an_internationalised_name_becomes_its_a_label(u_label, a_label):
    assert names.canonical_domain(u_label) == a_label


@pytest.mark.parametrize("text", ["straße.example", "βόλος.example", "a\u200db.example"])
def test_a_name_on_which_the_two_idna_standards_differ_is_refused_and_the_a_label_asked_for(text):
    with pytest.raises(InvalidInput, match=r"IDNA2008.*xn--"):
        names.canonical_domain(text)


@pytest.mark.parametrize("text", ["\u2665.example", "\U0001f600.example", "\u2100.example", "\u2026.example"])
def test_signs_that_are_no_letters_are_refused(text):
    with pytest.raises(InvalidInput):
        names.canonical_domain(text)


@pytest.mark.parametrize(
    "character",
    [
        *("\u115f", "\u1160", "\u17b4", "\u17b5", "\u034f", "\u180b", "\u3164", "\ufe0f", "\U000e0100"),
        *("\u1100", "\u11a8", "\ua960", "\ud7b0", "\u0640", "\u302e", "\u3031", "\u20d0", "\U0001d165"),
    ],
)
def test_characters_that_nobody_sees_or_idna2008_forbids_are_refused_in_both_spellings(character):
    a_label = "xn--" + f"ab{character}".encode("punycode").decode()
    for label in (f"a{character}b", f"b\u00fc{character}", f"\u1112{character}", a_label):
        with pytest.raises(InvalidInput):
            names.canonical_domain(f"{label}.example")


def test_an_owner_may_be_a_wildcard_or_hold_underscores():
    assert names.canonical_owner("*.Example.com.") == "*.example.com"
    assert names.canonical_owner("_tcp.example.com") == "_tcp.example.com"


@pytest.mark.parametrize("text", ["a.*.example.com", "*a.example.com", "*", "*."])
def test_a_wildcard_anywhere_but_in_front_is_refused(text):
    with pytest.raises(InvalidInput):
        names.canonical_owner(text)


def test_at_sign_is_the_apex_of_the_zone_and_nothing_without_one():
    assert names.canonical_owner("@", "example.com") == "example.com"
    with pytest.raises(InvalidInput, match="zone"):
        names.canonical_owner("@")


def test_a_name_outside_its_zone_is_refused_because_names_are_absolute():
    with pytest.raises(InvalidInput, match=r"www\.example\.com"):
        names.canonical_owner("www", "example.com")
    with pytest.raises(InvalidInput, match="not within"):
        names.canonical_owner("notexample.com", "example.com")


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:DB8::1", " ::1 ", "::ffff:192.0.2.1"])
def test_addresses_are_told_from_names(text):
    assert names.is_ip_address(text)


@pytest.mark.parametrize("text", ["example.com", "192.0.2", "192.0.2.1/32", "[192.0.2.1]", ""])
def test_what_is_no_address_is_not_taken_for_one(text):
    assert not names.is_ip_address(text)


def test_parents_go_up_to_the_top_label():
    assert names.parents("a.b.example") == ("a.b.example", "b.example", "example")
