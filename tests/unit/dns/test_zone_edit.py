# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the edit of zone files: the wanted MX sets and the serial come in, every other character stays.

from __future__ import annotations

from typing import Any

import dns.rdataclass
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from zone_texts import ZONE, Made, wanted_sets, zone_texts

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    DnsFailure,
    ZoneFileNotEditable,
    ZoneFileUnreadable,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.contents import ZoneContents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.edit import (
    edit_zone,
    is_otherwise_equal,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet, as_found

TOP = "$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 86400 300\n"


def read(text: str, **included: str) -> ZoneContents:
    return ZoneContents(parse_zone_text(text, ZONE, "db", lambda name: included[name]), ZONE, "db")


def mx(*records: str, ttl: int = 300) -> MxSet:
    pairs = [one.split() for one in records]
    return MxSet.of([as_found(int(preference), exchange) for preference, exchange in pairs], ttl)


def edited(lines: str, wanted: MxSet, name: str = ZONE, **included: str) -> str:
    """Give what becomes of lines behind the top of a zone file."""
    before = read(TOP + lines, **included)
    text = edit_zone(before, {name: wanted}, 2)
    assert is_otherwise_equal(before, read(text, **included), {name: wanted})
    top = TOP.replace(" 1 ", " 2 ")
    assert text.startswith(top)
    return text[len(top) :]


def as_dnspython_reads(text: str) -> dict[tuple[Any, Any], tuple[int, frozenset[str]]]:
    zone = dns.zone.from_text(text, "example.com.", relativize=False, check_origin=False)
    told = {}
    for name, rdataset in zone.iterate_rdatasets():
        values = frozenset(rdata.to_text().lower() for rdata in rdataset)
        told[name.to_text().lower().rstrip("."), rdataset.rdtype.name] = (rdataset.ttl, values)
    return told


@given(zone_texts(), wanted_sets())
def test_another_reader_finds_the_wanted_sets_and_no_other_difference(made: Made, wanted: dict[str, MxSet]) -> None:
    # For dnspython, unlike BIND, an indented line behind this belongs to the last name that it made.
    assume("$GENERATE" not in made.text)
    before = as_dnspython_reads(made.text)
    after = as_dnspython_reads(edit_zone(read(made.text), wanted, 2026112101))
    for name, mx_set in wanted.items():
        before.pop((name, "MX"), None)
        expected = (mx_set.ttl, frozenset(str(record) for record in mx_set.records)) if mx_set.records else None
        assert after.pop((name, "MX"), None) == expected
    (_ttl, old_soa), (_same, new_soa) = before.pop((ZONE, "SOA")), after.pop((ZONE, "SOA"))
    assert _ttl == _same
    assert {one.replace(" 2026112100 ", " 2026112101 ").replace(" 7 ", " 2026112101 ") for one in old_soa} == new_soa
    assert after == before


@given(zone_texts(), wanted_sets())
def test_every_other_line_stays_but_for_an_owner_it_had_from_a_line_that_went(
    made: Made, wanted: dict[str, MxSet]
) -> None:
    text = edit_zone(read(made.text), wanted, 2026112101)
    position = 0
    for line in made.others:
        indented = line[:1] in (" ", "\t")
        looked_for = line.lstrip(" \t") if indented else line
        found = text.find(looked_for, position)
        assert found >= 0, (line, text)
        position = found + len(looked_for)


@given(zone_texts(has_ttl=False), wanted_sets())
def test_lines_that_have_their_ttl_from_the_line_before_keep_it(made: Made, wanted: dict[str, MxSet]) -> None:
    before = read(made.text)
    after = read(edit_zone(before, wanted, 8))
    assert is_otherwise_equal(before, after, wanted)
    assert after.serial == 8


@given(zone_texts(), wanted_sets())
def test_an_edit_that_wants_what_is_there_changes_nothing_but_the_serial(made: Made, wanted: dict[str, MxSet]) -> None:
    once = edit_zone(read(made.text), wanted, 2026112101)
    assert edit_zone(read(once), wanted, 2026112101) == once


def test_a_record_that_stays_keeps_its_line_with_all_its_spelling():
    lines = "@\tIN  MX\t010 MX1 ; Berlin\n@ MX 20 mx2\n"
    assert edited(lines, mx("10 mx1.example.com")) == "@\tIN  MX\t010 MX1 ; Berlin\n"


def test_an_exchange_with_another_preference_keeps_its_line_and_its_comment():
    assert edited("@ MX 10 mx1 ; Berlin\n", mx("30 mx1.example.com")) == "@ MX 30 mx1 ; Berlin\n"


def test_a_new_record_looks_as_the_others_of_its_set_without_their_comment():
    lines = "@\t1h\tIN\tMX\t10 mx1 ; Berlin\n\tTXT x\n"
    assert edited(lines, mx("10 mx1.example.com", "20 mx2.example.com", "30 mx.example.net", ttl=3600)) == (
        "@\t1h\tIN\tMX\t10 mx1 ; Berlin\n@\t1h\tIN\tMX\t20 mx2\n@\t1h\tIN\tMX\t30 mx.example.net.\n\tTXT x\n"
    )


def test_a_new_set_stands_behind_the_other_records_of_its_name():
    lines = "WWW A 192.0.2.1\n    TXT x\nftp A 192.0.2.2\n"
    assert edited(lines, mx("10 mx1.example.com"), "www.example.com") == (
        "WWW A 192.0.2.1\n    TXT x\nWWW\tIN\tMX\t10 mx1.example.com.\nftp A 192.0.2.2\n"
    )


def test_a_set_for_a_new_name_stands_at_the_end_at_whatever_origin():
    lines = "$ORIGIN sub.example.com.\nx A 192.0.2.1"
    assert edited(lines, mx("10 mx1.example.com", ttl=60), "new.sub.example.com") == (
        lines + "\nnew\t60 IN\tMX\t10 mx1.example.com."
    )
    assert edited(lines, mx("0 ."), "new.example.com") == lines + "\nnew.example.com.\tIN\tMX\t0 ."


def test_the_line_behind_one_that_goes_gets_the_owner_that_it_had_from_it():
    lines = "Mail    MX 10 mx1\n; why\n\n        A 192.0.2.1\n\tTXT x\n"
    assert edited(lines, MxSet(), "mail.example.com") == "; why\n\nMail    A 192.0.2.1\n\tTXT x\n"


def test_the_owner_is_spelled_anew_where_the_origin_changed_in_between():
    lines = "mail MX 10 mx1\n$ORIGIN sub.example.com.\n\tA 192.0.2.1\n"
    assert edited(lines, MxSet(), "mail.example.com") == "$ORIGIN sub.example.com.\nmail.example.com.\tA 192.0.2.1\n"


def test_a_new_ttl_is_spelled_where_it_is_not_the_default_and_only_there():
    assert edited("@ MX 10 mx1\n", mx("10 mx1.example.com", ttl=60)) == "@ 60 MX 10 mx1\n"
    assert edited("@ IN 1h MX 10 mx1\n", mx("10 mx1.example.com", ttl=60)) == "@ IN 60 MX 10 mx1\n"
    assert edited("@ 60m MX 10 mx1\n@ MX 20 mx2\n", mx("10 mx1.example.com", ttl=3600)) == "@ 60m MX 10 mx1\n"


def test_a_record_in_an_included_file_is_refused_and_one_beside_it_is_not():
    with pytest.raises(ZoneFileNotEditable, match="line 1 of the included file more"):
        edited("$INCLUDE more\n", mx("10 mx1.example.com"), more="@ MX 20 mx2\n")
    assert edited("$INCLUDE more\n@ MX 5 a\n", mx("10 mx1.example.com"), more="ftp MX 20 mx2\n") == (
        "$INCLUDE more\n@ MX 10 mx1\n"
    )


def test_an_included_file_that_has_its_ttl_from_the_zone_file_is_not_given_another():
    text = "@ 300 SOA ns1 hostmaster 1 3600 600 86400 300\n@ 60 MX 10 mx1\n$INCLUDE more\n"
    with pytest.raises(ZoneFileNotEditable, match=r"\$TTL"):
        edit_zone(read(text, more="ftp A 192.0.2.1\n"), {ZONE: MxSet()}, 2)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("@ MX ( 10 mx1\n", "line 3 .*never closed"),
        ("@ MX 10 mx1 )\n", "line 3 .*not open"),
        ('@ TXT "half\n', "line 3 .*no meaning"),
        ("$TTL soon\n", "line 3 .*no TTL"),
        ("$NOTHING x\n", r"line 3 .*\$NOTHING"),
        ("a..b A 192.0.2.1\n", "line 3 .*no name"),
        ("@ IN\n", "line 3 .*no whole record"),
        ("@ MX 10\n", "line 3"),
        ("@ TYPE15 \\# 4 000a0000\n", "line 3"),
    ],
)
def test_what_cannot_be_understood_is_named_by_its_line(lines, told):
    with pytest.raises(ZoneFileUnreadable, match=told):
        edited(lines, MxSet())


def test_records_are_named_once_however_often_they_stand_there():
    zone = read(TOP + "@ MX 10 mx1\nexample.com. MX 010 MX1.example.com.\n")
    assert zone.mx_set(ZONE) == MxSet.of([MxRecord(10, "mx1.example.com")], 300)
    assert edit_zone(zone, {ZONE: MxSet()}, 1) == TOP


PIECES = [
    "@",
    " ",
    "\t",
    "\n",
    "(",
    ")",
    '"',
    ";",
    "\\",
    "\\0",
    "65",
    "$TTL",
    "$INCLUDE more",
    "$GENERATE 1-2 x$",
    "IN",
    "1h",
]
PIECES += [
    "MX",
    "SOA",
    "10",
    "mx1",
    "a..b",
    ".",
    "TYPE15",
    "\r",
    "\u00e9",
    "\udcff",
    "$ORIGIN",
    "example.com.",
    "CNAME",
]


def including(text: str) -> ZoneContents:
    """Read a zone file, into which every included file brings one record."""
    return ZoneContents(parse_zone_text(text, ZONE, "db", lambda _name: "@ MX 10 mx1\n"), ZONE, "db")


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_whatever_stands_in_a_file_it_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        zone = including(TOP + text)
        wanted = {name: mx("20 mx2.example.com") for name in (ZONE, "www.example.com") if zone.reading(name)}
        zone.addresses_of_exchanges(["mx1.example.com", "example.com"])
        after = edit_zone(zone, wanted, 2)
    except DnsFailure as error:
        assert str(error)
    else:
        assert is_otherwise_equal(zone, including(after), wanted)
