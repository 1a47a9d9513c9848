# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of a catch-all in the map: where it may stand, and what servers are told of it.

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import (
    probe_arguments,
    server_arguments,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.aliases import alias_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import Rewriting, RoutesText
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay


def split_map(hq: dict[str, Any], cloud: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [
        {
            "domain": "example.com",
            "directory": [
                {"address": "info@example.com", "site": "hq"},
                {"address": "bob@example.com", "site": "cloud"},
            ],
            "sites": [
                {"name": "hq", "role": "master", "hosts": ["mx1.example.com"], **hq},
                {"name": "cloud", "hosts": ["mx.cloud.example.net"], "unknown": "hq", **(cloud or {})},
            ],
        }
    ]


CATCHING = {"catch_all": "Info@Example.com"}


def test_the_servers_of_the_site_are_told_and_no_others() -> None:
    hq = server_arguments(split_map(CATCHING), "mx1.example.com")
    cloud = server_arguments(split_map(CATCHING), "mx.cloud.example.net")
    assert (hq["domains"][0]["catch_all"], cloud["domains"][0]["catch_all"]) == ("info@example.com", None)
    assert (hq["routes"][0]["catch_all"], cloud["routes"][0]["catch_all"]) == (True, False)


def test_nobody_is_expected_to_be_refused_where_a_site_takes_everybody() -> None:
    asked = [
        recipient["expect"]
        for host in ("mx1.example.com", "mx.cloud.example.net")
        for probe in probe_arguments(split_map(CATCHING), host, 3)
        for recipient in probe["recipients"]
    ]
    assert set(asked) == {"accepted"}


@pytest.mark.parametrize(
    ("hq", "cloud", "reason"),
    [
        ({**CATCHING, "unknown": "cloud"}, {"unknown": None}, "cannot do the one after the other has refused"),
        (CATCHING, {"catch_all": "bob@example.com", "unknown": None}, "has the catch_all of two sites, hq and cloud"),
        (CATCHING, {"directory": [{"address": "eve@example.com"}]}, "would swallow mail for the users in the 'direc"),
        ({**CATCHING, "verification_address": "info@example.com"}, {}, "says that it refuses somebody"),
        ({"catch_all": "info@example.net"}, {}, "does not belong to the split domain example.com"),
        ({"catch_all": "bob@example.com"}, {}, "which no directory lists as a mailbox of that site"),
        ({"catch_all": "new@example.com"}, {}, "which no directory lists as a mailbox of that site"),
        ({"catch_all": 3}, {}, "has catch_all 3: write one address"),
        ({"catch_all": "@example.com"}, {}, "has a catch_all that cannot be used"),
    ],
)
def test_a_catch_all_that_would_swallow_others_or_get_nothing_is_refused(
    hq: dict[str, Any], cloud: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        server_arguments(split_map(hq, cloud), "mx1.example.com")
    assert reason in str(refused.value)


def test_every_address_with_a_route_is_kept_from_a_catch_all_once() -> None:
    routes: dict[str, Any] = {
        "ann": None,
        "bob": Relay("mx.example.net"),
        "cyd": Rewriting("c.example.com"),
        "dan": None,
    }
    text = RoutesText.of(
        "example.com",
        {Address("example.com", name): to for name, to in routes.items()},
        {Address("example.com", "dan"): ["cloud"]},
    )
    lines = alias_lines(text, (), (), catch_all=True).splitlines()
    assert sorted(line.partition("\t")[0] for line in lines) == [f"{name}@example.com" for name in sorted(routes)]
    assert "ann@example.com\tann@example.com" in lines
    assert "cyd@example.com\tcyd@c.example.com" in lines
