# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of rewriting: which address becomes which, and that none is rewritten for ever.

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.model.aliases import alias_lines, without_addresses
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import (
    Rewriting,
    RoutesText,
    parse_destination,
    parse_routes,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

NAMES = st.sampled_from(["ann", "bob", "cyd", "d.e-f"])
SUBDOMAINS = ("a.example.com", "b.example.com", "c.example.net")
DESTINATIONS = st.one_of(
    st.none(),
    st.just(Relay("mx.example.net")),
    st.builds(Rewriting, st.sampled_from(SUBDOMAINS), st.one_of(st.none(), NAMES)),
)


def lines_of(routes: dict[str, Any], *own: str) -> dict[str, str]:
    text = RoutesText.of("example.com", {Address("example.com", name): to for name, to in routes.items()})
    return dict(line.split("\t") for line in alias_lines(text, own).splitlines())


def test_addresses_elsewhere_are_rewritten_and_own_ones_have_an_address_in_the_own_sub_domain() -> None:
    routes = {
        "ann": None,
        "bob": Rewriting("cloud.example.com"),
        "cyd": Rewriting("cloud.example.com", "robert"),
        "dan": Relay("mx.example.net"),
    }
    assert lines_of(routes, "hq.example.com") == {
        "ann@hq.example.com": "ann@example.com",
        "bob@example.com": "bob@cloud.example.com",
        "cyd@example.com": "robert@cloud.example.com",
    }


@given(st.dictionaries(NAMES, DESTINATIONS), st.sets(st.sampled_from(SUBDOMAINS), max_size=2))
def test_no_address_is_rewritten_twice(routes: dict[str, Any], own: set[str]) -> None:
    try:
        found = lines_of(routes, *sorted(own))
    except InvalidInput:
        assert any(isinstance(to, Rewriting) and to.subdomain in own for to in routes.values())
        return
    assert not set(found) & set(found.values())


def test_a_rewriting_to_the_own_sub_domain_is_refused() -> None:
    with pytest.raises(InvalidInput, match="of this server's own site, which leads back to it"):
        lines_of({"ann": Rewriting("hq.example.com")}, "hq.example.com")


def test_lines_from_and_to_an_address_go_with_it() -> None:
    lines = "ann@hq.example.com\tann@example.com\nbob@example.com\tbob@cloud.example.com\nx@example.com\ty@z.net\n"
    gone = frozenset({"ann@example.com", "bob@example.com"})
    assert without_addresses(lines, gone) == "x@example.com\ty@z.net\n"


@pytest.mark.parametrize("text", ["@cloud.example.com", "bob@cloud.example.com", " Bob@Cloud.Example.COM. "])
def test_an_address_of_the_same_name_has_one_spelling(text: str) -> None:
    routes = parse_routes([{"address": "bob@example.com", "to": text}], "example.com")
    assert list(routes.values()) == [Rewriting("cloud.example.com")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bob@", "is not a mail address"),
        ("@", "rewritten to '@'"),
        ("|x@cloud.example.com", "holds the character '|'"),
        ("b b@cloud.example.com", "white space"),
    ],
)
def test_what_is_no_address_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_destination(text, "the route of bob@example.com")
    assert reason in str(refused.value)


def test_a_rewriting_within_the_domain_is_refused() -> None:
    with pytest.raises(InvalidInput, match="which is in the same domain"):
        parse_routes([{"address": "bob@example.com", "to": "robert@example.com"}], "example.com")
