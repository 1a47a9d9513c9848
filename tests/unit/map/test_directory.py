# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of directories: what a CSV file or a list of rows says, and where exactly a fault in it stands.

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory import (
    locate,
    read_listings,
    routes_of_listings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory_bulk import compile_source
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import RoutesText, parse_destination

SITES = {"hq": "local", "cloud": "mx.cloud.example.net:25"}


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return tmp_path / "example.com.csv"


def read(path: Path, own_site: str | None = None) -> list[tuple[str, str]]:
    return [(str(found.address), found.site) for found in read_listings([str(path)], "example.com", own_site)]


def test_columns_are_found_by_name_and_others_are_ignored(csv_file: Path) -> None:
    csv_file.write_text("Department, SITE ,address\nsales,cloud,Bob@Example.COM\n")
    assert read(csv_file) == [("bob@example.com", "cloud")]


def test_quotes_a_byte_order_mark_windows_lines_and_empty_lines_are_read(csv_file: Path) -> None:
    csv_file.write_bytes(b'\xef\xbb\xbfaddress,site\r\n"bob@example.com","cloud"\r\n\r\nann@example.com, hq\r\n')
    assert read(csv_file) == [("bob@example.com", "cloud"), ("ann@example.com", "hq")]


def test_a_file_without_sites_is_of_the_site_it_was_given_for(csv_file: Path) -> None:
    csv_file.write_text("address\nbob@example.com\n")
    assert read(csv_file, own_site="cloud") == [("bob@example.com", "cloud")]


def test_an_empty_site_means_the_site_the_file_was_given_for(csv_file: Path) -> None:
    csv_file.write_text("address,site\nbob@example.com,\nann@example.com,hq\n")
    assert read(csv_file, own_site="cloud") == [("bob@example.com", "cloud"), ("ann@example.com", "hq")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("mail,site\nbob@example.com,hq\n", ", line 1 has no column 'address' (it has: mail, site)"),
        ("address,place\nbob@example.com,hq\n", ", line 1 has no column 'site' (it has: address, place)"),
        ("", ", line 1 has no column 'address' (it has: nothing)"),
        ("bob@example.com,hq\n", ", line 1 has no column 'address' (it has: bob@example.com, hq)"),
        ("address,site\nbob@example.com,hq,x\n", ", line 2 has 3 columns where the header names 2 (address, site)"),
        ("address,site\nann@example.com,hq\nbob@example.com\n", ", line 3 has 1 columns where the header names 2"),
        ("address,site\nann@example.com,hq\nbob@example.com,\n", ", line 3, column 'site' is empty: name the site"),
        ("address,site\n,hq\n", ", line 2, column 'address': '' is not a mail address"),
        ("address,site\n\nbob,hq\n", ", line 3, column 'address': 'bob' is not a mail address"),
        ("address,site\nbob@example.net,hq\n", "'bob@example.net' does not belong to the split domain example.com"),
        ("address,site\nb ob@example.com,hq\n", ", line 2, column 'address': the address 'b ob@example.com' holds"),
        (
            'address,site\n"b\nob@example.com",hq\n',
            r", line 3, column 'address': the address 'b\nob@example.com' holds",
        ),
        ("address,site\n${b}@example.com,hq\n", "holds the character '$'"),
        ("address,site\nb\u00f6b@example.com,hq\n", "non-ASCII local part"),
        ('address,site\n"bob@example.com,hq\n', " is not CSV (unexpected end of data): fix the quotes"),
        ('address,site\n"bob"@example.com,hq\n', ", line 2 is not CSV"),
        ("address;site\nbob@example.com;hq\n", ", line 1 has no column 'address' (it has: address;site)"),
    ],
)
def test_a_fault_is_told_with_its_file_line_and_column(csv_file: Path, content: str, message: str) -> None:
    csv_file.write_text(content)
    with pytest.raises(InvalidInput) as refusal:
        read(csv_file)
    assert str(csv_file) in str(refusal.value)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_nul_character_in_a_file_is_told_with_its_line(csv_file: Path) -> None:
    csv_file.write_bytes(b"address,site\nann@example.com,hq\nb\0ob@example.com,hq\n")
    with pytest.raises(InvalidInput) as refusal:
        read(csv_file)
    assert f"{csv_file}, line " in str(refusal.value)


def test_a_file_that_is_not_utf_8_is_told_with_the_byte(csv_file: Path) -> None:
    csv_file.write_bytes(b"address,site\nb\xf6b@example.com,hq\n")
    with pytest.raises(InvalidInput, match=r"is not UTF-8 \(byte 14\): save it as UTF-8"):
        read(csv_file)


def test_a_directory_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be read \(Is a directory\): check its path and permissions"):
        read(tmp_path)


def test_a_missing_file_is_told_with_the_places_where_it_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(InvalidInput) as refusal:
        locate("x.csv", [str(tmp_path / "one"), str(tmp_path)])
    assert f"does not exist (tried {tmp_path}/one/x.csv, {tmp_path}/x.csv)" in str(refusal.value)


def test_the_first_folder_that_has_a_file_wins(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "x.csv").touch()
    assert locate("x.csv", [str(tmp_path / "one"), str(tmp_path)]) == str(tmp_path / "x.csv")
    assert locate(str(tmp_path / "x.csv"), ["/nowhere"]) == str(tmp_path / "x.csv")


@pytest.mark.parametrize(
    "row",
    [None, 7, [], {}, {"address": None, "site": "hq"}, {"address": 7, "site": "hq"}, {"address": "bob@example.com"}]
    + [{"address": "bob@example.com", "site": site} for site in (7, ["hq"], None, "")],
)
def test_a_row_without_address_or_site_is_told_with_its_number(row: Any) -> None:
    rows = [{"address": "ann@example.com", "site": "hq"}, row]
    with pytest.raises(InvalidInput, match=r"the directory of example.com, entry 2 \(.*\) needs 'address' and 'site'"):
        list(read_listings(rows, "example.com"))


LINES = st.sampled_from(
    [
        "ann@example.com,hq",
        "bob@example.com,cloud",
        "bob@example.com,hq",
        "Carl@example.com,cloud",
        "dora+news@example.com,cloud",
        "emil@EXAMPLE.com,hq",
        "fred@example.com",
        "gina@example.com,nowhere",
        "-hans@example.com,hq",
        "ida@example.com, cloud",
        " jim@example.com,hq",
        '"kim@example.com",hq',
        "lu..cy@example.com,hq",
        "max@example.net,hq",
        "nick@example.com,",
        "o'hara@example.com,hq",
        "a" * 64 + "@example.com,hq",
        "a" * 65 + "@example.com,hq",
        "",
        "a@b@example.com,hq",
        "zo\u00eb@example.com,hq",
        "p$x@example.com,hq",
    ]
)
GOOD_LINES = st.builds(
    "{}@example.com,{}".format,
    st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,2})?", fullmatch=True),
    st.sampled_from(["hq", "cloud"]),
)
HEADERS = st.sampled_from(
    ["address,site", "address,site,name", "site,address", "Address,Site", '"address","site"', "address"]
)
FILES = st.builds(
    lambda header, lines, newline, end: newline.join([header, *lines]) + end,
    HEADERS,
    st.one_of(st.lists(GOOD_LINES, max_size=5), st.lists(st.one_of(GOOD_LINES, LINES), max_size=5)),
    st.sampled_from(["\n", "\n", "\r\n", "\r"]),
    st.sampled_from(["\n", "\n", ""]),
)


def one_by_one(path: Path) -> str:
    destinations = {site: parse_destination(to, site) for site, to in SITES.items()}
    listings = read_listings([str(path)], "example.com", "hq")
    return RoutesText.of("example.com", routes_of_listings(listings, "example.com", destinations)).lines


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(content=FILES)
def test_a_directory_means_the_same_read_in_bulk_and_line_by_line(csv_file: Path, content: str) -> None:
    csv_file.write_text(content, newline="")
    arguments = {"domain": "example.com", "src": str(csv_file), "sites": SITES, "site": "hq"}
    try:
        wanted = one_by_one(csv_file)
    except InvalidInput as refusal:
        with pytest.raises(InvalidInput) as refusal_in_bulk:
            compile_source(arguments, str)
        assert str(refusal_in_bulk.value) == str(refusal)
        return
    if not wanted:
        with pytest.raises(InvalidInput, match="lists no address: check the file"):
            compile_source(arguments, str)
        return
    assert RoutesText.unpack(compile_source(arguments, str)).lines == wanted


def test_an_address_that_is_too_long_with_its_domain_is_refused_in_bulk_too(csv_file: Path) -> None:
    domain = ".".join(["a" * 63] * 3 + ["example"])
    csv_file.write_text(f"address,site\n{'b' * 60}@{domain},hq\n")
    with pytest.raises(InvalidInput, match="is longer than 254 characters"):
        compile_source({"domain": domain, "src": str(csv_file), "sites": SITES}, str)
