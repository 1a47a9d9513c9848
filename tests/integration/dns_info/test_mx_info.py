# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_info: what is told of sound names, the routing mode, other servers than those named, and bad input.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from internet import Internet, started_internet
from split_network import network
from zones import BACKUP_MAIL, FIRST, MAIL, NOBODY, SECOND, Zone

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ResolverUseless
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.fan_out import FanOut, NoReply, Query
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.mx_information import inform_about_mx

ZONES = [
    Zone(
        "plain.xa",
        "@ MX 10 mail\n@ MX 20 mail2\nmail AAAA 2001:db8::25\nonly-backup MX 10 other\nonly-backup MX 20 mail\n"
        "elsewhere MX 10 other\nnull MX 0 .\nimplicit A 198.51.100.25\nalias CNAME @\nlost MX 10 mail.dead.xa.\n"
        "xn--bcher-kva MX 10 mail\na.b.c MX 10 mail\n",
    ),
    Zone("dead.xa", servers=("ns4",)),
    # The world asks the first server, which the second, a hidden primary, is ahead of.
    Zone("hidden.xa", "@ MX 10 mail\n", "@ MX 10 mail2\n", serial_of_second=2, servers=("ns1",)),
]


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    with started_internet(ZONES, {}) as running:
        yield running


def told(internet: Internet, *names: str, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = inform_about_mx(internet.params(*names, **options), False).values["names"]
    return found


def test_everything_about_a_sound_domain_is_told(internet):
    (found,) = told(internet, "plain.xa")
    mx = [{"preference": 10, "exchange": "mail.plain.xa"}, {"preference": 20, "exchange": "mail2.plain.xa"}]
    assert 0 < found.pop("ttl_left") <= 300
    assert 0 < found["resolved"].pop("ttl") <= 300
    server = {"answer": "authoritative", "detail": None, "serial": 1, "ttl": 300, "mx": mx}
    exchange = {"alias_of": None, "exists": True, "problem": None}
    assert found == {
        "name": "plain.xa",
        "zone": "plain.xa",
        "published": "mx",
        "mx": mx,
        "ttl": 300,
        "resolved": {"mx": mx},
        "servers": [
            {"server": "ns1.plain.xa", "address": FIRST, **server},
            {"server": "ns2.plain.xa", "address": SECOND, **server},
        ],
        "exchanges": [
            {"exchange": "mail.plain.xa", "addresses": [MAIL, "2001:db8::25"], **exchange},
            {"exchange": "mail2.plain.xa", "addresses": [BACKUP_MAIL], **exchange},
        ],
        "faults": [],
        "routing_mode": None,
        "routing_reason": None,
    }


@pytest.mark.parametrize("own_address", [MAIL, "2001:DB8:0::25", f"::ffff:{MAIL}"])
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("plain.xa", "local"),
        ("only-backup.plain.xa", "backup"),
        ("elsewhere.plain.xa", "remote"),
        ("null.plain.xa", "remote"),
        ("alias.plain.xa", "local"),
        ("lost.plain.xa", "unresolvable"),
        ("dead.xa", "unresolvable"),
        ("nobody.plain.xa", "unresolvable"),
    ],
)
def test_the_routing_mode_follows_for_given_own_addresses(internet, name, mode, own_address):
    (found,) = told(internet, name, own_addresses=[own_address])
    assert found["routing_mode"] == mode and found["routing_reason"]


def test_an_address_without_mx_records_is_the_exchange(internet):
    (found,) = told(internet, "implicit.plain.xa", own_addresses=[MAIL])
    assert (found["published"], found["mx"], found["routing_mode"]) == ("address", [], "local")
    assert [one["exchange"] for one in found["exchanges"]] == ["implicit.plain.xa"]


def test_the_zone_is_found_at_any_depth(internet):
    found = told(internet, "a.b.c.plain.xa", "not.there.at.all.plain.xa", "xa", "no-such-domain")
    assert [one["zone"] for one in found] == ["plain.xa", "plain.xa", "xa", "."]


def test_names_come_back_once_each_in_their_order_and_one_form(internet):
    found = told(internet, "Plain.XA.", "bücher.plain.xa", "plain.xa", "null.plain.xa", ".")
    assert [one["name"] for one in found] == ["plain.xa", "xn--bcher-kva.plain.xa", "null.plain.xa", "."]


def test_check_mode_tells_the_same_and_nothing_is_ever_changed(internet):
    params = internet.params("elsewhere.plain.xa")
    checked, run = inform_about_mx(params, True), inform_about_mx(params, False)
    assert not checked.changed and not run.changed and checked.diffs == ()
    assert checked.values["names"][0]["servers"] == run.values["names"][0]["servers"]


@pytest.mark.parametrize("server", [SECOND, "ns2.plain.xa"], ids=["by address", "by name"])
def test_a_hidden_primary_is_asked_in_place_of_the_named_servers(internet, server):
    (found,) = told(internet, "hidden.xa", servers=[server])
    assert [(one["server"], one["serial"]) for one in found["servers"]] == [(server, 2)]
    assert (found["zone"], [one["exchange"] for one in found["mx"]]) == ("hidden.xa", ["mail2.hidden.xa"])
    assert [fault["code"] for fault in found["faults"]] == ["resolver_has_other_set"]


def test_a_given_server_that_does_not_have_the_zone_is_a_fault_and_no_absence(internet):
    (found,) = told(internet, "nowhere.example", servers=[FIRST])
    assert [(one["answer"], one["detail"]) for one in found["servers"]] == [("error", "REFUSED")]
    assert "server_error" in [fault["code"] for fault in found["faults"]]


def test_a_given_server_that_does_not_answer_is_a_fault_and_the_resolver_tells_the_set(internet):
    (found,) = told(internet, "plain.xa", servers=[NOBODY])
    assert [one["answer"] for one in found["servers"]] == ["silent"]
    assert [one["exchange"] for one in found["mx"]] == ["mail.plain.xa", "mail2.plain.xa"]
    assert [fault["code"] for fault in found["faults"]] == ["server_silent", "no_server_answers"]


def test_a_resolver_that_is_not_there_fails_the_task_with_its_address(internet):
    with pytest.raises(ResolverUseless, match=f"{NOBODY}.*the option resolver"):
        told(internet, "plain.xa", resolver=[NOBODY], resolver_port=53)


def test_a_way_that_this_host_does_not_have_is_not_the_fault_of_the_server():
    with network() as isolated:
        query = Query("203.0.113.1", "plain.xa", "MX")
        answer = isolated.at("cloud", FanOut(53, 1).ask, [query])[query]
    assert isinstance(answer, NoReply) and not answer.was_asked


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"names": ["plain.xa", "two..dots"]}, r"names\[1\].*empty label"),
        ({"names": ["192.0.2.1"]}, "IP address"),
        ({"names": [""]}, "is empty"),
        ({"own_addresses": ["mx1.example.com"]}, "'mx1.example.com' is no IP address"),
        ({"servers": ["ns 1"]}, "the option servers names no name server"),
        ({"resolver": ["resolver.example.com"]}, "the option resolver has 'resolver.example.com'"),
        ({"port": 0}, "the option port is 0"),
        ({"resolver_port": 65536}, "the option resolver_port is 65536"),
        ({"timeout": 0.0}, "the option timeout is 0"),
        ({"timeout": float("nan")}, "the option timeout is nan"),
    ],
)
def test_bad_input_is_refused_before_anything_is_asked(internet, options, reason):
    with pytest.raises(InvalidInput, match=reason):
        inform_about_mx({**internet.params("plain.xa", resolver=[NOBODY]), **options}, False)
