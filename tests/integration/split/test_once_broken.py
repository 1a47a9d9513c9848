# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of ways in which a split was broken once: each of them lost mail, looped or bounced to strangers.

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator

import pytest
from split_network import Network
from split_server import SplitServer, configured_server


@pytest.fixture
def server(network: Network) -> Iterator[SplitServer]:
    """Give a server whose only peer, the lab, cannot be reached."""
    with configured_server(network, "hq") as hq:
        hq.start()
        hq.routes(
            "example.com",
            routes=[{"address": "ann@example.com", "to": "local"}, {"address": "bob@example.com", "to": network.lab}],
        )
        hq.split(split(network, unknown="lab"))
        yield hq


def split(network: Network, unknown: str | None) -> dict[str, object]:
    """Give the settings of example.com, which is shared with the lab."""
    return {"domain": "example.com", "unknown": unknown, "peers": [{"site": "lab", "relay": {"host": network.lab}}]}


@pytest.mark.parametrize("recipient", ["nobody.@example.com", ".@example.com", "no..body@example.com"])
def test_a_dot_at_the_end_of_an_unknown_local_part_is_asked_about_too(server: SplitServer, recipient: str) -> None:
    assert str(server.ask(recipient)).startswith("450")
    assert str(server.ask(recipient, client="lab")).startswith("550 5.1.1")


def test_a_recipient_that_was_refused_is_taken_as_soon_as_it_has_a_route(server: SplitServer) -> None:
    server.split(split(server.network, unknown=None))
    assert str(server.ask("new@example.com")).startswith("550 5.1.1")
    server.routes("example.com", routes=[{"address": "new@example.com", "to": "local"}])
    assert str(server.ask("new@example.com")).startswith("250")


def test_a_domain_is_not_given_up_under_mail_that_waits_for_it(server: SplitServer) -> None:
    server.network.at("outside", deliver, server, "bob@example.com")
    wait_for_queue(server)
    before = server.files()
    gone = {"domain": "example.com", "state": "absent"}
    refused = server.run("split_domains", domains=[gone])
    assert refused["failed"]
    assert "example.com wait in the queue of this server (bob@example.com)" in refused["msg"]
    assert server.files() == before
    assert server.command("postsuper", "-d", "ALL").returncode == 0
    assert server.split(gone)["changed"]


def test_an_alias_table_that_is_named_by_a_parameter_is_known_too(server: SplitServer) -> None:
    (server.config / "more").write_text("sales@example.com ann@example.com\n")
    text = server.main_cf.read_text()
    text = text.replace("virtual_alias_maps = ", "virtual_alias_maps = texthash:$config_directory/more, ")
    server.main_cf.write_text(text)
    server.split(split(server.network, unknown="lab"))
    assert str(server.ask("sales@example.com", client="lab")).startswith("250")


def test_a_server_that_delivers_by_path_is_not_given_routes_for_paths(network: Network) -> None:
    with configured_server(network, "hq") as hq:
        text = hq.main_cf.read_text()
        hq.main_cf.write_text(
            text.replace("virtual_transport = lmtp:unix:private/mailboxes", "virtual_transport = virtual")
        )
        before = hq.files()
        refused = hq.run(
            "recipient_routes", domain="example.com", routes=[{"address": "ann@example.com", "to": "local"}]
        )
        assert refused["failed"]
        assert "name another local_transport" in refused["msg"]
        assert hq.files() == before


def deliver(server: SplitServer, recipient: str) -> None:
    """Hand a message to the server from where the caller is."""
    with smtplib.SMTP(server.address, server.port, timeout=30) as smtp:
        smtp.sendmail("sender@example.org", [recipient], "Subject: a message\r\n\r\nA message.\r\n")


def wait_for_queue(server: SplitServer) -> None:
    """Wait until a message waits in the server's queue."""
    deadline = time.monotonic() + 20
    while '"queue_name"' not in server.command("postqueue", "-j").stdout:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.1)
