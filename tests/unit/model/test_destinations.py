# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of routes: where mail for an address goes, and the text by which routes travel from controller to server.

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address, parse_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory import routes_of_listings
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import DirectoryEntry
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import (
    Rewriting,
    RoutesText,
    parse_destination,
    parse_routes,
    show,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, next_hop

LOCAL_PARTS = st.from_regex(r"[a-z0-9][a-z0-9&'*+/=?^_~-]{0,8}(\.[a-z]{1,3})?", fullmatch=True)
HOSTS = st.sampled_from(["mx.example.net", "198.51.100.20", "2001:db8::25", "mx1"])
SERVERS = st.builds(Relay, HOSTS, st.integers(1, 65535))
DESTINATIONS = st.one_of(
    st.none(),
    st.lists(SERVERS, min_size=1, max_size=3, unique_by=str).map(next_hop),
    st.builds(Rewriting, st.just("cloud.example.com"), st.one_of(st.none(), LOCAL_PARTS)),
)
TWO = Relay("a.example.net", others=(Relay("b.example.net", 26),))
ROUTES = st.dictionaries(st.builds(Address, st.just("example.com"), LOCAL_PARTS), DESTINATIONS, max_size=5)
TITLE = "mailops.split_domain routes of example.com\n"


@given(ROUTES)
def test_the_text_of_routes_is_read_as_what_was_written(routes: dict[Address, Any]) -> None:
    text = RoutesText.of("example.com", routes)
    assert RoutesText.parse(text.render()) == text
    assert RoutesText.unpack(text.pack()) == text
    lines = dict(line.split("\t") for line in text.lines.splitlines())
    assert {parse_address(address): parse_destination(to, "x") for address, to in lines.items()} == routes


@given(ROUTES, st.randoms())
def test_the_text_does_not_depend_on_the_order_of_the_routes(routes: dict[Address, Any], random: Any) -> None:
    shuffled = list(routes.items())
    random.shuffle(shuffled)
    assert RoutesText.of("example.com", dict(shuffled)) == RoutesText.of("example.com", routes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com\n",
        "mailops.split_domain routes of \n",
        TITLE + "bob@example.com\tlocal",
        TITLE + "bob@example.net\tlocal\n",
        TITLE + "bob@example.com local\n",
        TITLE + "bob@example.com\tlmtp:unix:x\n",
        TITLE + "bob@example.com\t[mx.example.net]\n",
        TITLE + "bob@example.com\t[mx.example.net]:25, static:x\n",
        TITLE + "bob@example.com\t[mx.example.net]:250000\n",
        TITLE + "bob@example.com\t[${x}]:25\n",
        TITLE + "@example.com\tlocal\n",
        TITLE + "example.com\tlocal\n",
        TITLE + "b ob@example.com\tlocal\n",
        TITLE + "bob@example.com\tlocal\n\n",
        TITLE + "# domain: example.net\n",
        TITLE + "bob@example.com\tlocal\n@example.com\tlocal\n",
        TITLE + "bob@example-com\tlocal\n",
        TITLE + "bob@exampleXcom\tlocal\n",
        TITLE + "bob@example.com\tbob@cloud.example.com,eve@example.net\n",
        TITLE + "bob@example.com\tbob@cloud.example.com eve@example.net\n",
        TITLE + "bob@example.com\t|command@cloud.example.com\n",
    ],
)
def test_any_other_line_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="leave it out, and name the file on the controller in 'src'"):
        RoutesText.parse(text).check()


@given(ROUTES.filter(bool), st.data())
def test_a_text_with_one_character_more_means_something_else_or_is_refused(
    routes: dict[Address, Any], data: Any
) -> None:
    text = RoutesText.of("example.com", routes).render()
    place = data.draw(st.integers(0, len(text)))
    character = data.draw(st.sampled_from('\n\t\r\0 ${}[]:,"#@!;\u00fc'))
    try:
        found = RoutesText.parse(text[:place] + character + text[place:])
        found.check()
    except InvalidInput:
        return
    assert all(character in "@:" or ord(character) < 128 for character in found.lines)
    for line in found.lines.splitlines():
        address, _tab, to = line.partition("\t")
        assert str(parse_address(address)) == address
        assert to == "local" or to.startswith("[") or "@" in to


@pytest.mark.parametrize(
    "packed",
    ["", "x", "bm9uZQ==", base64.b64encode(b"\x78\x9c").decode(), base64.b64encode(zlib.compress(b"\xff")).decode()],
)
def test_what_is_no_packed_text_is_refused(packed: str) -> None:
    with pytest.raises(InvalidInput, match="the option 'content'"):
        RoutesText.unpack(packed)


def test_transports_are_put_in_place_of_destinations() -> None:
    routes = {"ann": None, "bob": Relay("mx.example.net"), "cyd": Relay("2001:db8::25", 2525)}
    text = RoutesText.of("example.com", {Address("example.com", name): to for name, to in routes.items()})
    assert text.with_transports("lmtp:unix:private/dovecot", "relay") == (
        "ann@example.com\tlmtp:unix:private/dovecot\n"
        "bob@example.com\trelay:[mx.example.net]:25\n"
        "cyd@example.com\trelay:[2001:db8::25]:2525\n"
    )


@pytest.mark.parametrize(
    ("value", "destination"),
    [
        ("local", None),
        (" Local", None),
        ("MX.example.net.", Relay("mx.example.net")),
        ("mx.example.net:2525", Relay("mx.example.net", 2525)),
        ("[mx.example.net]:0025", Relay("mx.example.net")),
        ("198.51.100.20", Relay("198.51.100.20")),
        ("198.51.100.20:26", Relay("198.51.100.20", 26)),
        ("2001:DB8::25", Relay("2001:db8::25")),
        ("[2001:db8:0:0::25]:26", Relay("2001:db8::25", 26)),
        ("a.example.net, [b.example.net]:26", TWO),
        ([{"host": "a.example.net"}, "B.example.net:26"], TWO),
        ({"host": "mx.example.net"}, Relay("mx.example.net")),
        ({"host": "mx.example.net", "port": "26"}, Relay("mx.example.net", 26)),
    ],
)
def test_every_spelling_of_a_destination_has_one_form(value: Any, destination: Any) -> None:
    assert parse_destination(value, "x") == destination
    assert parse_destination(show(destination), "x") == destination


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "the route of bob does not say where mail goes: give 'to', as local or as host and port"),
        ("", "the route of bob goes to ''"),
        ("mx.example.net:smtp", "write local, host:port, or a mapping of host and port"),
        ("mx.example.net:0", "has port"),
        ("mx.example.net:99999", "has port"),
        ("smtp:[mx.example.net]:25", "the route of bob goes to 'smtp:********'"),
        ("mx example", "the route of bob goes to 'mx ********'"),
        ("${mydomain}", "host name '${mydomain}'"),
        ("[mx.example.net]:25, static:x", "the route of bob goes to"),
        ("fe80::1%x]:25\ny", "the route of bob goes to"),
        (25, "the route of bob is 25"),
        (["mx", " Local "], "the route of bob has local in a list of servers: write local alone"),
        ([{}], "the route of bob has no host"),
        ([["mx"]], "the route of bob is a list"),
        ([], "the route of bob is an empty list"),
        ("mx,", "the route of bob goes to ''"),
        ("mx:25, [mx]", "the route of bob names the server [mx]:25 twice"),
        ({}, "the route of bob has no host"),
        ({"host": ["mx"]}, "the route of bob has no host"),
        ({"host": "mx", "to": "local"}, "the route of bob has an unknown key a text that is not shown: use host"),
        (True, "the route of bob is True"),
    ],
)
def test_a_destination_that_is_none_is_refused_with_its_owner(value: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_destination(value, "the route of bob")
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_same_route_twice_is_one_route_and_two_different_ones_are_refused() -> None:
    twice = [{"address": "bob@example.com", "to": "mx:25"}, {"address": "BOB@example.com", "to": {"host": "MX"}}]
    assert parse_routes(twice, "example.com") == {parse_address("bob@example.com"): Relay("mx")}
    with pytest.raises(InvalidInput) as refusal:
        parse_routes([*twice, {"address": "bob@example.com", "to": "local"}], "example.com")
    assert str(refusal.value) == "bob@example.com is routed twice, to [mx]:25 and to local: remove one of them"


@pytest.mark.parametrize("entry", [None, "bob@example.com", 7, {}, {"address": 7}, {"address": None, "to": "local"}])
def test_a_route_without_an_address_is_refused(entry: Any) -> None:
    with pytest.raises(InvalidInput, match="the routes of example.com have an entry without 'address'"):
        parse_routes([entry], "example.com")


def test_a_directory_with_a_site_that_the_domain_does_not_have_is_told_with_its_place() -> None:
    listing = DirectoryEntry(parse_address("bob@example.com"), "clowd", "x.csv, line 3")
    with pytest.raises(InvalidInput) as refusal:
        routes_of_listings([listing], "example.com", {"hq": None, "cloud": Relay("mx")})
    assert str(refusal.value) == (
        "x.csv, line 3 puts bob@example.com on the site 'clowd', which example.com does not have: name one of cloud, hq"
    )
