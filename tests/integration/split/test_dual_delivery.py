# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of dual delivery between real servers: a copy in each mailbox, once, whichever way the mail came in.

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from halted_runs import interrupt_everywhere
from mailbox_sink import MailboxSink, mailbox_sink
from split_network import Network
from split_server import SplitServer, configured_server


@dataclass(frozen=True)
class Sites:
    """Two managed sites, and a hosted service that is none, whose mailboxes are its server."""

    hq: SplitServer
    cloud: SplitServer
    mailboxes: dict[str, MailboxSink]

    def send(self, entrance: str, client: str, recipient: str, subject: str) -> None:
        {"hq": self.hq, "cloud": self.cloud}[entrance].deliver(recipient, subject, client)

    def settled(self, subject: str) -> dict[str, list[str]]:
        """Give the mailboxes that a message came to, by site, when no mail is under way any more."""
        for _way in range(2):
            self.hq.wait_for_empty_queue()
            self.cloud.wait_for_empty_queue()
        return {site: found for site, sink in self.mailboxes.items() if (found := sink.recipients(subject))}


def peer(site: str, server: SplitServer) -> dict[str, Any]:
    return {"site": site, "managed": True, "relay": {"host": server.address, "port": server.port}}


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as stack:
        hq = stack.enter_context(configured_server(network, "hq"))
        cloud = stack.enter_context(configured_server(network, "cloud"))
        mailboxes = {
            site: stack.enter_context(mailbox_sink(network, host))
            for site, host in (("hq", "hq"), ("cloud", "cloud"), ("hosted", "lab"))
        }
        address, port = mailboxes["hosted"].server_address[:2]
        hosted = {"site": "hosted", "relay": {"host": str(address), "port": port}}
        to_hq, to_cloud = f"[{hq.address}]:{hq.port}", f"[{cloud.address}]:{cloud.port}"
        for server, site, routes, peers in (
            (
                hq,
                "hq",
                [
                    {"address": "alice@example.com", "to": "local", "copy": ["cloud"]},
                    {"address": "ben@example.com", "to": "local", "copy": ["cloud", "hosted"]},
                    {"address": "cloe@example.com", "to": to_cloud, "copy": ["hq"]},
                    {"address": "dora@example.com", "to": "local"},
                ],
                [peer("cloud", cloud), hosted],
            ),
            (
                cloud,
                "cloud",
                [
                    {"address": "alice@example.com", "to": to_hq, "copy": ["cloud"]},
                    {"address": "ben@example.com", "to": to_hq, "copy": ["cloud"]},
                    {"address": "cloe@example.com", "to": "local", "copy": ["hq"]},
                    {"address": "dora@example.com", "to": to_hq},
                ],
                # The service is in the same network namespace, and so would be the cloud itself.
                [peer("hq", hq)],
            ),
        ):
            transport = mailboxes[site].transport
            server.routes("example.com", routes=routes, local_transport=transport, state="exact")
            server.split({"domain": "example.com", "site": site, "local_transport": transport, "peers": peers})
            server.start()
        yield Sites(hq, cloud, mailboxes)


WAYS = [("hq", "outside"), ("cloud", "outside"), ("hq", "hq"), ("cloud", "cloud")]


@pytest.mark.parametrize(("entrance", "client"), WAYS)
@pytest.mark.parametrize(
    ("name", "copies"),
    [
        ("alice", ("hq", "cloud")),
        ("ALICE+news", ("hq", "cloud")),
        ("ben", ("hq", "cloud", "hosted")),
        ("cloe", ("hq", "cloud")),
        ("dora", ("hq",)),
    ],
)
def test_each_site_gets_its_copy_once(
    sites: Sites, entrance: str, client: str, name: str, copies: tuple[str, ...]
) -> None:
    subject = f"{name} at {entrance} from {client}"
    sites.send(entrance, client, f"{name}@example.com", subject)
    found = {site: [one.lower() for one in mailboxes] for site, mailboxes in sites.settled(subject).items()}
    assert found == {site: [f"{name}@example.com".lower()] for site in copies}


@pytest.mark.parametrize(
    ("server", "client", "recipient", "reply"),
    [
        ("hq", "outside", "alice@example.com", "250"),
        ("hq", "cloud", "alice@example.com", "250"),  # a user of the cloud writes
        ("cloud", "hq", "alice@cloud.example.com.split-domain.invalid", "250"),
        ("cloud", "hq", "dora@cloud.example.com.split-domain.invalid", "550 5.1.1"),
        ("cloud", "outside", "nobody@cloud.example.com.split-domain.invalid", "550 5.1.1"),
        ("cloud", "outside", "alice@hq.example.com.split-domain.invalid", "550 5.1.1"),
        ("hq", "outside", "alice@cloud.example.com.split-domain.invalid", "550 5.1.1"),
        ("cloud", "hq", "alice@example.com", "554 5.4.6"),
        # The service would get its copy again, and so for ever.
        ("hq", "lab", "ben@example.com", "554 5.4.6"),
        ("hq", "lab", "ben+news@example.com", "554 5.4.6"),
        ("hq", "lab", "alice@example.com", "250"),
    ],
)
def test_answers(sites: Sites, server: str, client: str, recipient: str, reply: str) -> None:
    asked = {"hq": sites.hq, "cloud": sites.cloud}[server]
    assert str(asked.ask(recipient, client)).startswith(reply)


def test_a_copy_waits_for_a_site_that_is_down_and_the_other_has_its_own(sites: Sites) -> None:
    sites.cloud.stop()
    try:
        sites.send("hq", "outside", "alice@example.com", "down")
        assert sites.mailboxes["hq"].wait_for("down", 1) == ["alice@example.com"]
        refused = sites.hq.run("split_domains", purge=True)
        assert "wait in the queue of this server" in refused["msg"]
    finally:
        sites.cloud.start()
    sites.hq.command("postqueue", "-f")
    assert sites.mailboxes["cloud"].wait_for("down", 1) == ["alice@example.com"]
    assert sites.settled("down") == {"hq": ["alice@example.com"], "cloud": ["alice@example.com"]}


def test_nothing_was_refused_for_a_fault_of_the_configuration(sites: Sites) -> None:
    for server in (sites.hq, sites.cloud):
        assert server.command("postfix", "check").stderr == ""
        assert [line for line in server.log().splitlines() if re.search("fatal|panic| 451 |loops back", line)] == []


@pytest.fixture
def server(network: Network) -> Iterator[SplitServer]:
    with configured_server(network, "hq") as configured:
        yield configured


CLOUD = {"site": "cloud", "managed": True, "relay": {"host": "198.51.100.20"}}
HOSTED = {"site": "hosted", "relay": {"host": "198.51.100.30"}}
SETTINGS = {"domain": "example.com", "site": "hq", "peers": [CLOUD, HOSTED]}
COPIED = [{"address": "ann@example.com", "to": "local", "copy": ["cloud", "hosted"]}]
PLAIN = [{"address": "ann@example.com", "to": "local"}]


def test_the_server_is_given_back(server: SplitServer) -> None:
    before = server.files()
    server.split(SETTINGS)
    server.routes("example.com", routes=COPIED)
    assert server.files() != before
    server.split(purge=True)
    assert server.files() == before


def test_check_mode_predicts_and_a_second_run_changes_nothing(server: SplitServer) -> None:
    server.split(SETTINGS)
    foretold = server.routes("example.com", check=True, routes=COPIED)
    assert foretold == server.routes("example.com", routes=COPIED)
    assert not server.routes("example.com", routes=COPIED)["changed"]
    assert not server.routes("example.com", routes=COPIED, state="exact")["changed"]
    # The first of all steps of a run goes before copies can arrive, so it adds none and takes none away.
    assert not server.routes("example.com", routes=PLAIN, only_local=True)["changed"]
    assert server.routes("example.com", routes=PLAIN)["changed"]
    assert not server.routes("example.com", routes=COPIED, only_local=True)["changed"]


def test_a_change_of_copies_can_be_killed_anywhere(server: SplitServer) -> None:
    server.split(SETTINGS)
    server.start()
    server.routes("example.com", state="exact", routes=PLAIN)

    def look(moment: str) -> None:
        assert server.ask("ann@example.com").code == 250, moment

    for routes in (COPIED, PLAIN):
        interrupt_everywhere(server, look, "recipient_routes", domain="example.com", state="exact", routes=routes)
