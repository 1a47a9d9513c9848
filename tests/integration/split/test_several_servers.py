# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of a site with two servers: whichever of them is down, mail and questions go through the other one at once.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from sent_mail import DISCARDED, delivered, send, wait_until
from split_network import Network
from split_server import SplitServer, configured_server

BOB = "bob@example.com"


@dataclass(frozen=True)
class Sites:
    """The site hq with one server, and the site cloud with two, which know and take the same recipients."""

    hq: SplitServer
    first: SplitServer
    second: SplitServer

    @property
    def relays(self) -> list[dict[str, Any]]:
        """The servers of the site cloud, in the order in which they are tried."""
        return [{"host": server.address, "port": server.port} for server in (self.first, self.second)]


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as servers:
        names = ("hq", "cloud", "lab")
        found = Sites(*(servers.enter_context(configured_server(network, name)) for name in names))
        to_hq = {"host": found.hq.address, "port": found.hq.port}
        found.hq.routes("example.com", routes=[{"address": BOB, "to": found.relays}])
        peer = {"site": "cloud", "relays": found.relays}
        found.hq.split({"domain": "example.com", "unknown": "cloud", "peers": [peer]})
        for server in (found.first, found.second):
            known = [{"address": f"{name}@example.com", "to": "local"} for name in ("bob", "cyd", "dan")]
            routed = {"address": "ann@example.com", "to": [to_hq]}
            server.routes("example.com", routes=[*known, routed], local_transport=DISCARDED)
            server.split({"domain": "example.com", "peers": [{"site": "hq", "relay": to_hq}]})
        for server in (found.hq, found.first, found.second):
            server.start()
        yield found


def test_mail_goes_to_the_first_server_and_to_the_second_while_the_first_is_down(sites: Sites) -> None:
    send(sites.hq, BOB)
    wait_until(lambda: delivered(sites.first, BOB) == 1, sites.hq)
    sites.first.stop()
    try:
        send(sites.hq, BOB)
        wait_until(lambda: delivered(sites.second, BOB) == 1, sites.hq)
    finally:
        sites.first.start()
    sites.second.stop()
    try:
        send(sites.hq, BOB)
        wait_until(lambda: delivered(sites.first, BOB) == 2, sites.hq)
    finally:
        sites.second.start()
    assert "status=deferred" not in sites.hq.log()


def test_questions_are_answered_by_the_server_that_is_left(sites: Sites) -> None:
    sites.first.stop()
    try:
        assert sites.hq.ask("cyd@example.com").code == 250
        assert str(sites.hq.ask("nobody@example.com")).startswith("550 5.1.1")
    finally:
        sites.first.start()
    sites.second.stop()
    try:
        assert sites.hq.ask("dan@example.com").code == 250
        assert str(sites.hq.ask("nobody.2@example.com")).startswith("550 5.1.1")
        sites.first.stop()
        assert sites.hq.ask(BOB).code == 250
        assert sites.hq.ask("nobody.3@example.com").code == 450
    finally:
        sites.second.start()
        sites.first.start()


@pytest.mark.parametrize("client", ["cloud", "lab"])
def test_nothing_goes_back_to_any_server_of_the_site_that_sent_it(sites: Sites, client: str) -> None:
    assert str(sites.hq.ask(BOB, client)).startswith("554 5.4.6")
    assert str(sites.hq.ask("cyd@example.com", client)).startswith("550 5.1.1")
    assert str(sites.hq.ask("nobody@example.com", client)).startswith("550 5.1.1")


def test_a_route_to_one_server_of_a_site_is_no_way_around_the_guard(sites: Sites) -> None:
    alone = {"address": "eve@example.com", "to": [sites.relays[1]]}
    sites.hq.routes("example.com", routes=[alone])
    try:
        assert str(sites.hq.ask("eve@example.com", "cloud")).startswith("554 5.4.6")
        assert sites.hq.ask("eve@example.com").code == 250
    finally:
        sites.hq.routes("example.com", routes=[alone], state="absent")


def test_another_server_of_the_same_site_is_answered_as_anybody(sites: Sites) -> None:
    assert sites.second.ask(BOB, "cloud").code == 250
    assert str(sites.second.ask("nobody@example.com", "cloud")).startswith("550 5.1.1")
    assert sites.second.ask("someone@elsewhere.test", "cloud").code == 554


def test_a_second_run_changes_nothing_and_check_mode_says_so(sites: Sites) -> None:
    peer = {"site": "cloud", "relays": sites.relays}
    wanted = {"domain": "example.com", "unknown": "cloud", "peers": [peer]}
    for check in (True, False):
        result = sites.hq.split(wanted, check=check)
        assert not result["changed"]
        assert result["domains"][0]["after"]["peers"][0]["relays"] == [{**one, "tls": "may"} for one in sites.relays]
    fewer = sites.hq.split({**wanted, "peers": [{"site": "cloud", "relay": sites.relays[0]}]}, check=True)
    assert fewer["changed"]


def test_a_server_that_is_this_one_is_refused_wherever_it_stands_in_the_list(sites: Sites) -> None:
    own = {"host": sites.hq.address}
    for relays in ([own, sites.relays[0]], [sites.relays[0], own]):
        peer = {"site": "cloud", "relays": relays, "clients": ["198.51.100.20"]}
        result = sites.hq.run("split_domains", domains=[{"domain": "example.org", "peers": [peer]}])
        assert result["failed"]
        assert "the peer cloud of example.org is this server itself" in result["msg"]


def test_a_peer_has_one_relay_or_several(sites: Sites) -> None:
    for peer in ({"site": "cloud"}, {"site": "cloud", "relay": sites.relays[0], "relays": sites.relays}):
        result = sites.hq.run("split_domains", domains=[{"domain": "example.org", "peers": [peer]}])
        assert result["failed"]
        assert "relay" in result["msg"] and "relays" in result["msg"]
