# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the settings of a domain on one server: every spelling has one form, and what cannot be meant is refused.

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import (
    DomainSettings,
    Peer,
    parse_settings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, next_hop

SITES = st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True), min_size=1, max_size=4, unique=True)
CLIENTS = st.sampled_from(["198.51.100.20", "198.51.100.0/28", "2001:db8::/64", "2001:db8::25", "mx.example.net"])


@st.composite
def settings_of_domains(draw: st.DrawFn) -> DomainSettings:
    """Settings in canonical form, with one to four peers."""
    sites = sorted(draw(SITES))
    servers = st.builds(
        Relay,
        st.sampled_from(["mx.example.net", "198.51.100.20", "2001:db8::25"]),
        st.integers(1, 65535),
        st.sampled_from(["none", "may", "encrypt"]),
    )
    relays = st.lists(servers, min_size=1, max_size=3, unique_by=str).map(next_hop)
    return DomainSettings(
        domain=draw(st.sampled_from(["example.com", "b.example.com", "xn--bcher-kva.example"])),
        role=draw(st.sampled_from(["master", "slave"])),
        peers=tuple(
            Peer(
                site,
                draw(relays),
                tuple(sorted(draw(st.sets(CLIENTS, min_size=1, max_size=3)))),
                subdomain=draw(st.sampled_from([None, f"s{number}.peers.example.org"])),
            )
            for number, site in enumerate(sites)
        ),
        unknown=draw(st.one_of(st.none(), st.sampled_from(sites))),
        call_ahead=draw(st.booleans()),
        local_transport=draw(st.sampled_from([None, "lmtp:unix:private/dovecot-lmtp", "local:"])),
        subdomain=draw(st.sampled_from([None, "own.example.org"])),
    )


@given(settings_of_domains())
def test_settings_written_out_and_read_again_are_themselves(settings: DomainSettings) -> None:
    assert parse_settings(settings.as_arguments()) == settings


@given(settings_of_domains())
def test_unknown_recipients_go_to_the_relay_of_the_named_peer_or_nowhere(settings: DomainSettings) -> None:
    relays = {peer.site: peer.relay for peer in settings.peers}
    assert settings.unknown_relay == (None if settings.unknown is None else relays[settings.unknown])


GOOD: dict[str, Any] = {
    "domain": "example.com",
    "unknown": "cloud",
    "peers": [{"site": "cloud", "relay": {"host": "198.51.100.20"}}],
}


def test_everything_but_the_peer_has_a_default() -> None:
    settings = parse_settings(GOOD)
    assert settings == DomainSettings(
        domain="example.com",
        role="slave",
        peers=(Peer("cloud", Relay("198.51.100.20", 25, "may"), ("198.51.100.20",)),),
        unknown="cloud",
        call_ahead=True,
        local_transport=None,
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("198.51.100.20", "198.51.100.20"),
        (" [198.51.100.20] ", "198.51.100.20"),
        ("198.51.100.20/32", "198.51.100.20"),
        ("198.51.100.21/28", "198.51.100.16/28"),
        ("2001:DB8:0::25", "2001:db8::25"),
        ("2001:db8::25/64", "2001:db8::/64"),
        ("MX.example.net.", "mx.example.net"),
    ],
)
def test_every_spelling_of_a_client_has_one_form(written: str, read: str) -> None:
    entry = copy.deepcopy(GOOD)
    entry["peers"][0]["clients"] = [written]
    assert parse_settings(entry).peers[0].clients == (read,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peers": []}, "example.com has no peers: name at least one other site with its relay"),
        ({"peers": None}, "example.com has no peers"),
        ({"peers": GOOD["peers"] * 2}, "example.com names a peer site twice (cloud, cloud)"),
        ({"unknown": "clowd"}, "to 'clowd', which is none of its peers: name one of cloud"),
        ({"role": "primary"}, "example.com has role a text that is not shown: use one of master, slave"),
        ({"domain": "[192.0.2.1]"}, "is an IP address"),
        ({"domain": ""}, "is empty"),
        ({"local_transport": "a b"}, "example.com has local_transport 'a b': write transport:nexthop"),
        ({"local_transport": ""}, "example.com has local_transport ''"),
        ({"peers": [{"site": "cloud"}]}, "the relay of the peer cloud of example.com is nothing"),
        (
            {"peers": [{"site": "cloud", "relay": {"host": ""}}]},
            "the relay of the peer cloud of example.com has no host",
        ),
        ({"peers": [{"site": "c{d", "relay": {"host": "mx"}}]}, "example.com has a site named 'c{d'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_settings({**GOOD, **changes})
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)
