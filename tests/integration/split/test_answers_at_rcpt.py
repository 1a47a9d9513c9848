# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what a sender notices: the answers of two real servers with split domains to each recipient from each host.

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from postfix_instance import Instance
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

RELAYING_DENIED = "554 5.7.1"


@dataclass(frozen=True)
class Pair:
    """Two sites of example.com. b.example.com and example.org are shared with a lab that cannot be reached."""

    hq: SplitServer
    cloud: SplitServer


def peer(site: str, server_address: str, port: int = 25, **more: Any) -> dict[str, Any]:
    return {"site": site, "relay": {"host": server_address, "port": port}, **more}


@pytest.fixture(scope="module")
def pair(network: Network) -> Iterator[Pair]:
    with ExitStack() as servers:
        hq = servers.enter_context(configured_server(network, "hq"))
        cloud = servers.enter_context(configured_server(network, "cloud"))
        hq.start()
        cloud.start()
        to_cloud = f"[{cloud.address}]:{cloud.port}"
        hq.routes(
            "example.com",
            routes=[{"address": "ann@example.com", "to": "local"}, {"address": "bob@example.com", "to": to_cloud}],
        )
        hq.routes(
            "b.example.com",
            routes=[
                {"address": "dan@b.example.com", "to": "local"},
                {"address": "eve@b.example.com", "to": network.lab},
            ],
        )
        hq.split(
            {"domain": "example.com", "unknown": "cloud", "peers": [peer("cloud", cloud.address, cloud.port)]},
            {"domain": "b.example.com", "unknown": "lab", "peers": [peer("lab", network.lab)]},
            {"domain": "example.org", "peers": [peer("lab", network.lab)]},
        )
        cloud.routes(
            "example.com",
            routes=[{"address": "bob@example.com", "to": "local"}, {"address": "cyd@example.com", "to": "local"}],
        )
        cloud.split({"domain": "example.com", "unknown": "hq", "peers": [peer("hq", hq.address, hq.port)]})
        yield Pair(hq, cloud)


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("outside", "ann@example.com", "250"),
        ("outside", "ANN@Example.COM", "250"),
        ("outside", "ann+news@example.com", "250"),
        ("outside", "bob@example.com", "250"),
        ("outside", "Bob+News@example.com", "250"),
        ("outside", "cyd@example.com", "250"),  # only call-ahead knows
        ("outside", "nobody@example.com", "550 5.1.1"),
        ("outside", "postmaster@example.com", "250"),  # an alias of this server's own
        ("outside", "dan@b.example.com", "250"),
        ("outside", "eve@b.example.com", "250"),  # known, so nobody asks the lab, which is down
        ("outside", "@example.com", "550 5.1.1"),
        ("outside", '""@example.com', "550 5.1.1"),
        ("outside", "@b.example.com", "550 5.1.1"),  # nobody needs to be asked
        ("outside", "@example.org", "550 5.1.1"),
        ("outside", "..@example.com", "550 5.1.1"),
        ("outside", "ann@example.com.", "250"),
        ("outside", "split_domain_welcome_cloud@example.com", "550 5.1.1"),
        ("outside", "nobody@b.example.com", "450"),
        ("outside", "ann@b.example.com", "450"),  # her name in the other domain is nobody's
        ("outside", "nobody@example.org", "550 5.1.1"),
        ("outside", "nobody@sub.example.com", RELAYING_DENIED),
        ("outside", "ann@sub.example.com", RELAYING_DENIED),
        ("outside", "nobody@c.b.example.com", RELAYING_DENIED),
        ("outside", "someone@elsewhere.test", RELAYING_DENIED),
        ("outside", "ann%elsewhere.test@example.com", "5"),
        ("outside", "carl@example.net", "250"),
        ("outside", "sales@example.net", "250"),
        ("outside", "closed@example.net", "550 5.2.1"),
        ("outside", "nobody@example.net", "550 5.1.1"),
        ("cloud", "ann@example.com", "250"),
        ("cloud", "bob@example.com", "554 5.4.6"),
        ("cloud", "@example.com", "550 5.1.1"),
        ("cloud", "split_domain_welcome_cloud@example.com", "550 5.1.1"),
        ("cloud", "BOB+news@example.com", "554 5.4.6"),
        ("cloud", "nobody@example.com", "550 5.1.1"),
        ("cloud", "cyd@example.com", "550 5.1.1"),
        ("cloud", "postmaster@example.com", "250"),
        ("cloud", "dan@b.example.com", "250"),
        ("cloud", "eve@b.example.com", "250"),  # cloud is no site of this domain
        ("cloud", "nobody@b.example.com", "450"),
        ("cloud", "nobody@sub.example.com", RELAYING_DENIED),
        ("cloud", "someone@elsewhere.test", RELAYING_DENIED),
        ("cloud", "carl@example.net", "250"),
        ("lab", "eve@b.example.com", "554 5.4.6"),  # although the lab is in mynetworks
        ("lab", "nobody@b.example.com", "550 5.1.1"),
        ("lab", "dan@b.example.com", "250"),
        ("lab", "bob@example.com", "250"),
        ("lab", "nobody2@example.com", "550"),
        ("lab", "nobody@example.org", "550 5.1.1"),
        ("lab", "someone@elsewhere.test", "250"),
        ("hq", "ann@example.com", "250"),
        ("hq", "bob@example.com", "250"),
        ("hq", "@example.com", "550 5.1.1"),
        ("hq", "nobody@example.org", "550 5.1.1"),
        ("hq", "someone@elsewhere.test", "250"),
        ("hq", "nobody@sub.example.com", "250"),  # not caught: somebody else's domain
    ],
)
def test_hq_answers(pair: Pair, client: str, recipient: str, reply: str) -> None:
    assert str(pair.hq.ask(recipient, client)).startswith(reply)


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("outside", "bob@example.com", "250"),
        ("outside", "ann@example.com", "250"),  # only call-ahead knows
        ("outside", "nobody@example.com", "550"),
        ("hq", "bob@example.com", "250"),
        ("hq", "ann@example.com", "550 5.1.1"),
        ("hq", "nobody@example.com", "550 5.1.1"),
        ("hq", "someone@elsewhere.test", RELAYING_DENIED),
    ],
)
def test_cloud_answers(pair: Pair, client: str, recipient: str, reply: str) -> None:
    assert str(pair.cloud.ask(recipient, client)).startswith(reply)


def test_what_another_site_said_is_in_the_log_and_no_stranger_is_told(pair: Pair) -> None:
    asked = {"nobody@example.com": ("550 5.1.1", "undeliverable"), "nobody@b.example.com": ("450 4.1.1", "unverified")}
    for recipient, (codes, is_so) in asked.items():
        text = f"{codes} <{recipient}>: Recipient address rejected: {is_so} address: Address lookup failed"
        assert str(pair.hq.ask(recipient)) == text
    (refused,) = {line for line in pair.hq.log().splitlines() if "to=<nobody@example.com>, relay=" in line}
    assert f"status=undeliverable (host {pair.cloud.address}[{pair.cloud.address}] said: 550 5.1.1" in refused


def test_no_refusal_names_a_host_an_address_a_site_or_a_class(pair: Pair) -> None:
    recipients = ["bob@example.com", "nobody@example.com", "nobody@b.example.com", "eve@b.example.com", "@example.com"]
    inner = f"{pair.cloud.address}|{pair.hq.network.lab}|cloud|lab|split_domain|relay:"
    for client in ("outside", "cloud", "lab"):
        for recipient in recipients:
            said = str(pair.hq.ask(recipient, client))
            assert not re.search(inner, said), said


def test_mail_for_a_sub_domain_is_routed_as_if_there_were_no_split(pair: Pair) -> None:
    assert pair.hq.lookup(f"lmdb:{pair.hq.ours}/mail_domains", "sub.example.com") is None
    assert pair.hq.lookup(f"lmdb:{pair.hq.ours}/routes", "nobody@sub.example.com") is None


def test_a_stopped_peer_means_later_for_unknown_recipients_and_nothing_for_known_ones(pair: Pair) -> None:
    pair.cloud.stop()
    try:
        assert pair.hq.ask("bob@example.com").code == 250
        assert pair.hq.ask("never.asked.for@example.com").code == 450
        assert pair.hq.ask("never.asked.for.2@example.com", "lab").code == 450
    finally:
        pair.cloud.start()


def test_unknown_recipients_are_refused_also_where_postfix_is_told_to_take_the_unlisted(network: Network) -> None:
    with configured_server(network, "hq", GROWN_MAIN_CF + "\nsmtpd_reject_unlisted_recipient = no\n") as server:
        server.routes("example.org", routes=[{"address": "ann@example.org", "to": "local"}])
        server.split({"domain": "example.org", "peers": [peer("lab", network.lab)]})
        server.start()
        assert str(server.ask("nobody@example.org")).startswith("550 5.1.1")
        assert str(server.ask("nobody@example.org", "lab")).startswith("550 5.1.1")
        assert server.ask("ann@example.org").code == 250


def test_without_call_ahead_unknown_recipients_are_taken_and_the_peers_own_are_not(network: Network) -> None:
    with configured_server(network, "hq") as server:
        domain = {"domain": "example.com", "unknown": "cloud", "call_ahead": False}
        # As a program of its own: one that tests started may have Ansible's controller in it, which prints warnings.
        result = Instance.run(server, "split_domains", domains=[{**domain, "peers": [peer("cloud", network.cloud)]}])
        (warning,) = (text for text in result["warnings"] if "call-ahead" in str(text))
        assert "example.com forwards unknown recipients to cloud without call-ahead" in str(warning)
        server.start()
        assert server.ask("anybody@example.com").code == 250
        assert str(server.ask("anybody@example.com", "cloud")).startswith("550 5.1.1")
        assert str(server.ask("anybody@sub.example.com")).startswith(RELAYING_DENIED)


def test_nothing_was_refused_for_a_fault_of_the_configuration(pair: Pair) -> None:
    for server in (pair.hq, pair.cloud):
        assert server.command("postfix", "check").stderr == ""
        assert [line for line in server.log().splitlines() if re.search("warning|error|fatal|panic| 451 ", line)] == []


def test_route_info_foretells_where_recipients_go_and_what_strangers_hear(pair: Pair) -> None:
    local, to_cloud = "lmtp:unix:private/mailboxes", f"relay:[{pair.cloud.address}]:{pair.cloud.port}"
    to_lab = f"relay:[{pair.hq.network.lab}]:25"
    foretold = {
        "ann@example.com": (True, "accepted", local),
        "ANN+news@example.com": (True, "accepted", local),
        "bob@example.com": (True, "accepted", to_cloud),
        "cyd@example.com": (True, "asked_ahead", to_cloud),
        "nobody@example.com": (True, "asked_ahead", to_cloud),
        "postmaster@example.com": (True, "accepted", local),
        "eve@b.example.com": (True, "accepted", to_lab),
        "nobody@b.example.com": (True, "asked_ahead", to_lab),
        "nobody@example.org": (False, "refused", local),
        "nobody@sub.example.com": (None, "relay_denied", "smtp:sub.example.com"),
        "nobody@c.b.example.com": (None, "relay_denied", "smtp:c.b.example.com"),
        "special.example.net@example.net": (False, "refused", local),
        "carl@example.net": (True, "accepted", local),
        "closed@example.net": (True, "refused", local),
        "a@slow.example.net": (None, "relay_denied", "smtp:[192.0.2.1]"),
    }
    result = pair.hq.run("route_info", addresses=list(foretold))
    told = {
        one["address"]: (one["known"], one["at_rcpt"]["verdict"], f"{one['transport']}:{one['nexthop']}")
        for one in result["addresses"]
    }
    assert told == foretold
    for one in result["addresses"]:
        answer = pair.hq.ask(one["address"])
        if one["at_rcpt"]["verdict"] != "asked_ahead":
            assert answer.code == one["at_rcpt"]["code"], f"{one['address']}: {answer}"
