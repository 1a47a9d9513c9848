# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records on name servers of every make: check mode and the run tell alike what a key may not do.

from __future__ import annotations

from typing import Any

import pytest
from authoritative_server import READER, WRITER, AuthoritativeServer

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}
# In the zone locked.example, where only 10 mx1.example.com stands, each of these is something to be written.
DUE = [
    {"state": "exact", "mx": [MX2]},
    {"state": "exact", "mx": []},
    {"state": "present", "mx": [MX2]},
    {"state": "absent", "mx": [MX1]},
]


def predicted_and_met(params: dict[str, Any]) -> failures.DnsFailure:
    """Give the failure of a run, after check mode has told the same."""
    told = []
    for check_mode in (True, False):
        with pytest.raises(failures.DnsFailure) as caught:
            publish_mx_records(params, check_mode)
        told.append(caught.value)
    assert str(told[0]) == str(told[1]) and "\n" not in str(told[0])
    return told[1]


def rcodes(server: AuthoritativeServer, key: str | None) -> tuple[str, ...]:
    """Give what a server may say to a key that it does not let write, or to nobody."""
    if server.brand != "Knot DNS":
        return ("REFUSED",)
    return ("BADKEY",) if key else ("NOTAUTH",)


@pytest.mark.parametrize("wish", DUE, ids=lambda wish: f"{wish['state']} {len(wish['mx'])}")
@pytest.mark.parametrize("key", [WRITER, None])
def test_a_zone_that_nobody_may_write_is_left_alone_whatever_is_wanted(server, wish, key):
    error = predicted_and_met(server.params({"name": "locked.example", **wish}, key=key))
    assert "locked.example" in str(error) and f"127.0.0.1 port {server.port}" in str(error)
    assert any(rcode in str(error) for rcode in rcodes(server, key))
    assert server.mx("locked.example") == [(10, "mx1.example.com.", 300)]


@pytest.mark.parametrize("key", [READER, None])
def test_who_may_not_write_a_zone_that_others_may_is_told_what_to_do(server, key):
    error = predicted_and_met(server.params({"name": "example.com", "mx": [MX1]}, key=key))
    assert any(rcode in str(error) for rcode in rcodes(server, key))
    assert (key or "name a key that may update the zone with key_name") in str(error)
    assert server.mx("example.com") == []


def test_one_locked_zone_among_others_stops_check_mode_as_it_stops_the_run(server):
    wishes = [{"name": "example.com", "mx": [MX1]}, {"name": "locked.example", "mx": [MX2]}]
    with pytest.raises(failures.DnsFailure, match=r"locked\.example"):
        publish_mx_records(server.params(*wishes), True)
    assert server.mx("example.com") == []
    with pytest.raises(failures.PartlyWritten, match=r"written: example\.com \(1 name\); not written: locked\.example"):
        publish_mx_records(server.params(*wishes), False)


def test_nothing_is_refused_where_nothing_is_to_be_written(server):
    wish = {"name": "locked.example", "mx": [MX1]}
    assert not publish_mx_records(server.params(wish), True).changed
    assert not publish_mx_records(server.params(wish), False).changed
