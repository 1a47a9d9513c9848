# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of copies for a site that is not managed and sends them back, to whichever server of the domain.

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from mailbox_server import MAIN_CF
from mailbox_sink import MailboxSink, mailbox_sink
from split_network import network_with_lab_apart
from split_server import SplitServer, configured_server

from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import server_arguments

COPY_NAME = "lab.example.com.split-domain.invalid"


@dataclass(frozen=True)
class Sites:
    """Two managed sites, and the lab, which has no mailbox and sends all mail for the domain back to hq or cloud."""

    servers: dict[str, SplitServer]
    mailboxes: dict[str, MailboxSink]

    def sends_back_to(self, host: str) -> None:
        """Have the lab send everything to this server, and start it."""
        lab, to = self.servers["lab"], self.servers[host]
        route = f"relay:[{to.address}]:{to.port}"
        back = f"transport_maps = inline:{{{{ example.com = {route} }}, {{ example.org = {route} }}}}"
        lab.stop()
        assert lab.command("postconf", "-e", back).returncode == 0
        lab.start()

    def wait_for_refusals(self, count: int) -> None:
        """Wait until the lab has been refused so often; a copy of mail that it sent back may still be there before."""
        deadline = time.monotonic() + 30
        while self.servers["lab"].logged("554 5.4.6") < count:
            assert time.monotonic() < deadline, self.servers["lab"].log()
            time.sleep(0.05)

    def settled(self, subject: str) -> dict[str, int]:
        """Give how often each mailbox has a message when no mail is under way any more."""
        for _way in range(3):
            for host in ("hq", "cloud"):
                self.servers[host].wait_for_empty_queue()
        return {site: len(found) for site, sink in self.mailboxes.items() if (found := sink.recipients(subject))}


def entry(servers: dict[str, SplitServer], mailboxes: dict[str, MailboxSink]) -> dict[str, Any]:
    """Give the domain as users write it."""
    relays = {
        host: {"relay": {"host": server.address, "port": server.port}, "clients": [server.address]}
        for host, server in servers.items()
    }
    own = {host: {"hosts": [host], "local_transport": sink.transport} for host, sink in mailboxes.items()}
    return {
        "domain": "example.com",
        "alias_domains": ["example.org"],
        "directory": [
            {"address": "ann@example.com", "site": "hq", "copy": "lab"},
            {"address": "bob@example.com", "site": "cloud", "copy": ["hq", "lab"]},
            {"address": "cyd@example.com", "site": "cloud"},
        ],
        "sites": [
            {"name": "hq", "role": "master", **relays["hq"], **own["hq"]},
            {"name": "cloud", **relays["cloud"], **own["cloud"]},
            {"name": "lab", **relays["lab"], "unknown": "hq"},
        ],
    }


@pytest.fixture(scope="module")
def sites() -> Iterator[Sites]:
    with ExitStack() as stack:
        network = stack.enter_context(network_with_lab_apart())
        takes_everything = MAIN_CF + "relay_domains = example.com example.org\nrelay_recipient_maps =\n"
        servers = {
            "hq": stack.enter_context(configured_server(network, "hq")),
            "cloud": stack.enter_context(configured_server(network, "cloud")),
            "lab": stack.enter_context(configured_server(network, "lab", takes_everything)),
        }
        mailboxes = {host: stack.enter_context(mailbox_sink(network, host)) for host in ("hq", "cloud")}
        for host in mailboxes:
            found = server_arguments([entry(servers, mailboxes)], host)
            for routes in found["routes"]:
                given = {name: value for name, value in routes.items() if name != "rewrites"}
                servers[host].routes(given.pop("domain"), **given)
            servers[host].split(*found["domains"])
            servers[host].start()
        yield Sites(servers, mailboxes)


@pytest.mark.parametrize("back_to", ["hq", "cloud"])
def test_a_copy_that_comes_back_is_refused_by_every_server_at_its_first_return(sites: Sites, back_to: str) -> None:
    sites.sends_back_to(back_to)
    for name, mailboxes in (("ann", {"hq": 1}), ("bob", {"hq": 1, "cloud": 1})):
        for entrance in ("hq", "cloud"):
            for domain in ("example.com", "example.org"):
                subject = f"{name} of {domain} at {entrance}, back to {back_to}"
                before = sites.servers["lab"].logged("554 5.4.6")
                sites.servers[entrance].deliver(f"{name}@{domain}", subject, "outside")
                sites.wait_for_refusals(before + 1)
                assert sites.settled(subject) == mailboxes
    for server in (sites.servers["hq"], sites.servers["cloud"]):
        assert server.logged("too many hops") == 0


@pytest.mark.parametrize("server", ["hq", "cloud"])
@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("lab", "ann@example.com", "554 5.4.6"),
        ("lab", "bob@example.com", "554 5.4.6"),
        ("lab", "BOB+news@example.com", "554 5.4.6"),
        ("lab", "ann+news@example.com", "554 5.4.6"),
        # Another name of the domain leads to the same copies.
        ("lab", "ann@example.org", "554 5.4.6"),
        ("lab", "Bob+news@example.org", "554 5.4.6"),
        ("lab", f"bob@{COPY_NAME}", "55"),
        # Whose mail the lab gets no copy of.
        ("lab", "cyd@example.com", "250"),
        ("lab", "cyd@example.org", "250"),
        ("outside", "ann@example.com", "250"),
        ("outside", "bob@example.org", "250"),
    ],
)
def test_answers(sites: Sites, server: str, client: str, recipient: str, reply: str) -> None:
    assert str(sites.servers[server].ask(recipient, client)).startswith(reply)


def test_nothing_is_wrong_with_the_configuration(sites: Sites) -> None:
    for host in ("hq", "cloud"):
        assert sites.servers[host].command("postfix", "check").stderr == ""
        assert [line for line in sites.servers[host].log().splitlines() if "fatal" in line or " 451 " in line] == []
