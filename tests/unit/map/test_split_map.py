# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the split map as users write it: what it means, and what is said about what it cannot mean.

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import MappedDomain, parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.map.topology import SubDomain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.local_transport import parse_local_transport
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, parse_port, parse_relay

SHORTEST: dict[str, Any] = {
    "domain": "example.com",
    "sites": [
        {"name": "hq", "role": "master", "hosts": ["mx1.example.com"]},
        {"name": "cloud", "hosts": ["mx.cloud.example.net"]},
    ],
}
FULL: dict[str, Any] = {
    "domain": "Example.COM.",
    "state": "present",
    "directory": "files/example.com.csv",
    "mx": [{"preference": 10, "exchange": "mx1.example.com"}],
    "mx_ttl": "300",
    "sites": [
        {
            "name": "hq",
            "role": "master",
            "hosts": ["mx1.example.com"],
            "relay": {"host": "MX1.example.com.", "port": "2525", "tls": "encrypt"},
            "unknown": "cloud",
            "call_ahead": False,
            "local_transport": "lmtp:unix:private/dovecot-lmtp",
        },
        {
            "name": "cloud",
            "role": "slave",
            "relay": "198.51.100.20",
            "directory": [{"address": "bob@example.com"}],
            "clients": ["198.51.100.0/28"],
            "subdomain": "Cloud.example.com.",
            "subdomain_mx": [{"preference": "010", "exchange": "in.hosted.example.net"}],
        },
    ],
}


def parse_one(entry: Any) -> MappedDomain:
    return parse_split_map([entry])[0]


def changed(path: tuple[Any, ...], value: Any, base: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give a map entry with another value at one place; the place is a path of keys and positions."""
    entry = copy.deepcopy(FULL if base is None else base)
    place: Any = entry
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return entry


def test_two_hosts_and_their_sites_are_enough_to_start() -> None:
    mapped = parse_one(SHORTEST)
    assert [site.relay for site in mapped.split_domain.sites] == [
        Relay("mx1.example.com", 25, "may"),
        Relay("mx.cloud.example.net", 25, "may"),
    ]
    assert [site.role for site in mapped.split_domain.sites] == ["master", "slave"]
    assert mapped.present
    assert mapped.mx is None
    assert not mapped.call_ahead_off


def test_every_key_of_the_map_is_read() -> None:
    mapped = parse_one(FULL)
    hq, cloud = mapped.split_domain.sites
    assert mapped.split_domain.domain == "example.com"
    assert (hq.relay, hq.unknown) == (Relay("mx1.example.com", 2525, "encrypt"), "cloud")
    assert hq.local_transport == "lmtp:unix:private/dovecot-lmtp"
    assert (cloud.relay, cloud.hosts, cloud.clients) == (Relay("198.51.100.20"), (), ("198.51.100.0/28",))
    assert mapped.directory == ("files/example.com.csv",)
    assert mapped.site_directories == {"cloud": ({"address": "bob@example.com"},)}
    assert mapped.call_ahead_off == {"hq"}
    assert mapped.mx_ttl == 300
    assert (hq.subdomain, cloud.subdomain) == (
        None,
        SubDomain("cloud.example.com", (MxRecord(10, "in.hosted.example.net"),)),
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (changed(("sites", 0, "unknown"), "clowd"), "forwards unknown recipients to 'clowd', which is no site"),
        (changed(("sites", 0, "unknown"), "hq"), "forwards unknown recipients to itself"),
        (
            changed(("sites", 1, "unknown"), "hq"),
            "the sites hq and cloud of example.com forward unknown recipients to each other, and hq does so without",
        ),
        (
            changed(("sites", 0, "unknown"), ["cloud"]),
            "to a list, which is no site of the domain: name one of hq, cloud",
        ),
        (
            changed(("sites", 0, "role"), "primary"),
            "the site hq of example.com has role a text that is not shown: use one of master",
        ),
        (changed(("sites", 0, "role"), ["master"]), "has role a list"),
        (
            changed(("sites", 0, "name"), "h q"),
            "example.com has a site named 'h ********': use a short name of letters",
        ),
        (changed(("sites", 0, "name"), "hq\n"), "a site named 'hq********'"),
        (changed(("sites", 0, "name"), "${x}"), "a site named '${x}'"),
        (changed(("sites", 0, "name"), "\u212a"), "a site named"),
        (changed(("sites", 0, "name"), 7), "a site named 7"),
        (changed(("sites", 0, "name"), None), "a site named nothing"),
        (
            changed(("sites", 0, "hosts"), "mx1.example.com"),
            "'hosts' of the site hq of example.com is a text that is not shown: write a list of servers",
        ),
        (changed(("sites", 0, "hosts"), {"mx1": 1}), "write a list of servers"),
        (changed(("sites", 0, "hosts"), ["mx_1"]), "list the addresses that the site's mail comes from in 'clients'"),
        (changed(("sites", 0, "relay"), 25), "the relay of the site hq of example.com is 25: write a mapping"),
        (changed(("sites", 0, "relay"), {"port": 25}), "the relay of the site hq of example.com has no host"),
        (changed(("sites", 0, "relay", "host"), "mx1 example"), "white space"),
        (changed(("sites", 0, "relay", "host"), "[mx1]:25,static:x"), "host name"),
        (changed(("sites", 0, "relay", "host"), "fe80::1%x]:25, static:y"), "host name"),
        (changed(("sites", 0, "relay", "host"), "fe80::1%x\ny"), "control character"),
        (changed(("sites", 0, "relay", "host"), None), "has no host"),
        (changed(("sites", 0, "relay", "port"), 0), "has port 0: a port is a number from 1 to 65535"),
        (changed(("sites", 0, "relay", "port"), 65536), "has port 65536"),
        (changed(("sites", 0, "relay", "port"), True), "has port True"),
        (changed(("sites", 0, "relay", "port"), "smtp"), "has port 'smtp'"),
        (
            changed(("sites", 0, "relay", "tls"), "yes"),
            "has tls a text that is not shown: use one of none, may, encrypt",
        ),
        (changed(("sites", 0, "relay", "tls"), ["may"]), "has tls a list"),
        (changed(("sites", 0, "relay", "user"), "x"), "has an unknown key 'user': use host, port, tls"),
        (changed(("sites", 0, "forward"), "cloud"), "has an unknown key a text that is not shown: use name, role"),
        (changed(("sites", 0, "call_ahead"), "maybe"), "call_ahead a text that is not shown"),
        (changed(("sites", 0, "local_transport"), "lmtp:unix:a, static:b"), "write transport:nexthop"),
        (changed(("sites", 0, "local_transport"), "lmtp:$mydomain"), "write transport:nexthop"),
        (changed(("sites", 0, "local_transport"), "lmtp:a\nb"), "write transport:nexthop"),
        (changed(("sites", 0, "local_transport"), "lmtp:a\0b"), "write transport:nexthop"),
        (changed(("sites", 0, "local_transport"), "lmtp:a\x1bb"), "write transport:nexthop"),
        (changed(("sites", 1, "clients"), "198.51.100.20"), "'clients' of the site cloud of example.com"),
        (changed(("sites", 1, "clients"), [None]), "client"),
        (changed(("sites", 1, "clients"), ["198.51.100.300"]), "the host name '198.51.100.300' ends in a number"),
        (changed(("sites", 1, "clients"), ["198.51.100.0/33"]), "which is no network: write it as 198.51.100.0/28"),
        (changed(("sites", 1, "clients"), ["fe80::1%x\n0.0.0.0/0"]), "which is no network"),
        (changed(("sites", 1, "clients"), ["fe80::1%x\n0.0.0.0"]), "control character"),
        (changed(("sites", 1, "clients"), ["0.0.0.0/0"]), "which is everybody"),
        (changed(("sites", 1, "clients"), ["::/0"]), "which is everybody"),
        (changed(("sites", 1, "directory"), []), "'directory' of the site cloud of example.com is an empty list"),
        (changed(("sites", 1, "directory"), 7), "is 7: write a path, or a list of {address, site}"),
        (changed(("sites", 1, "subdomain"), "Example.com."), "example.com, which is a domain of split_domains itself"),
        (changed(("sites", 1, "subdomain"), ["x"]), "is a list: write one mail domain, as cloud.example.com"),
        (changed(("sites", 1, "subdomain"), "cloud example"), "white space"),
        (
            changed(("sites", 1, "subdomain"), None),
            "has subdomain_mx and no subdomain: name the one",
        ),
        (
            changed(("sites", 1, "subdomain_mx"), None),
            "cannot be its relay 198.51.100.20, because an exchange is the",
        ),
        (changed(("sites", 1, "subdomain_mx"), []), "'subdomain_mx' of the site cloud of example.com is an empty list"),
        (changed(("sites", 1, "subdomain_mx"), "10 mx"), "write a list of {preference, exchange}"),
        (
            changed(("sites", 0, "subdomain"), "CLOUD.example.com"),
            "is the subdomain of the site hq of example.com",
        ),
        (changed(("sites",), []), "example.com has 0 site(s)"),
        (changed(("sites",), None), "'sites' of example.com is nothing: write a list of sites"),
        (changed(("sites",), "hq, cloud"), "write a list of sites"),
        (changed(("sites",), {"hq": {}}), "write a list of sites"),
        (changed(("sites", 0), "hq"), "example.com has a site that is no mapping (a text that is not shown)"),
        (changed(("sites", 0), None), "a site that is no mapping (nothing)"),
        (changed(("sites", 1), {"name": "cloud"}), "the site cloud of example.com has neither hosts nor a relay"),
        (changed(("state",), "gone"), "example.com has state a text that is not shown: use present or absent"),
        (changed(("state",), ["present"]), "has state a list"),
        (changed(("directory",), []), "'directory' of example.com is an empty list"),
        (changed(("directory",), {"address": "bob@example.com"}), "write a path, or a list"),
        (changed(("mx",), "10 mx1.example.com"), "write a list of {preference, exchange}"),
        (changed(("mx",), ["10 mx1.example.com"]), "'mx' of example.com"),
        (changed(("mx_ttl",), "an hour"), "'mx_ttl' of example.com is 'an hour': write a number of seconds"),
        (changed(("mx_ttl",), "\u00b2"), "write a number of seconds"),
        (changed(("mx_ttl",), "9" * 5000), "write a number of seconds"),
        (changed(("mx_ttl",), [300]), "mx_ttl"),
        (changed(("mx_ttl",), -1), "mx_ttl"),
        (changed(("domain",), "example com"), "white space"),
        (changed(("domain",), None), "split_domains has an entry without 'domain'"),
        (changed(("domain",), 7), "split_domains has an entry without 'domain'"),
        (changed(("domain",), "192.0.2.1"), "is an IP address"),
        (changed(("master",), "hq"), "example.com has an unknown key a text that is not shown: use domain"),
        ("example.com", "split_domains has an entry without 'domain' (a text that is not shown)"),
        (None, "split_domains has an entry without 'domain' (nothing)"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name_and_with_a_cure(entry: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_split_map([entry])
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_inventory_name_that_is_no_host_name_is_taken_beside_relay_and_clients() -> None:
    entry = changed(("sites", 0, "hosts"), ["mx_1"])
    entry["sites"][0]["clients"] = ["198.51.100.10"]
    assert parse_one(entry).split_domain.sites[0].hosts == ("mx_1",)


@pytest.mark.parametrize("entries", [None, "example.com", {"domain": "example.com"}, 7, []])
def test_a_map_that_is_no_list_of_domains_is_refused(entries: Any) -> None:
    with pytest.raises(InvalidInput, match="^split_domains is "):
        parse_split_map(entries)


def test_the_exchange_of_a_sub_domain_is_the_relay_of_its_site_when_nothing_else_is_said() -> None:
    entry = changed(("sites", 1, "subdomain"), "cloud.example.com", SHORTEST)
    assert parse_one(entry).split_domain.sites[1].subdomain == SubDomain(
        "cloud.example.com", (MxRecord(10, "mx.cloud.example.net"),)
    )


def test_the_mx_set_of_a_sub_domain_that_belongs_to_others_is_left_alone_when_nothing_else_is_said() -> None:
    entry = changed(("sites", 1, "subdomain"), "example.com.hosted.example.net", SHORTEST)
    assert parse_one(entry).split_domain.sites[1].subdomain == SubDomain("example.com.hosted.example.net")


def test_a_relay_of_one_label_is_no_exchange() -> None:
    entry = changed(("sites", 1, "hosts"), ["mx"], SHORTEST)
    entry["sites"][1]["subdomain"] = "cloud.example.com"
    with pytest.raises(InvalidInput, match="whose exchange cannot be its relay mx, because .* in 'subdomain_mx'$"):
        parse_one(entry)


def test_the_same_domain_in_two_spellings_is_refused() -> None:
    with pytest.raises(InvalidInput, match="split_domains describes example.com twice: merge the two entries"):
        parse_split_map([SHORTEST, changed(("domain",), "EXAMPLE.com.", SHORTEST)])


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=4)),
    lambda children: st.one_of(
        st.lists(children, max_size=2), st.dictionaries(st.one_of(st.text(max_size=4), st.integers()), children)
    ),
    max_leaves=4,
)
PLACES = [
    *((key,) for key in ("domain", "directory", "mx", "mx_ttl", "sites", "state", "other")),
    *(
        ("sites", position, key)
        for position in (0, 1)
        for key in FULL["sites"][0].keys() | FULL["sites"][1].keys() | {"other"}
    ),
    *(("sites", 0, "relay", key) for key in ("host", "port", "tls", "other")),
    ("sites", 0),
    ("mx", 0),
]


@given(st.sampled_from(PLACES), JUNK)
def test_a_map_with_anything_at_one_place_is_read_or_refused_in_one_line(place: tuple[Any, ...], junk: Any) -> None:
    try:
        mapped = parse_one(changed(place, junk))
    except InvalidInput as refusal:
        assert "\n" not in str(refusal)
        assert len(str(refusal)) < 500
        return
    assert len(mapped.split_domain.sites) == 2


@pytest.mark.parametrize(
    ("value", "relay"),
    [
        ("MX.example.net.", Relay("mx.example.net")),
        ({"host": "198.51.100.20", "port": " 0587 "}, Relay("198.51.100.20", 587)),
        ({"host": "[2001:DB8::25]"}, Relay("2001:db8::25")),
        ({"host": "2001:db8:0::25"}, Relay("2001:db8::25")),
        ({"host": "mx.example.net", "tls": None, "port": None}, Relay("mx.example.net")),
        (["mx.example.net"], Relay("mx.example.net")),
        (
            ["b.example.net", {"host": "a.example.net", "port": 26, "tls": "encrypt"}],
            Relay("b.example.net", others=(Relay("a.example.net", 26, "encrypt"),)),
        ),
    ],
)
def test_every_spelling_of_a_relay_has_one_form(value: Any, relay: Relay) -> None:
    assert parse_relay(value, "the relay of x") == relay


def test_a_relay_is_shown_without_mx_lookup() -> None:
    assert str(Relay("mx.example.net", 2525)) == "[mx.example.net]:2525"
    assert str(parse_relay(["b.example.net", "a.example.net"], "x")) == "[b.example.net]:25,[a.example.net]:25"


def test_all_servers_of_a_site_are_its_relay_unless_it_says_otherwise() -> None:
    hosts = ["b.example.net", "a.example.net"]
    sites = [{"name": "hq", "role": "master", "hosts": ["mx"]}, {"name": "cloud", "hosts": hosts}]
    (mapped,) = parse_split_map([{"domain": "example.com", "sites": sites}])
    assert str(mapped.split_domain.sites[1].relay) == "[b.example.net]:25,[a.example.net]:25"


@given(st.integers(1, 65535))
def test_every_port_is_read_from_a_number_or_its_text(port: int) -> None:
    assert parse_port(port, "x") == parse_port(f" {port} ", "x") == parse_port(f"0{port}", "x") == port


def test_a_transport_without_colon_gets_one() -> None:
    assert parse_local_transport("dovecot", "x") == "dovecot:"
    assert parse_local_transport("dovecot:", "x") == "dovecot:"
    assert parse_local_transport(None, "x") is None


@given(st.text(max_size=30))
def test_a_local_transport_is_one_word_that_postfix_does_not_expand_or_is_refused(text: str) -> None:
    try:
        transport = parse_local_transport(text, "x")
    except InvalidInput as refusal:
        assert "\n" not in str(refusal)
        return
    assert transport is not None
    assert not set(transport) & set(' \t\r\n\v\f\0,${}#"')
    assert transport.isascii() and transport.isprintable()
