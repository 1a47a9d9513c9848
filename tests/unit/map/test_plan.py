# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of plans: from any split map to what each of its servers is told.

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import (
    probe_arguments,
    server_arguments,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import (
    mx_record_sets,
    plan_server,
    roles_of_host,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import parse_settings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import parse_routes, show

NAMES = ("a", "b", "c", "d", "e")


@st.composite
def map_entries(draw: st.DrawFn) -> dict[str, Any]:
    """Domains of two to five sites, some external, whose sites forward to others without a long circle."""
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    sites = []
    for position, name in enumerate(names):
        # Only to an earlier site, but for the first: then the longest circle that can arise has two sites.
        earlier = names[:position] or names[1:2]
        site: dict[str, Any] = {
            "name": name,
            "role": "master" if position == 0 else draw(st.sampled_from(["master", "slave"])),
            "unknown": draw(st.one_of(st.none(), st.sampled_from(earlier))),
            "relay": {"host": f"relay.{name}.example.net", "port": draw(st.integers(1, 65535))},
            "call_ahead": draw(st.booleans()),
        }
        hosts = draw(st.integers(0, 2))
        if hosts:
            site["hosts"] = [f"mx{number}.{name}.example.net" for number in range(hosts)]
        if hosts and draw(st.booleans()):
            del site["relay"]
        elif draw(st.booleans()):
            site["relay"] = [site["relay"], f"other.{name}.example.net"]
        if draw(st.booleans()):
            site["clients"] = ["198.51.100.20"]
        if draw(st.booleans()):
            site["local_transport"] = f"lmtp:unix:{name}"
        sites.append(site)
    if not any(site.get("hosts") for site in sites[:2]):
        # Nobody would end a circle of two sites that are not managed.
        sites[0]["unknown"] = None
    if all(site["unknown"] for site in sites[:2]):
        # Sites that forward to each other have to ask first.
        for site in sites[:2]:
            site["call_ahead"] = True
    people = draw(st.dictionaries(st.from_regex(r"p[a-z]{1,3}", fullmatch=True), st.sampled_from(names), max_size=6))
    entry: dict[str, Any] = {"domain": "example.com", "sites": sites}
    if people:
        entry["directory"] = [{"address": f"{person}@example.com", "site": site} for person, site in people.items()]
    return entry


def relay_of(site: dict[str, Any]) -> str:
    return ",".join(f"[{host}]:{port}" for host, port in servers_of(site))


def servers_of(site: dict[str, Any]) -> list[tuple[str, int]]:
    relay = site.get("relay") or site["hosts"]
    servers = [
        {"host": one} if isinstance(one, str) else one for one in (relay if isinstance(relay, list) else [relay])
    ]
    return [(server["host"], server.get("port", 25)) for server in servers]


@given(map_entries())
def test_on_every_server_own_addresses_are_local_and_all_others_go_to_their_sites_relay(entry: dict[str, Any]) -> None:
    relays = {site["name"]: relay_of(site) for site in entry["sites"]}
    for site in entry["sites"]:
        for host in site.get("hosts", ()):
            found = {
                str(address): show(destination)
                for arguments in server_arguments([entry], host)["routes"]
                for address, destination in parse_routes(arguments["routes"], "example.com").items()
            }
            assert found == {
                row["address"]: "local" if row["site"] == site["name"] else relays[row["site"]]
                for row in entry.get("directory", ())
            }


@given(map_entries())
def test_no_plan_sends_anything_to_its_own_site(entry: dict[str, Any]) -> None:
    for site in entry["sites"]:
        for host in site.get("hosts", ()):
            arguments = server_arguments([entry], host)
            own_relay = relay_of(site)
            settings = parse_settings(arguments["domains"][0])
            assert site["name"] not in [peer.site for peer in settings.peers]
            assert str(settings.unknown_relay) != own_relay
            assert own_relay not in [route["to"] for route in arguments["routes"][0]["routes"]]


@given(map_entries())
def test_every_server_knows_all_other_sites_as_peers_and_its_own_sites_choices(entry: dict[str, Any]) -> None:
    for site in entry["sites"]:
        for host in site.get("hosts", ()):
            (arguments,) = server_arguments([entry], host)["domains"]
            others = [other for other in entry["sites"] if other is not site]
            assert [peer["site"] for peer in arguments["peers"]] == sorted(other["name"] for other in others)
            assert arguments["unknown"] == site["unknown"]
            assert arguments["call_ahead"] == site["call_ahead"]
            assert arguments["role"] == site["role"]
            assert arguments["local_transport"] == site.get("local_transport")
            for other in others:
                (peer,) = (peer for peer in arguments["peers"] if peer["site"] == other["name"])
                relay_hosts = {host for host, _port in servers_of(other)}
                assert set(peer["clients"]) == set(other.get("clients") or {*relay_hosts, *other.get("hosts", ())})


@given(map_entries())
def test_what_a_plan_says_is_what_the_module_reads(entry: dict[str, Any]) -> None:
    for site in entry["sites"]:
        for host in site.get("hosts", ()):
            (planned,) = plan_server(parse_split_map([entry]), host).settings
            assert parse_settings(planned.as_arguments()) == planned


MAP: list[dict[str, Any]] = [
    {
        "domain": "example.com",
        "mx": [{"preference": 10, "exchange": "mx1.example.com"}],
        "sites": [
            {"name": "hq", "role": "master", "hosts": ["mx1.example.com"], "unknown": "cloud"},
            {"name": "cloud", "role": "slave", "hosts": ["mx.cloud.example.net"], "unknown": "hq"},
        ],
    },
    {
        "domain": "example.org",
        "mx": [{"preference": 10, "exchange": "mx.cloud.example.net"}],
        "mx_ttl": 60,
        "sites": [
            {"name": "hq", "role": "slave", "hosts": ["mx1.example.com"]},
            {"name": "cloud", "role": "master", "hosts": ["mx.cloud.example.net"]},
        ],
    },
]


def test_a_server_is_planned_for_the_domains_of_a_role_or_of_all() -> None:
    def domains(role: str | None) -> list[str]:
        return [entry["domain"] for entry in server_arguments(MAP, "mx1.example.com", role)["domains"]]

    assert domains(None) == ["example.com", "example.org"]
    assert domains("master") == ["example.com"]
    assert domains("slave") == ["example.org"]
    assert roles_of_host(parse_split_map(MAP), "mx1.example.com") == ("master", "slave")


def test_a_stranger_has_nothing_to_do() -> None:
    assert server_arguments(MAP, "sender.example.org") == {"domains": [], "routes": []}
    assert probe_arguments(MAP, "sender.example.org", 5) == []
    assert roles_of_host(parse_split_map(MAP), "sender.example.org") == ()


def test_a_domain_that_is_no_longer_split_is_removed_and_its_directory_not_read() -> None:
    gone = [{**MAP[0], "state": "absent", "directory": "/nowhere/at/all.csv"}]
    assert server_arguments(gone, "mx1.example.com") == {
        "domains": [{"domain": "example.com", "state": "absent"}],
        "routes": [],
    }


def test_mx_records_are_those_of_present_domains_that_have_any() -> None:
    without = {key: value for key, value in MAP[1].items() if key != "mx"}
    assert mx_record_sets(parse_split_map(MAP)) == [
        {"name": "example.com", "mx": MAP[0]["mx"]},
        {"name": "example.org", "mx": MAP[1]["mx"], "ttl": 60},
    ]
    assert mx_record_sets(parse_split_map([without])) == []
    assert mx_record_sets(parse_split_map([{**MAP[1], "state": "absent"}])) == []


def test_sub_domains_have_sets_of_their_own_with_the_ttl_of_the_domain() -> None:
    hq, cloud = MAP[1]["sites"]
    given = [{"preference": 5, "exchange": "in.hosted.example.net"}]
    sites = [
        {**hq, "subdomain": "hq.example.org"},
        {**cloud, "subdomain": "org.example.net", "subdomain_mx": given},
    ]
    assert mx_record_sets(parse_split_map([{**MAP[1], "sites": sites}])) == [
        {"name": "example.org", "mx": MAP[1]["mx"], "ttl": 60},
        {"name": "hq.example.org", "mx": [{"preference": 10, "exchange": "mx1.example.com"}], "ttl": 60},
        {"name": "org.example.net", "mx": given, "ttl": 60},
    ]
    foreign = [{**hq, "subdomain": "example.org.hosted.example.net"}, cloud]
    assert [one["name"] for one in mx_record_sets(parse_split_map([{**MAP[1], "sites": foreign}]))] == ["example.org"]


def test_files_are_left_to_the_module_and_found_below_the_first_folder_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("address,site\nann@example.com,hq\nbob@example.com,cloud\n")
    (tmp_path / "cloud.csv").write_text("address\ncyd@example.com\n")
    entry = {**MAP[0], "directory": "all.csv"}
    entry["sites"] = [MAP[0]["sites"][0], {**MAP[0]["sites"][1], "directory": "cloud.csv"}]
    (hq,) = server_arguments([entry], "mx1.example.com", search=[str(tmp_path)])["routes"]
    (cloud,) = server_arguments([entry], "mx.cloud.example.net", search=[str(tmp_path)])["routes"]
    assert hq["src"] == [str(tmp_path / "all.csv")]
    assert hq["sites"] == {"hq": "local", "cloud": "[mx.cloud.example.net]:25"}
    # Only this site's servers know of the addresses in its own directory.
    assert cloud["src"] == [str(tmp_path / "all.csv"), str(tmp_path / "cloud.csv")]
    assert (cloud["site"], cloud["sites"]["cloud"]) == ("cloud", "local")
    assert hq["state"] == cloud["state"] == "exact"


@pytest.mark.parametrize(
    ("own_file", "message"),
    [
        ("address\nann@example.com\n", "ann@example.com is listed with two sites, hq ("),
        ("address,site\ncyd@example.com,clowd\n", "on the site 'clowd', which example.com does not have"),
        ("address\ncyd@example.net\n", "does not belong to the split domain example.com"),
    ],
)
def test_a_fault_in_any_sites_directory_stops_the_plan_of_every_server(
    tmp_path: Path, own_file: str, message: str
) -> None:
    (tmp_path / "cloud.csv").write_text(own_file)
    entry = {**MAP[0], "directory": [{"address": "ann@example.com", "site": "hq"}]}
    entry["sites"] = [MAP[0]["sites"][0], {**MAP[0]["sites"][1], "directory": "cloud.csv"}]
    for host in ("mx1.example.com", "mx.cloud.example.net"):
        with pytest.raises(InvalidInput) as refusal:
            server_arguments([entry], host, search=[str(tmp_path)])
        assert message in str(refusal.value)


def test_every_server_of_another_site_is_asked() -> None:
    cloud = {**MAP[0]["sites"][1], "hosts": ["mx.cloud.example.net", "mx2.cloud.example.net"]}
    first, second = probe_arguments([{**MAP[0], "sites": [MAP[0]["sites"][0], cloud]}], "mx1.example.com", sample=2)
    assert (first["host"], second["host"]) == ("mx.cloud.example.net", "mx2.cloud.example.net")
    assert first["recipients"] == second["recipients"]


def test_a_sub_domains_exchanges_are_the_servers_of_its_site_in_their_order() -> None:
    hq, cloud = MAP[1]["sites"]
    sites = [hq, {**cloud, "hosts": ["b.example.net", "a.example.net"], "subdomain": "cloud.example.org"}]
    (_domain, found) = mx_record_sets(parse_split_map([{**MAP[1], "sites": sites}]))
    assert found["mx"] == [
        {"preference": 10, "exchange": "b.example.net"},
        {"preference": 20, "exchange": "a.example.net"},
    ]


def test_a_server_asks_each_other_site_for_some_who_live_there_and_for_nobody() -> None:
    rows = [{"address": f"{name}@example.com", "site": "cloud"} for name in ("bob", "cyd", "dan")]
    entry = {**MAP[0], "directory": [{"address": "ann@example.com", "site": "hq"}, *rows]}
    (probe,) = probe_arguments([entry], "mx1.example.com", sample=2)
    assert (probe["host"], probe["port"], probe["tls"]) == ("mx.cloud.example.net", 25, "may")
    assert [(entry["address"].split("@")[0], entry["expect"]) for entry in probe["recipients"]] == [
        ("bob", "accepted"),
        ("cyd", "accepted"),
        ("nobody-has-this-address", "refused"),
    ]


def test_a_site_is_asked_for_its_verification_address_first_and_only_once() -> None:
    hq, cloud = MAP[0]["sites"]
    rows = [{"address": f"{name}@example.com", "site": "cloud"} for name in ("bob", "verify")]
    entry = {
        **MAP[0],
        "directory": [{"address": "ann@example.com", "site": "hq"}, *rows],
        "sites": [hq, {**cloud, "verification_address": "verify@example.com"}],
    }
    (probe,) = probe_arguments([entry], "mx1.example.com", sample=2)
    assert [(entry["address"].split("@")[0], entry["expect"]) for entry in probe["recipients"]] == [
        ("verify", "accepted"),
        ("bob", "accepted"),
    ]


def test_every_server_learns_the_verification_addresses_of_the_other_sites() -> None:
    hq, cloud = MAP[0]["sites"]
    entry = {**MAP[0], "sites": [hq, {**cloud, "verification_address": "verify@example.com"}]}
    for host, addresses in (("mx1.example.com", ["verify@example.com"]), ("mx.cloud.example.net", [None])):
        (domain,) = server_arguments([entry], host)["domains"]
        assert [peer["verification_address"] for peer in domain["peers"]] == addresses


def test_a_hosted_service_may_accept_what_nobody_forwards_to_it() -> None:
    hq = MAP[0]["sites"][0]
    hosted = {"name": "hosted", "relay": "hosted.example.net"}
    entry = {**MAP[0], "directory": [{"address": "bob@example.com", "site": "hosted"}]}
    for unknown, asked in ((None, ["bob"]), ("hosted", ["bob", "nobody-has-this-address"])):
        entry["sites"] = [{**hq, "unknown": unknown}, hosted]
        (probe,) = probe_arguments([entry], "mx1.example.com", sample=2)
        assert [one["address"].split("@")[0] for one in probe["recipients"]] == asked
