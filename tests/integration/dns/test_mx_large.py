# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records on name servers of every make: large sets, and many names over many zones in one task.

from __future__ import annotations

from collections.abc import Iterator

import pytest
from authoritative_server import AuthoritativeServer, Zone
from conftest import STARTERS
from update_relay import relay_to

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

NAMES, ZONES = 10_000, 50


def exchanges(count: int) -> list[dict[str, object]]:
    return [{"preference": number, "exchange": f"mx{number}.example.org"} for number in range(count)]


def test_a_set_of_a_hundred_exchanges_is_written_changed_and_removed(server):
    wish = {"name": "large.example.com", "mx": exchanges(100)}
    assert publish_mx_records(server.params(wish), True).changed
    assert publish_mx_records(server.params(wish), False).changed
    assert len(server.mx("large.example.com")) == 100
    assert not publish_mx_records(server.params(wish), False).changed
    assert publish_mx_records(server.params({**wish, "ttl": 60}), False).changed
    assert {ttl for _preference, _exchange, ttl in server.mx("large.example.com")} == {60}
    assert publish_mx_records(server.params({**wish, "mx": []}), False).changed
    assert server.mx("large.example.com") == []


def test_more_exchanges_than_bind_takes_of_one_name_are_refused_by_it_alone_with_nothing_written(server):
    wish = {"name": "large.example.com", "mx": exchanges(101)}
    if server.brand == "BIND":
        with pytest.raises(failures.ServerRefused, match=r"SERVFAIL.*max-records-per-type"):
            publish_mx_records(server.params({"name": "other.example.com", "mx": exchanges(1)}, wish), False)
        assert server.held_mx("example.com") == {}
    else:
        assert publish_mx_records(server.params(wish), False).changed
        assert len(server.mx("large.example.com")) == 101


@pytest.fixture(params=STARTERS)
def with_many_zones(request: pytest.FixtureRequest) -> Iterator[AuthoritativeServer]:
    with STARTERS[request.param]({f"zone{number}.example": Zone() for number in range(ZONES)}) as running:
        yield running


def test_ten_thousand_names_over_fifty_zones_take_one_connection_and_one_update_a_zone(with_many_zones):
    records = [{"preference": 10, "exchange": "mx.example.org"}]
    wishes = [{"name": f"n{number}.zone{number % ZONES}.example", "mx": records} for number in range(NAMES)]
    params = with_many_zones.params(*wishes, timeout=20.0)
    with relay_to(with_many_zones) as relay:
        outcome = publish_mx_records({**params, "port": relay.port}, False)
        assert (relay.connections, len(relay.updates)) == (1, ZONES)
    assert sum(one["changed"] for one in outcome.values["record_sets"]) == NAMES
    for number in range(ZONES):
        held = with_many_zones.held_mx(f"zone{number}.example")
        assert len(held) == NAMES // ZONES
        assert set(map(tuple, held.values())) == {((10, "mx.example.org"),)}
    assert not publish_mx_records(params, False).changed
