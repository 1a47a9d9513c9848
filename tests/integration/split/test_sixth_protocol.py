# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of sites that reach each other over IPv6 alone: mail, questions, loops, and who is told that it cannot be.

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from sent_mail import DISCARDED, delivered, send, wait_until
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

BOB = "bob@example.com"


@dataclass(frozen=True)
class Sites:
    """Two servers with addresses of both protocols, whose relays and clients are IPv6 ones."""

    hq: SplitServer
    cloud: SplitServer

    def ask_cloud(self, recipient: str) -> str:
        """Return what cloud says to hq over IPv6."""
        network = self.hq.network
        source = (network.sixth_address("hq"), 0)
        with smtplib.SMTP(network.sixth_address("cloud"), self.cloud.port, timeout=30, source_address=source) as smtp:
            smtp.ehlo("hq.example.net")
            smtp.mail("sender@example.org")
            code, text = smtp.rcpt(recipient)
            return f"{code} {text.decode()}"


def relay_of(server: SplitServer) -> dict[str, Any]:
    return {"host": server.network.sixth_address(server.host), "port": server.port}


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as servers:
        found = []
        for name in ("hq", "cloud"):
            sixth = network.sixth_address(name)
            text = GROWN_MAIN_CF.replace("inet_protocols = ipv4", "inet_protocols = all")
            text = text.replace("inet_interfaces = {address}", f"inet_interfaces = {{address}}, {sixth}")
            server = servers.enter_context(configured_server(network, name, text))
            master = (server.config / "master.cf").read_text()
            (first,) = (line for line in master.splitlines() if line.startswith(f"{server.address}:"))
            listening = first.replace(f"{server.address}:", f"[{sixth}]:", 1)
            (server.config / "master.cf").write_text(f"{master}{listening}\n")
            found.append(server)
        hq, cloud = found
        hq.routes("example.com", routes=[{"address": BOB, "to": relay_of(cloud)}])
        hq.split({"domain": "example.com", "unknown": "cloud", "peers": [{"site": "cloud", "relay": relay_of(cloud)}]})
        known = [{"address": f"{name}@example.com", "to": "local"} for name in ("bob", "cyd")]
        routed = {"address": "ann@example.com", "to": relay_of(hq)}
        cloud.routes("example.com", routes=[*known, routed], local_transport=DISCARDED)
        cloud.split({"domain": "example.com", "peers": [{"site": "hq", "relay": relay_of(hq)}]})
        hq.start()
        cloud.start()
        yield Sites(hq, cloud)


def test_mail_and_questions_go_over_ipv6(sites: Sites) -> None:
    send(sites.hq, BOB)
    wait_until(lambda: delivered(sites.cloud, BOB) == 1, sites.hq)
    assert f"[{sites.hq.network.sixth_address('cloud')}]" in sites.hq.log()
    assert sites.hq.ask("cyd@example.com").code == 250
    assert str(sites.hq.ask("nobody@example.com")).startswith("550 5.1.1")


def test_a_site_is_known_by_its_ipv6_address(sites: Sites) -> None:
    assert sites.ask_cloud(BOB).startswith("250")
    assert sites.ask_cloud("ann@example.com").startswith("554 5.4.6")
    assert sites.ask_cloud("someone@elsewhere.test").startswith("554")


def test_an_address_of_a_protocol_that_the_server_does_not_speak_is_refused(network: Network) -> None:
    with configured_server(network, "hq") as server:
        before = server.files()
        peer = {"site": "cloud", "relay": {"host": "2001:db8::25"}}
        result = server.run("split_domains", domains=[{"domain": "example.com", "peers": [peer]}])
        assert result["failed"]
        assert "[2001:db8::25]:25 has an ipv6 address, and this server sends over ipv4 alone" in result["msg"]
        assert server.files() == before
