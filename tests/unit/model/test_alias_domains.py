# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of alias domains: each address has one in every name of its domain, and a name stands for one domain.

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import mx_record_sets, plan_server
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.model.aliases import alias_lines
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import parse_settings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import Rewriting, RoutesText
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import parse_alias_domains
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

SITES = [
    {"name": "hq", "role": "master", "hosts": ["mx1.example.com"], "unknown": "cloud"},
    {"name": "cloud", "hosts": ["mx.cloud.example.net"], "subdomain": "cloud.example.com"},
]
OTHER_SITES = [{"name": "a", "role": "master", "hosts": ["mx1.example.com"]}, {"name": "b", "relay": "b.example.org"}]
MAP: list[dict[str, Any]] = [
    {"domain": "example.com", "alias_domains": ["Example.NET.", "bücher.example"], "sites": SITES}
]
NAMES = st.sampled_from(["ann", "bob", "cyd"])
DESTINATIONS = st.sampled_from(
    [None, Relay("mx.example.net"), Rewriting("cloud.example.com"), Rewriting("b.example", "x")]
)


def test_names_are_taken_in_every_spelling() -> None:
    assert parse_alias_domains(["bücher.example", "Example.NET."], "example.com") == (
        "example.net",
        "xn--bcher-kva.example",
    )
    assert parse_alias_domains(None, "example.com") == ()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("example.net", "a list of mail domains"),
        ([7], "write each as a mail domain"),
        (["exa mple.net"], "exa ********"),
        (["EXAMPLE.com"], "named as an alias domain of itself"),
    ],
)
def test_what_is_no_other_domain_is_refused(written: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_alias_domains(written, "example.com")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"domain": "example.net"}, "is a domain of"),
        ({"domain": "c.example", "alias_domains": ["example.net"]}, "is an alias domain of example.com"),
        ({"domain": "c.example", "sites": [SITES[0], {**SITES[1], "subdomain": "example.net"}]}, "an alias domain of"),
    ],
)
def test_a_name_stands_for_one_domain(other: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_split_map([*MAP, {"sites": OTHER_SITES, **other}])
    assert message in str(refusal.value)


def test_every_server_learns_the_names_and_they_have_the_domains_mx_set() -> None:
    mapped = parse_split_map([{**MAP[0], "mx": [{"preference": 10, "exchange": "mx1.example.com"}]}])
    for host in ("mx1.example.com", "mx.cloud.example.net"):
        plan = plan_server(mapped, host)
        assert (
            plan.settings[0].alias_domains == plan.routes[0].alias_domains == ("example.net", "xn--bcher-kva.example")
        )
        assert parse_settings(plan.settings[0].as_arguments()) == plan.settings[0]
    sets = {one["name"]: one["mx"] for one in mx_record_sets(mapped, "domains")}
    assert sorted(sets) == ["example.com", "example.net", "xn--bcher-kva.example"]
    assert sets["example.net"] == sets["example.com"]


@given(st.dictionaries(NAMES, DESTINATIONS))
def test_each_address_has_one_in_every_name_that_leads_to_it_alone(routes: dict[str, Any]) -> None:
    text = RoutesText.of("example.com", {Address("example.com", name): to for name, to in routes.items()})
    lines = [line.split("\t") for line in alias_lines(text, (), ("example.net", "b.net")).splitlines()]
    found = {left: right for left, right in lines if not left.endswith("@example.com")}
    assert found == {f"{name}@{other}": f"{name}@example.com" for name in routes for other in ("example.net", "b.net")}
    assert len(lines) == len({left for left, _right in lines})
