# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the faults that mx_info finds in real zones: exactly those that are there, each as one sentence.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from defective_server import refusing
from internet import Internet, started_internet
from zones import NOBODY, Zone

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.mx_information import inform_about_mx

# Names of the zone faults.xa: their records, and the codes and severities of the faults.
NAMES: dict[str, tuple[str, list[str]]] = {
    "sound": ("MX 10 mail", []),
    "alias-exchange": ("MX 10 alias", ["error exchange_is_alias"]),
    "lost-alias-exchange": ("MX 10 lost-alias", ["error exchange_is_alias", "error exchange_does_not_exist"]),
    "ipv4-exchange": ("MX 10 198.51.100.25.", ["error exchange_is_address"]),
    "underscore-exchange": ("MX 10 _mx", ["error exchange_is_no_host_name"]),
    "one-label-exchange": ("MX 10 localhost.", ["error exchange_is_no_host_name"]),
    "gone-exchange": ("MX 10 gone", ["error exchange_does_not_exist"]),
    "bare-exchange": ("MX 10 text", ["error exchange_without_address"]),
    "unresolvable-exchange": ("MX 10 mail.dead.xa.", ["warning exchange_not_resolvable"]),
    "loopback-exchange": ("MX 10 loop", ["error exchange_not_reachable"]),
    "unspecified-exchange": ("MX 10 zero", ["error exchange_not_reachable"]),
    "ipv6-loopback-exchange": ("MX 10 loop6", ["error exchange_not_reachable"]),
    "private-exchange": ("MX 10 private", ["warning exchange_private"]),
    "half-private-exchange": ("MX 10 half", []),
    "exchange-twice": ("MX 10 mail\nexchange-twice MX 20 mail", ["notice exchange_twice"]),
    "short-lived": ("10 MX 10 mail", ["notice ttl_short"]),
    "long-lived": ("2000000 MX 10 mail", ["notice ttl_long"]),
    "implicit": ("A 198.51.100.7", ["notice implicit_mx"]),
    "implicit-private": ("A 10.1.1.1", ["warning exchange_private", "notice implicit_mx"]),
    "text": ("TXT text", ["error no_exchanger"]),
    "by-alias": ("CNAME sound", ["notice name_is_alias"]),
    "lost-alias": ("CNAME gone", ["error no_such_name", "notice name_is_alias"]),
    "covered.wild": ("", ["notice wildcard"]),
    "below.covered.wild": ("", ["notice wildcard"]),
    "no-such-name": ("", ["error no_such_name"]),
}
OTHERS = (
    "alias CNAME mail\nloop A 127.0.0.1\nzero A 0.0.0.0\nloop6 AAAA ::1\nprivate A 10.0.0.1\nprivate AAAA fd00::1\n"
    "half A 10.0.0.1\nhalf A 203.0.113.25\n*.wild MX 10 mail\n_mx A 203.0.113.25\n"
)
RECORDS = "".join(f"{name} {record}\n" for name, (record, _codes) in NAMES.items() if record)
ZONES = {
    Zone("faults.xa", RECORDS + OTHERS): [],
    Zone("refusing.xa", "@ MX 10 mail\n", servers=("ns1", "ns3")): ["warning server_error"],
    Zone("lost-server.xa", "@ MX 10 mail\n", extra_servers=("ns9",)): ["warning server_without_address"],
    Zone("no-server-there.xa", "@ MX 10 mail\n", servers=("ns1", "ns4")): ["warning server_silent"],
    Zone("newer.xa", "@ MX 10 mail\n", "@ MX 10 mail2\n", serial_of_second=2): [
        "warning sets_differ",
        "notice serials_differ",
    ],
    Zone("wrapped.xa", "@ MX 10 mail\n", "@ MX 10 mail2\n", serial_of_second=2**32 - 1): [
        "warning sets_differ",
        "notice serials_differ",
    ],
    Zone("replaced.xa", "@ MX 10 mail\n"): [],
    Zone("dead.xa", servers=("ns4",)): [
        "error no_server_answers",
        "error not_resolvable",
        "warning server_silent",
    ],
    Zone("lost.xa", servers_of=Zone("dead.xa"), servers=("ns4",)): [
        "error no_server_answers",
        "error not_resolvable",
        "warning server_silent",
    ],
}
EXPECTED = {
    **{f"{name}.faults.xa": codes for name, (_record, codes) in NAMES.items()},
    **{zone.name: codes for zone, codes in ZONES.items() if zone.name != "faults.xa"},
}


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    with started_internet(list(ZONES), {"refusing.xa": refusing}) as running:
        yield running


@pytest.fixture(scope="module")
def findings(internet: Internet) -> dict[str, dict[str, Any]]:
    """What one call of mx_info says of all names."""
    return {found["name"]: found for found in inform_about_mx(internet.params(*EXPECTED), False).values["names"]}


@pytest.mark.parametrize("name", EXPECTED)
def test_exactly_the_faults_of_a_name_are_found_the_gravest_first(name, findings):
    faults = findings[name]["faults"]
    told = [f"{fault['severity']} {fault['code']}" for fault in faults]
    assert sorted(told) == sorted(EXPECTED[name])
    severities = [("error", "warning", "notice").index(fault["severity"]) for fault in faults]
    assert severities == sorted(severities)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_fault_is_one_sentence_that_names_the_thing_and_the_cure(name, findings):
    for fault in findings[name]["faults"]:
        what, colon, cure = fault["message"].rpartition(": ")
        zone = findings[name]["zone"]
        assert colon and cure and (name in what or zone in what)
        assert not fault["message"].endswith(".") and "\n" not in fault["message"] and "None" not in fault["message"]


@pytest.mark.parametrize(("zone", "newer"), [("newer.xa", "mail2.newer.xa"), ("wrapped.xa", "mail.wrapped.xa")])
def test_where_servers_differ_the_set_of_the_newest_zone_holds_across_the_end_of_serials(zone, newer, findings):
    assert [record["exchange"] for record in findings[zone]["mx"]] == [newer]


def test_the_zone_and_the_servers_of_a_dead_delegation_are_told_by_its_parent(findings):
    found = findings["dead.xa"]
    assert found["zone"] == "dead.xa" and found["published"] == "unknown"
    assert [(server["server"], server["address"]) for server in found["servers"]] == [("ns4.dead.xa", NOBODY)]


@pytest.mark.usefixtures("findings")
def test_an_older_set_that_the_resolver_still_has_is_told_with_the_time_it_stays(internet):
    params = internet.params("replaced.xa")
    assert inform_about_mx(params, False).values["names"][0]["faults"] == []
    for server in (internet.first, internet.second):
        server.load("replaced.xa", Zone("replaced.xa", "@ MX 10 other\n").text(serial=2))
    found = inform_about_mx(params, False).values["names"][0]
    assert [record["exchange"] for record in found["mx"]] == ["other.replaced.xa"]
    assert [record["exchange"] for record in found["resolved"]["mx"]] == ["mail.replaced.xa"]
    assert 0 < found["ttl_left"] <= 300
    assert [fault["code"] for fault in found["faults"]] == ["resolver_has_other_set"]
    assert f"for up to {found['ttl_left']} s" in found["faults"][0]["message"]
