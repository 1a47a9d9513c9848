# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Networks that are wider than any one site need a word that they are meant, however they are cut into pieces.

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.model.clients import refuse_wide_clients
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.split_domains import parse_domains_request

WIDE = [
    ["10.0.0.0/7"],
    ["128.0.0.0/1"],
    ["10.0.0.0/8", "11.0.0.0/8"],
    ["10.0.0.0/8", "172.0.0.0/8"],
    [f"10.{number}.0.0/16" for number in range(256)] + [f"12.{number}.0.0/16" for number in range(256)],
    ["2000::/3"],
    ["2a00::/28"],
    ["2a00::/29", "2a08::/29"],
    ["2a00::/29", "2b00::/29"],
    ["64:ff9b::/103"],
    ["10.0.0.0/8", "64:ff9b::172.0.0.0/104"],
]
EVERYBODY = [
    ["0.0.0.0/1", "128.0.0.0/1"],
    [f"{number}.0.0.0/8" for number in range(256)],
    ["::/1", "8000::/1"],
    # All of IPv4, in the two ways in which IPv6 has it.
    ["::ffff:0:0/95"],
    ["::/29"],
    ["64:ff9b::/32"],
    ["64:ff9b::/97", "64:ff9b::128.0.0.0/97"],
]
ENOUGH = [
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/29"],
    ["203.0.113.0/28", "203.0.113.5", "2001:db8::25", "mx.example.net"],
    [f"10.{number}.0.0/16" for number in range(256)],
    ["64:ff9b::198.51.100.0/120", "64:ff9b:1::/48"],
    [],
]


def asked_of_the_map(clients: list[str], **word: Any) -> Any:
    sites = [{"name": "hq", "role": "master", "hosts": ["mx1.example.com"]}]
    sites.append({"name": "cloud", "role": "slave", "relay": {"host": "mx.example.net"}, "clients": clients, **word})
    return parse_split_map([{"domain": "example.com", "sites": sites}])


def asked_of_the_module(clients: list[str], **word: Any) -> Any:
    peer = {"site": "cloud", "relay": {"host": "mx.example.net"}, "clients": clients, **word}
    entry = {"domain": "example.com", "state": "present", "peers": [peer]}
    return parse_domains_request({"domains": [entry], "purge": False, "passwords": []})


ASKED = pytest.mark.parametrize("ask", [asked_of_the_map, asked_of_the_module])


@ASKED
@pytest.mark.parametrize("clients", WIDE)
def test_wide_networks_need_a_word(ask: Any, clients: list[str]) -> None:
    with pytest.raises(InvalidInput, match="allow_wide_clients: true") as refusal:
        ask(clients)
    assert len(str(refusal.value)) < 600
    ask(clients, allow_wide_clients=True)


@ASKED
@pytest.mark.parametrize("clients", EVERYBODY)
def test_everybody_is_refused_in_pieces_as_well(ask: Any, clients: list[str]) -> None:
    for word in ({}, {"allow_wide_clients": True}):
        with pytest.raises(InvalidInput, match="everybody together"):
            ask(clients, **word)


@ASKED
@pytest.mark.parametrize("clients", ENOUGH)
def test_the_networks_of_one_site_need_no_word(ask: Any, clients: list[str]) -> None:
    ask(clients)


@ASKED
@pytest.mark.parametrize("network", ["::ffff:0:0/96", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "::/0", "0.0.0.0/0"])
def test_other_spellings_of_everybody_are_refused_too(ask: Any, network: str) -> None:
    with pytest.raises(InvalidInput, match="everybody|IPv4"):
        ask([network], allow_wide_clients=True)


def test_the_word_is_true_or_false() -> None:
    with pytest.raises(InvalidInput, match="allow_wide_clients 'yes': write true or false"):
        asked_of_the_map(["10.0.0.0/7"], allow_wide_clients="yes")


def test_settings_that_a_server_has_already_can_be_read_as_they_are() -> None:
    (settings,) = asked_of_the_module(["10.0.0.0/7"], allow_wide_clients=True).present
    assert settings.as_arguments()["peers"][0]["allow_wide_clients"] is True
    refuse_wide_clients(["10.0.0.0/8"], False, "the site")
