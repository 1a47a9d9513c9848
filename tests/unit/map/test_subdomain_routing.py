# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of subdomain routing as the map has it: who rewrites what, in which order, and what is asked of others before.

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import (
    foreign_subdomains,
    mx_record_sets,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.map.subdomains import (
    new_subdomains,
    subdomain_objections,
    subdomain_probe_arguments,
    subdomains_first,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import parse_settings

USERS = [
    {"address": "ann@example.com", "site": "hq"},
    {"address": "bob@example.com", "site": "cloud"},
    {"address": "cyd@example.com", "site": "cloud"},
]


def split_map(**cloud: Any) -> list[dict[str, Any]]:
    site = {"name": "cloud", "hosts": ["mx.cloud.example.net"], "subdomain": "cloud.example.com", **cloud}
    return [
        {
            "domain": "example.com",
            "directory": USERS,
            "mx": [{"preference": 10, "exchange": "mx1.example.com"}],
            "sites": [
                {"name": "hq", "role": "master", "hosts": ["mx1.example.com"]},
                {key: value for key, value in site.items() if value is not None},
            ],
        }
    ]


EXTERNAL = split_map(hosts=None, relay="mx.cloud.example.net")


def test_other_sites_rewrite_and_the_site_itself_knows_its_sub_domain() -> None:
    hq = server_arguments(split_map(), "mx1.example.com")
    cloud = server_arguments(split_map(), "mx.cloud.example.net")
    assert [route["to"] for route in hq["routes"][0]["routes"]] == ["local", "@cloud.example.com", "@cloud.example.com"]
    assert (hq["routes"][0]["subdomain"], cloud["routes"][0]["subdomain"]) == (None, "cloud.example.com")
    assert (hq["routes"][0]["rewrites"], cloud["routes"][0]["rewrites"]) == (True, False)
    assert (hq["domains"][0]["subdomain"], cloud["domains"][0]["subdomain"]) == (None, "cloud.example.com")
    assert [peer["subdomain"] for peer in hq["domains"][0]["peers"]] == ["cloud.example.com"]
    assert [peer["subdomain"] for peer in cloud["domains"][0]["peers"]] == [None]


def test_directory_files_are_rewritten_in_bulk(tmp_path: Any) -> None:
    (tmp_path / "all.csv").write_text("address,site\nann@example.com,hq\nbob@example.com,cloud\n")
    (entry,) = split_map()
    entry["directory"] = "all.csv"
    found = server_arguments([entry], "mx1.example.com", search=[str(tmp_path)])
    assert found["routes"][0]["sites"] == {"hq": "local", "cloud": "@cloud.example.com"}


def test_before_the_sub_domain_takes_mail_it_goes_to_the_relay() -> None:
    found = server_arguments(split_map(), "mx1.example.com", rewriting=False)["routes"][0]
    assert [route["to"] for route in found["routes"]] == ["local", *["[mx.cloud.example.net]:25"] * 2]


def test_the_records_of_sub_domains_can_be_published_before_those_of_domains() -> None:
    mapped = parse_split_map(split_map())
    names = {of: [one["name"] for one in mx_record_sets(mapped, of)] for of in ("all", "domains", "subdomains")}
    assert names == {
        "all": ["example.com", "cloud.example.com"],
        "domains": ["example.com"],
        "subdomains": ["cloud.example.com"],
    }


@pytest.mark.parametrize(
    ("subdomain", "publishing", "names"),
    [
        ("cloud.example.com", True, []),
        ("cloud.example.com", False, ["cloud.example.com"]),
        ("example.hosted.example", True, ["example.hosted.example"]),
    ],
)
def test_records_that_others_publish_are_looked_for(subdomain: str, publishing: bool, names: list[str]) -> None:
    assert foreign_subdomains(parse_split_map(split_map(subdomain=subdomain)), publishing) == names


def settings(own: str | None, other: str | None, unknown: str | None = None) -> dict[str, Any]:
    peer = {"site": "cloud", "relay": {"host": "mx.cloud.example.net"}, "subdomain": other}
    written = {"domain": "example.com", "subdomain": own, "unknown": unknown, "peers": [peer]}
    return parse_settings(written).as_arguments()


def reported(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    return {"domain": "example.com", "before": before, "after": after, "changed": before != after}


def test_a_sub_domain_that_comes_is_added_to_what_stands_and_nothing_else_changes() -> None:
    (found,) = subdomains_first([reported(settings(None, None), settings("hq.example.com", "c.example.com", "cloud"))])
    assert found == {**settings("hq.example.com", "c.example.com"), "state": "present"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, settings("hq.example.com", "c.example.com")),
        (settings("hq.example.com", "c.example.com"), None),
        (settings("hq.example.com", "c.example.com"), settings(None, None)),
        (settings("hq.example.com", None), settings("hq.example.com", None, "cloud")),
    ],
)
def test_nothing_comes_first_where_a_domain_is_new_or_no_sub_domain_is(before: Any, after: Any) -> None:
    assert subdomains_first([reported(before, after)]) == []


@pytest.mark.parametrize(
    ("before", "after", "owner"),
    [
        (settings("a.example.com", None), settings("b.example.com", None), "this server's own site"),
        (settings(None, "a.example.com"), settings(None, "b.example.com"), "the site cloud"),
    ],
)
def test_a_sub_domain_does_not_become_another_at_once(before: Any, after: Any, owner: str) -> None:
    with pytest.raises(InvalidInput, match=f"on {owner} has the subdomain a.example.com and would get b.example.com"):
        subdomains_first([reported(before, after)])


def test_new_are_the_sub_domains_of_peers_that_the_server_does_not_know_yet() -> None:
    assert new_subdomains([reported(None, settings(None, "c.example.com"))]) == {"c.example.com"}
    assert new_subdomains([reported(settings(None, "c.example.com"), settings(None, "c.example.com"))]) == set()
    assert new_subdomains([reported(settings(None, "c.example.com"), None)]) == set()


COMING = [reported(settings(None, None), settings(None, "cloud.example.com"))]


def test_a_site_that_is_not_managed_is_asked_for_its_users_and_a_stranger() -> None:
    (probe,) = subdomain_probe_arguments(EXTERNAL, COMING)
    assert (probe["host"], probe["port"]) == ("mx.cloud.example.net", 25)
    assert probe["recipients"] == [
        "bob@cloud.example.com",
        "cyd@cloud.example.com",
        "nobody-has-this-address@cloud.example.com",
    ]


def test_its_relay_is_asked_where_the_exchanges_are_not_in_the_map() -> None:
    external = split_map(hosts=None, relay={"host": "198.51.100.20", "port": 26}, subdomain="example.hosted.example")
    coming = [reported(None, settings(None, "example.hosted.example"))]
    (probe,) = subdomain_probe_arguments(external, coming)
    assert (probe["host"], probe["port"]) == ("198.51.100.20", 26)


def test_nobody_is_asked_for_a_managed_site_or_a_sub_domain_that_is_in_use() -> None:
    known = settings(None, "cloud.example.com")
    assert subdomain_probe_arguments(split_map(), COMING) == []
    assert subdomain_probe_arguments(EXTERNAL, [reported(known, known)]) == []


def answer(address: str, code: int) -> dict[str, Any]:
    verdict = {2: "accepted", 4: "deferred", 5: "refused"}[code // 100]
    return {"address": address, "code": code, "enhanced": None, "text": "said so", "verdict": verdict}


def answers(*codes: int) -> list[dict[str, Any]]:
    (item,) = subdomain_probe_arguments(EXTERNAL, COMING)
    return [{"item": item, "recipients": [answer(one, code) for one, code in zip(item["recipients"], codes)]}]


def test_a_site_that_takes_its_users_and_refuses_strangers_is_ready() -> None:
    assert subdomain_objections(answers(250, 250, 550)) == []


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        ((550, 250, 550), "does not take mail for bob@cloud.example.com yet, it answered 550 said so."),
        ((250, 450, 550), "does not take mail for cyd@cloud.example.com yet, it answered 450 said so."),
        ((250, 250, 250), "does not refuse nobody-has-this-address@cloud.example.com, whom nobody knows"),
        ((250, 250, 451), "does not refuse nobody-has-this-address@cloud.example.com, whom nobody knows"),
    ],
)
def test_what_is_not_ready_is_told_with_all_that_has_to_be_done(codes: tuple[int, ...], fault: str) -> None:
    (said,) = subdomain_objections(answers(*codes))
    assert fault in said
    for value in (
        "register cloud.example.com as an alias domain of example.com",
        "each of its 2 user(s) the address there, that is bob@cloud.example.com for bob@example.com, cyd@cloud",
        "nobody else at cloud.example.com",
        "The MX set of cloud.example.com becomes 10 mx.cloud.example.net",
    ):
        assert value in said


def test_a_site_that_cannot_be_asked_is_not_ready() -> None:
    (item,) = subdomain_probe_arguments(EXTERNAL, COMING)
    (said,) = subdomain_objections([{"item": item, "failed": True, "msg": "no connection could be opened"}])
    assert "could not be asked: no connection could be opened." in said
