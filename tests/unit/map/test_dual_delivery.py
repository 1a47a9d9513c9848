# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of dual delivery as the map has it: which server is told of which copies, and what is refused.

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory_bulk import compile_source
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments
from ansible_collections.mailops.split_domain.plugins.module_utils.map.subdomains import subdomains_first
from ansible_collections.mailops.split_domain.plugins.module_utils.model.aliases import alias_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.model.copies import (
    copy_domain,
    parse_copies,
    refuse_like_names,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import parse_settings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import RoutesText
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

# What the map takes for the name of a site, of letters that make many alike.
SITE_NAMES = st.from_regex(r"[aA0][aA0_-]{0,3}", fullmatch=True)
ANN, BOB = Address("example.com", "ann"), Address("example.com", "bob")


def split_map(copy: Any = "cloud") -> list[dict[str, Any]]:
    return [
        {
            "domain": "example.com",
            "directory": [
                {"address": "ann@example.com", "site": "hq", "copy": copy},
                {"address": "bob@example.com", "site": "cloud"},
            ],
            "sites": [
                {"name": "hq", "role": "master", "hosts": ["mx1.example.com"]},
                {"name": "cloud", "hosts": ["mx.cloud.example.net"]},
                {"name": "hosted", "relay": "mx.hosted.example"},
            ],
        }
    ]


def test_the_home_makes_copies_and_another_site_keeps_its_own_and_knows_those_that_may_come_back() -> None:
    hq = server_arguments(split_map("cloud hosted"), "mx1.example.com")
    cloud = server_arguments(split_map("cloud hosted"), "mx.cloud.example.net")
    assert [route.get("copy") for route in hq["routes"][0]["routes"]] == [["cloud", "hosted"], None]
    assert [route.get("copy") for route in cloud["routes"][0]["routes"]] == [["cloud", "hosted"], None]
    assert (hq["domains"][0]["site"], cloud["domains"][0]["site"]) == ("hq", "cloud")
    managed = {peer["site"]: peer["managed"] for peer in hq["domains"][0]["peers"]}
    assert managed == {"cloud": True, "hosted": False}


def test_without_copies_no_server_is_told_of_any() -> None:
    found = server_arguments(split_map(None), "mx1.example.com")
    assert found["domains"][0]["site"] is None
    assert all("copy" not in route for route in found["routes"][0]["routes"])


@pytest.mark.parametrize(
    ("copy", "reason"),
    [
        ("hq", "puts ann@example.com on the site hq and wants a copy there, too"),
        ("cluod", "wants copies for ann@example.com on the site 'cluod', which example.com does not have"),
        (3, "has copies for 3: write the names of sites"),
        ([3], "has copies for"),
    ],
)
def test_copies_that_cannot_be_made_are_refused(copy: Any, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        server_arguments(split_map(copy), "mx1.example.com")
    assert reason in str(refused.value)


@pytest.mark.parametrize("value", ["lab  cloud", ["cloud", "lab"], ("lab", "cloud", "lab"), " cloud lab "])
def test_copies_have_one_spelling(value: Any) -> None:
    assert parse_copies(value, "x") == ("cloud", "lab")


@pytest.mark.parametrize("value", [None, "", " "])
def test_no_name_means_no_copy(value: Any) -> None:
    assert parse_copies(value, "x") == ()


def test_a_directory_file_names_sites_in_the_column_copy(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_text("address,site,copy\nann@example.com,hq,cloud lab\nbob@example.com,cloud,\n")
    sites = {"hq": "local", "cloud": "mx.cloud.example.net", "lab": "mx.lab.example.net"}
    packed = compile_source({"domain": "example.com", "src": str(file), "sites": sites, "site": "hq"}, str)
    text = RoutesText.unpack(packed)
    text.check()
    third = {"domain": "example.com", "src": str(file), "sites": {**sites, "hq": "mx1.example.com"}, "site": "third"}
    assert RoutesText.unpack(compile_source(third, str)).copies == ""
    knowing = RoutesText.unpack(compile_source({**third, "unmanaged_sites": ["lab"]}, str))
    assert knowing.copies == f"ann@example.com\t{copy_domain('lab', 'example.com')}\n"
    with pytest.raises(
        InvalidInput,
        match="the option unmanaged_sites of example.com is a text that is not shown: write a list of sites",
    ):
        compile_source({**third, "unmanaged_sites": "lab"}, str)
    to_cloud, to_lab = (f"{copy_domain(site, 'example.com')}" for site in ("cloud", "lab"))
    assert text.copies == f"ann@example.com\t{to_cloud} {to_lab}\n"
    assert alias_lines(text, ()) == f"ann@example.com\tann@example.com, ann@{to_cloud}, ann@{to_lab}\n"


def test_a_copy_that_arrives_stays_what_it_is_and_is_kept_before_routes_change() -> None:
    text = RoutesText.of("example.com", {ANN: None, BOB: Relay("mx1.example.com")}, {ANN: ["hq"], BOB: ["cloud"]})
    arriving = f"bob@{copy_domain('cloud', 'example.com')}"
    assert alias_lines(text.only_local(), ()) == f"{arriving}\t{arriving}\n"
    assert len(alias_lines(text, ()).splitlines()) == 2


def test_the_text_of_copies_is_read_as_what_was_written() -> None:
    text = RoutesText.of("example.com", {ANN: None}, {ANN: ["Cloud_2"]})
    assert RoutesText.parse(text.render()) == text
    assert text.copies == "ann@example.com\tcloud-2.example.com.split-domain.invalid\n"


@pytest.mark.parametrize(
    "line",
    [
        "ann@example.com\teve.example.net\n",
        "ann@example.com\tcloud.split-domain.invalid,|command\n",
        "ann@example.net\tcloud.split-domain.invalid\n",
        "ann@example.com\tcloud.split-domain.invalid",
    ],
)
def test_any_other_line_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="leave it out"):
        RoutesText("example.com", "ann@example.com\tlocal\n", line).check()


def test_copies_are_known_by_their_names_before_the_first_is_sent() -> None:
    without = server_arguments(split_map(None), "mx.cloud.example.net")["domains"][0]
    copied = server_arguments(split_map(), "mx.cloud.example.net")["domains"][0]
    (first,) = subdomains_first([{"domain": "example.com", "before": without, "after": copied, "changed": True}])
    assert first["site"] == "cloud"


def test_copies_of_mail_for_a_site_that_is_not_managed_are_refused_because_nobody_would_make_them() -> None:
    entries = split_map(None)
    entries[0]["directory"].append({"address": "cyd@example.com", "site": "hosted", "copy": "hq"})
    with pytest.raises(
        InvalidInput, match=r"wants copies of mail for cyd@example.com, whose site hosted is not managed"
    ):
        server_arguments(entries, "mx1.example.com")


def test_copies_in_a_sites_own_directory_are_refused_because_no_other_site_would_hear_of_them() -> None:
    entries = split_map(None)
    own = {"address": "eve@example.com", "copy": "cloud"}
    entries[0]["sites"][0]["directory"] = [own]
    with pytest.raises(
        InvalidInput,
        match="wants copies of mail for eve@example.com in the directory of the site hq, which no other site reads, "
        "so that they would be refused: list the address with its copies in the 'directory' of example.com",
    ):
        server_arguments(entries, "mx.cloud.example.net")
    entries[0]["directory"].append({**own, "site": "hq"})
    for host in ("mx1.example.com", "mx.cloud.example.net"):
        copied = [route.get("copy") for route in server_arguments(entries, host)["routes"][0]["routes"]]
        assert copied.count(["cloud"]) == 1


def test_copies_that_a_site_would_send_on_to_another_unmanaged_one_are_refused_because_they_would_come_back() -> None:
    entries = split_map("hosted")
    entries[0]["sites"][2]["unknown"] = "archive"
    entries[0]["sites"].append({"name": "archive", "relay": "mx.archive.example", "unknown": "hq"})
    with pytest.raises(InvalidInput, match="for the site hosted, which forwards what it does not know to archive"):
        server_arguments(entries, "mx1.example.com")
    entries[0]["sites"][2]["unknown"] = "cloud"
    assert server_arguments(entries, "mx1.example.com")["routes"]


@pytest.mark.parametrize("name", ["Cloud", "cloud-", "CLOUD_"])
def test_two_sites_whose_copies_would_travel_under_one_name_are_refused(name: str) -> None:
    entries = split_map()
    entries[0]["sites"][2]["name"] = name
    with pytest.raises(InvalidInput, match=f"the sites cloud and {name} of example.com have names that mean the same"):
        server_arguments(entries, "mx1.example.com")
    (settings,) = server_arguments(split_map(), "mx1.example.com")["domains"]
    settings["peers"][1]["site"] = name
    with pytest.raises(InvalidInput, match="have names that mean the same"):
        parse_settings(settings)


@given(st.lists(SITE_NAMES, unique=True, max_size=4))
def test_sites_that_are_not_refused_have_copies_of_different_names(sites: list[str]) -> None:
    try:
        refuse_like_names(sites, "example.com")
    except InvalidInput:
        return
    names = {copy_domain(site, "example.com") for site in sites}
    assert len(names) == len(sites)
    assert all(canonical_domain(name) == name for name in names)
