# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what split_domains and recipient_routes refuse on the server: one clear sentence, and nothing written.

from __future__ import annotations

import copy
from typing import Any

import pytest
from split_server import SplitServer

RELAY = {"host": "198.51.100.20"}
PEER = {"site": "cloud", "relay": RELAY}
DOMAIN = {"domain": "example.com", "unknown": "cloud", "peers": [PEER]}


def assert_refused(server: SplitServer, message: str, module: str, **arguments: Any) -> None:
    before = server.files(), server.times(), sorted(server.config.iterdir())
    result = server.run(module, **arguments)
    assert result.get("failed"), result
    assert message in result["msg"], result["msg"]
    assert "\n" not in result["msg"]
    assert "exception" not in result, result["exception"]
    assert server.run(module, check=True, **arguments)["msg"] == result["msg"]
    assert (server.files(), server.times(), sorted(server.config.iterdir())) == before


def with_peer(**changes: Any) -> dict[str, Any]:
    return {**DOMAIN, "peers": [{**PEER, **changes}]}


def with_relay(**changes: Any) -> dict[str, Any]:
    return with_peer(relay={**RELAY, **changes})


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ({"domain": "backup.example"}, "backup.example is in relay_domains of this server already"),
        ({"domain": "relayed.example"}, "relayed.example is in relay_domains of this server already (lmdb:"),
        ({"domain": "aliased.example"}, "aliased.example is in virtual_alias_domains of this server already (/"),
        ({"unknown": "clowd"}, "example.com forwards unknown recipients to 'clowd', which is none of its peers"),
        ({"peers": []}, "example.com has no peers: name at least one other site with its relay"),
        ({"peers": [PEER, PEER]}, "example.com names a peer site twice"),
        ({"domain": "exa mple.com"}, "holds white space or a control character: remove it"),
        ({"domain": "example.com\nmynetworks = 0.0.0.0/0"}, "holds white space or a control character"),
        ({"domain": "${mydomain}"}, "is not made of letters, digits and hyphens"),
        ({"domain": "stra\u00dfe.example"}, "on which IDNA2003 and IDNA2008 differ: write its A-label"),
        ({"domain": ""}, "the mail domain '' is empty: write a full domain name"),
        ({"local_transport": "lmtp:unix:x, static:y"}, "write transport:nexthop, as in lmtp:unix:private/dovecot-lmtp"),
        ({"local_transport": "${x}"}, "write transport:nexthop"),
        ({"local_transport": "lmtp:x\ny"}, "write transport:nexthop"),
        (with_peer(site="c d"), "example.com has a site named 'c ********': use a short name"),
        (with_peer(site="c\nd"), "a site named 'c********'"),
        (with_peer(site="${x}"), "a site named '${x}'"),
        (with_peer(clients=["198.51.100.20\n0.0.0.0/0"]), "which is no network: write it as 198.51.100.0/28"),
        (with_peer(clients=["0.0.0.0/0"]), "which is everybody: name the addresses its mail comes from"),
        (with_peer(clients=["198.51.100.0/99"]), "which is no network: write it as 198.51.100.0/28"),
        (with_peer(clients=["no-such-host.invalid"]), "no-such-host.invalid, whose address this server cannot find"),
        (with_relay(host="mx example"), "the host name 'mx ********' holds white space"),
        (with_relay(host="mx]:25, static:x"), "the host name 'mx]:********' holds white space"),
        (with_relay(host="fe80::1%x]:25\nstatic:x"), "white space or a control character"),
        (with_relay(host="${x}"), "is not made of letters, digits and hyphens"),
        (with_relay(host=""), "the relay of the peer cloud of example.com has no host"),
        (with_relay(port=0), "has port 0: a port is a number from 1 to 65535"),
        (with_relay(port=65536), "has port 65536"),
        (with_relay(host="127.0.0.1"), "the peer cloud of example.com is this server itself (relay [127.0.0.1]:25"),
        (with_relay(host="localhost"), "is this server itself"),
        (with_peer(clients=["127.0.0.1"]), "is this server itself"),
    ],
)
def test_a_domain_that_cannot_be_split(untouched: SplitServer, domain: dict[str, Any], message: str) -> None:
    assert_refused(untouched, message, "split_domains", domains=[{**DOMAIN, **copy.deepcopy(domain)}])


def test_a_master_cf_that_would_switch_the_split_off(untouched: SplitServer) -> None:
    master_cf = untouched.config / "master.cf"
    text = master_cf.read_text()
    master_cf.write_text(text + "smtp inet n - n - - smtpd\n  -o smtpd_relay_restrictions=permit\n")
    try:
        assert_refused(untouched, "master.cf sets smtpd_relay_restrictions", "split_domains", domains=[DOMAIN])
    finally:
        master_cf.write_text(text)


def test_a_relay_that_is_one_of_the_servers_own_addresses(untouched: SplitServer) -> None:
    domain = with_relay(host=untouched.address)
    assert_refused(
        untouched, f"address {untouched.address}): mail for it would come back here", "split_domains", domains=[domain]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "the option domains is empty: name at least one domain, or give purge to remove all of them"),
        ({"domains": []}, "the option domains is empty"),
        ({"domains": [DOMAIN, {**DOMAIN, "domain": "EXAMPLE.com."}]}, "the option domains names example.com twice"),
        ({"domains": [DOMAIN, {"domain": "example.com", "state": "absent"}]}, "names example.com twice"),
        ({"domains": [DOMAIN, {**DOMAIN, "domain": "backup.example"}]}, "backup.example is in relay_domains"),
        ({"domains": 7}, "domains"),
        ({"domains": "example.com"}, "dictionary requested"),
        ({"domains": [None]}, "domain"),
        ({"domains": [{}]}, "domain"),
        ({"domains": [{**DOMAIN, "domain": None}]}, "domain"),
        ({"domains": [{**DOMAIN, "domain": 7}]}, "'7' ends in a number"),
        ({"domains": [{**DOMAIN, "domain": ["example.com"]}]}, "domain"),
        ({"domains": [{**DOMAIN, "call_ahead": "maybe"}]}, "call_ahead"),
        ({"domains": [{**DOMAIN, "role": "primary"}]}, "role"),
        ({"domains": [{**DOMAIN, "peers": "cloud"}]}, "dictionary requested"),
        ({"domains": [{**DOMAIN, "peers": [None]}]}, "peers"),
        ({"domains": [with_peer(relay="198.51.100.20")]}, "dictionary requested"),
        ({"domains": [with_peer(relay=None)]}, "relay"),
        ({"domains": [with_peer(clients=[{"a": 1}])]}, "the host name"),
        ({"domains": [with_peer(clients=[None])]}, "the host name '' is empty"),
        ({"domains": [with_relay(port="smtp")]}, "port"),
        ({"domains": [with_relay(tls="yes")]}, "tls"),
        ({"domains": [{**DOMAIN, "name": "x"}]}, "name"),
    ],
)
def test_arguments_of_split_domains_that_fit_nothing(
    untouched: SplitServer, arguments: dict[str, Any], message: str
) -> None:
    assert_refused(untouched, message, "split_domains", **arguments)


def routed(address: Any, to: Any = "local") -> dict[str, Any]:
    return {
        "domain": "example.com",
        "routes": [{"address": "ann@example.com", "to": "local"}, {"address": address, "to": to}],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (routed("bob@example.net"), "'bob@example.net' does not belong to the split domain example.com: remove it"),
        (routed("bob@sub.example.com"), "does not belong to the split domain example.com"),
        (routed("b\nob@example.com"), "holds white space or a control character ('\\n'): remove it"),
        (routed("bob@example.com\n@example.com local:"), "holds the character '@'"),
        (routed("bob\n@example.com local:"), "holds white space or a control character"),
        (routed("b\0ob@example.com"), "holds white space or a control character ('\\x00'): remove it"),
        (routed("b ob@example.com"), "holds white space or a control character (' '): remove it"),
        (routed("b\tob@example.com"), "holds white space or a control character ('\\t'): remove it"),
        (routed('"bob"@example.com'), "has a quoted local part, which is not supported"),
        (routed("b'ob\"@example.com"), "holds the character '\"'"),
        (routed("${bob}@example.com"), "holds the character '$', which cannot stand in a mail table"),
        (routed("bob#x@example.com"), "holds the character '#'"),
        (routed("bob!x@example.com"), "holds the character '!'"),
        (routed("|bob@example.com"), "holds the character '|'"),
        (routed("b\u00f6b@example.com"), "has a non-ASCII local part, which needs SMTPUTF8"),
        (routed("@example.com"), "is not a mail address"),
        (routed("example.com"), "is not a mail address: write it as user@example.com"),
        (routed(""), "is not a mail address"),
        (routed(None), "address"),
        (routed(7), "'7' is not a mail address"),
        (
            routed("ann@example.com", "198.51.100.20"),
            "ann@example.com is routed twice, to local and to [198.51.100.20]",
        ),
        (routed("bob@example.com", None), "the route of bob@example.com does not say where mail goes"),
        (routed("bob@example.com", "lmtp:unix:x"), "the route of bob@example.com goes to 'lmtp:********'"),
        (routed("bob@example.com", "mx\nx"), "the route of bob@example.com goes to"),
        (routed("bob@example.com", "${mydomain}:25"), "is not made of letters"),
        (routed("bob@example.com", 25), "the route of bob@example.com is 25"),
        (routed("bob@example.com", ["local"]), "the route of bob@example.com has local in a list of servers"),
        (routed("bob@example.com", {"host": "mx", "user": "x"}), "the route of bob@example.com has an unknown key"),
        ({**routed("bob@example.com"), "local_transport": "lmtp:$x"}, "the routes of example.com has local_transport"),
        ({**routed("bob@example.com"), "domain": "exa mple.com"}, "holds white space"),
        ({**routed("bob@example.com"), "domain": ""}, "is empty"),
        ({**routed("bob@example.com"), "state": "gone"}, "state"),
        ({"domain": "example.com", "routes": []}, "the routes of example.com are empty: list addresses"),
        ({"domain": "example.com", "routes": [], "state": "absent"}, "the routes of example.com are empty"),
        ({"domain": "example.com"}, "routes"),
        ({**routed("bob@example.com"), "only_local": True, "state": "exact"}, "it goes with present only"),
        ({"domain": "example.com", "routes": "ann@example.com"}, "dictionary requested"),
        ({"domain": "example.com", "routes": [None]}, "routes"),
        ({"domain": "example.com", "routes": [{}]}, "address"),
        ({"domain": "example.com", "src": ["x.csv"]}, "src"),
        ({"domain": "example.com", "src": ["x.csv"], "state": "exact"}, "src"),
        ({"domain": "example.com", "src": [], "state": "exact"}, "src"),
        ({"domain": "example.com", "src": ["x.csv"], "content": "AAAA"}, "leave it out, and name the file"),
    ],
)
def test_routes_that_cannot_be_meant(untouched: SplitServer, arguments: dict[str, Any], message: str) -> None:
    assert_refused(untouched, message, "recipient_routes", **arguments)
