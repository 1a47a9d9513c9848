# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records on name servers of every make: which zone a name is in, and names of every kind.

from __future__ import annotations

from typing import Any

import pytest
from authoritative_server import AuthoritativeServer
from update_relay import relay_to

from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}
SHOWN1 = [(10, "mx1.example.com.", 3600)]
DEEP = "a.b.c.d.e.example.com"


def publish(server: AuthoritativeServer, *record_sets: dict[str, Any], check_mode: bool = False) -> Outcome:
    return publish_mx_records(server.params(*record_sets), check_mode)


def zone_of(outcome: Outcome) -> str:
    zone: str = outcome.values["record_sets"][0]["zone"]
    return zone


@pytest.mark.parametrize("depth", range(6))
def test_a_zone_is_found_from_a_name_at_any_depth_though_the_names_between_do_not_exist(server, depth):
    name = "".join(f"{label}." for label in "abcde"[5 - depth :]) + "example.com"
    assert zone_of(publish(server, {"name": name, "mx": [MX1]})) == "example.com"
    assert server.mx(name) == SHOWN1
    again = publish(server, {"name": name, "mx": [MX1]})
    assert not again.changed and zone_of(again) == "example.com"
    assert publish(server, {"name": name, "mx": []}).changed
    assert server.held_mx("example.com") == {}


def test_a_name_that_exists_only_because_names_below_it_do_gets_a_set_and_loses_it_again(server):
    publish(server, {"name": DEEP, "mx": [MX1]})
    between = {"name": "c.d.e.example.com", "mx": [MX2]}
    assert publish(server, between, check_mode=True).changed
    assert publish(server, between).changed
    assert not publish(server, between).changed
    assert publish(server, {**between, "mx": []}).changed
    assert server.mx("c.d.e.example.com") == [] and server.mx(DEEP) == SHOWN1
    assert not publish(server, {**between, "mx": []}).changed


def test_the_apex_may_be_written_as_an_at_sign_and_keeps_all_else_that_it_has(server):
    outcome = publish(server, {"name": "@", "zone": "example.net", "mx": [MX1]})
    assert outcome.values["record_sets"][0]["name"] == "example.net"
    assert publish(server, {"name": "@", "zone": "example.net", "mx": []}).changed
    assert [len(server.query("example.net", rdtype).answer) for rdtype in ("MX", "NS", "SOA")] == [0, 1, 1]


def test_a_name_in_a_child_zone_on_the_same_server_is_written_there_and_not_in_the_parent(server):
    names = ["child.example.net", "a.b.child.example.net"]
    outcome = publish(server, *[{"name": name, "mx": [MX1]} for name in names])
    assert [one["zone"] for one in outcome.values["record_sets"]] == ["child.example.net"] * 2
    assert sorted(server.held_mx("child.example.net")) == sorted(names)
    assert server.held_mx("example.net") == {}


@pytest.mark.parametrize("name", ["child.example.net", "a.child.example.net"])
def test_a_name_of_a_child_zone_is_refused_when_the_parent_is_given_as_its_zone(server, name):
    with pytest.raises(failures.ZoneMismatch, match=r"in the zone child\.example\.net, not in example\.net"):
        publish(server, {"name": name, "zone": "example.net", "mx": [MX1]})
    assert server.held_mx("example.net") == server.held_mx("child.example.net") == {}


@pytest.mark.parametrize("name", ["sub.example.com", "a.sub.example.com"])
@pytest.mark.parametrize("state", ["exact", "present", "absent"])
def test_a_name_of_a_child_zone_on_another_server_is_never_written_above_the_delegation(server, name, state):
    with pytest.raises(failures.ZoneMismatch, match=r"not authoritative .* servers of sub\.example\.com"):
        publish(server, {"name": name, "state": state, "mx": [MX1]})
    assert server.held_mx("example.com") == {}


@pytest.mark.parametrize("state", ["exact", "present", "absent"])
def test_a_zone_that_is_not_served_there_is_an_error_and_not_an_empty_set(server, state):
    with pytest.raises(failures.ServerRefused, match=r"the query for elsewhere\.example with REFUSED"):
        publish(server, {"name": "elsewhere.example", "state": state, "mx": [MX1]})


def test_exchanges_that_the_server_does_not_know_are_not_objected_to(server):
    foreign = [
        {"preference": 10, "exchange": "mx.elsewhere.example"},
        {"preference": 20, "exchange": "mx.sub.example.com"},
        {"preference": 30, "exchange": "mx1.closed.example"},
    ]
    outcome = publish(server, {"name": "example.com", "mx": foreign})
    assert outcome.changed and not outcome.warnings
    assert len(server.mx("example.com")) == 3


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_zone_about_which_the_key_may_not_even_ask_is_an_error(server, check_mode):
    with pytest.raises(failures.DnsFailure, match=r"closed\.example"):
        publish(server, {"name": "closed.example", "mx": [MX1]}, check_mode=check_mode)


def test_an_exchange_that_is_an_alias_is_refused_before_anything_is_written(server):
    wish = {"name": "example.net", "mx": [MX1, {"preference": 20, "exchange": "alias.example.com"}]}
    with pytest.raises(failures.AliasInTheWay, match=r"alias\.example\.com is an alias of mx1\.example\.com"):
        publish(server, wish)
    assert server.held_mx("example.net") == {}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_name_that_is_an_alias_gets_no_set(server, check_mode):
    with pytest.raises(failures.AliasInTheWay, match=r"alias\.example\.com .* mx1\.example\.com"):
        publish(server, {"name": "alias.example.com", "mx": [MX1]}, check_mode=check_mode)


@pytest.mark.parametrize("owner", ["*.example.com", "*.d.e.example.com"])
def test_a_wildcard_is_an_owner_like_any_other(server, owner):
    assert publish(server, {"name": owner, "mx": [MX1]}).changed
    assert server.held_mx("example.com") == {owner: [(10, "mx1.example.com")]}
    assert not publish(server, {"name": owner, "mx": [MX1]}).changed
    assert publish(server, {"name": owner, "state": "present", "mx": [MX2]}).changed
    assert publish(server, {"name": owner, "state": "absent", "mx": [MX1]}).changed
    assert server.held_mx("example.com") == {owner: [(20, "mx2.example.com")]}
    assert publish(server, {"name": owner, "mx": []}).changed
    assert server.held_mx("example.com") == {}


def test_a_name_under_a_wildcard_gets_and_loses_a_set_of_its_own(server):
    publish(server, {"name": "*.example.com", "mx": [MX1]})
    for wanted in ([MX1], [MX2], []):
        predicted = publish(server, {"name": "own.example.com", "mx": wanted}, check_mode=True)
        done = publish(server, {"name": "own.example.com", "mx": wanted})
        assert done.changed and predicted == done
        assert not publish(server, {"name": "own.example.com", "mx": wanted}).changed
        assert len(server.held_mx("example.com")) == 1 + len(wanted)
    assert server.mx("own.example.com") == SHOWN1


def test_international_owners_and_exchanges_are_written_as_a_labels_and_found_again(server):
    exchange = {"preference": 10, "exchange": "mäil.bücher.example"}
    wish = {"name": "Büro.bücher.example", "mx": [exchange]}
    zone = "xn--bcher-kva.example"
    assert zone_of(publish(server, wish, {"name": "@", "zone": "bücher.example", "mx": [MX1]})) == zone
    assert server.held_mx(zone) == {
        zone: [(10, "mx1.example.com")],
        f"xn--bro-hoa.{zone}": [(10, f"xn--mil-qla.{zone}")],
    }
    assert not publish(server, {"name": f"XN--BRO-HOA.{zone.upper()}.", "mx": [exchange]}).changed


def test_names_that_somebody_wrote_in_capitals_are_the_same_names(server):
    server.nsupdate("zone example.com", "update add Office.Example.COM 300 MX 10 MX1.Example.Com.")
    assert not publish(server, {"name": "office.example.com", "mx": [MX1]}).changed
    assert publish(server, {"name": "office.example.com", "state": "present", "mx": [MX2]}).changed
    assert server.mx("office.example.com") == [(10, "mx1.example.com.", 300), (20, "mx2.example.com.", 300)]
    assert publish(server, {"name": "office.example.com", "state": "absent", "mx": [MX1]}).changed
    assert server.mx("office.example.com") == [(20, "mx2.example.com.", 300)]


def test_all_kinds_of_names_take_one_connection_together(server):
    names = [DEEP, "@", "*.example.com", "child.example.net", "bücher.example"]
    wishes = [{"name": name, "zone": "example.com" if name == "@" else None, "mx": [MX1]} for name in names]
    with relay_to(server) as relay:
        assert publish_mx_records(server.params(*wishes, port=relay.port), False).changed
        assert relay.connections == 1
