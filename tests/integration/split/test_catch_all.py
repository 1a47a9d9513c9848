# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of a catch-all between real servers: it gets what is for nobody, and nothing that is for anybody else.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from halted_runs import halting
from killed_runs import answers
from mailbox_sink import MailboxSink, mailbox_sink
from split_network import Network
from split_server import SplitServer, configured_server

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.restriction_classes import (
    UNLISTED_CLASS,
)

RELAYING_DENIED = "554 5.7.1"


@dataclass(frozen=True)
class Sites:
    """Headquarters has a catch-all, and the cloud forwards there whom it does not know."""

    servers: dict[str, SplitServer]
    mailboxes: dict[str, MailboxSink]


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as stack:
        servers = {host: stack.enter_context(configured_server(network, host)) for host in ("hq", "cloud")}
        mailboxes = {host: stack.enter_context(mailbox_sink(network, host)) for host in servers}
        listed = {"ann": "hq", "info": "hq", "bob": "cloud", "eve": "cloud"}
        for host, more in (("hq", {"catch_all": "info@example.com"}), ("cloud", {"unknown": "hq"})):
            server, other = servers[host], "cloud" if host == "hq" else "hq"
            relay = {"host": servers[other].address, "port": servers[other].port}
            routes = [
                {"address": f"{name}@example.com", "to": "local" if home == host else relay}
                for name, home in listed.items()
            ]
            for route in routes if host == "hq" else ():
                if route["address"].startswith("eve"):
                    route["to"] = "@sub.example.com"
            transport = mailboxes[host].transport
            server.routes(
                "example.com", routes=routes, state="exact", local_transport=transport, catch_all=host == "hq"
            )
            peer = {"site": other, "relay": relay, "subdomain": "sub.example.com" if other == "cloud" else None}
            server.split({"domain": "example.com", "local_transport": transport, "peers": [peer], **more})
            server.start()
        yield Sites(servers, mailboxes)


@pytest.mark.parametrize(
    ("way", "name", "site", "mailbox"),
    [
        ("outside > hq", "nobody", "hq", "info"),
        ("outside > hq", "nobody+news", "hq", "info"),
        ("outside > cloud", "nobody", "hq", "info"),
        ("hq > hq", "nobody", "hq", "info"),
        ("cloud > hq", "nobody", "hq", "info"),
        ("cloud > cloud", "nobody", "hq", "info"),
        ("outside > hq", "ann", "hq", "ann"),
        ("outside > hq", "ann+news", "hq", "ann+news"),
        ("outside > hq", "bob", "cloud", "bob"),
        ("outside > hq", "bob+news", "cloud", "bob+news"),
        ("outside > cloud", "bob", "cloud", "bob"),
        ("outside > cloud", "ann", "hq", "ann"),
        ("outside > hq", "info", "hq", "info"),
    ],
)
def test_mail_is_in_the_one_mailbox(sites: Sites, way: str, name: str, site: str, mailbox: str) -> None:
    client, _to, entrance = way.split()
    subject = f"{name} at {entrance} from {client}"
    sites.servers[entrance].deliver(f"{name}@example.com", subject, client)
    sites.mailboxes[site].wait_for(subject, 1)
    for server in sites.servers.values():
        server.wait_for_empty_queue()
    found = {host: [one.split("@")[0] for one in sink.recipients(subject)] for host, sink in sites.mailboxes.items()}
    # The extension of an address that nobody has is for the catch-all to see.
    assert [one.partition("+")[0] if mailbox == "info" else one for one in found.pop(site)] == [mailbox]
    assert not any(found.values())


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        ("nobody@example.com", "250"),
        ("nobody@x.example.com", RELAYING_DENIED),
        ("nobody@example.net", "550"),
        ("someone@elsewhere.test", RELAYING_DENIED),
        ("postmaster@example.com", "250"),
    ],
)
def test_the_catch_all_is_for_its_domain_alone(sites: Sites, recipient: str, reply: str) -> None:
    assert str(sites.servers["hq"].ask(recipient)).startswith(reply)


def test_a_rewritten_address_is_not_swallowed(sites: Sites) -> None:
    (told,) = sites.servers["hq"].run("route_info", addresses=["eve@example.com"])["addresses"]
    assert told["nexthop"] == "sub.example.com"
    assert str(sites.servers["hq"].ask("eve@example.com", "cloud")).startswith("554 5.4.6")


@pytest.fixture
def server(network: Network) -> Iterator[SplitServer]:
    with configured_server(network, "hq") as configured:
        yield configured


PEER = {"site": "cloud", "relay": {"host": "198.51.100.20"}}
PLAIN: dict[str, Any] = {"domain": "example.com", "peers": [PEER]}
CATCHING: dict[str, Any] = {**PLAIN, "catch_all": "ann@example.com"}
ROUTES = [{"address": "ann@example.com", "to": "local"}, {"address": "bob@example.com", "to": "198.51.100.20"}]


def test_the_catch_all_goes_without_a_trace(server: SplitServer) -> None:
    before = server.files()
    server.split(PLAIN)
    server.routes("example.com", routes=ROUTES, state="exact")
    plain = {**answers(server), "split_domain/aliases": ""}
    server.routes("example.com", routes=ROUTES, state="exact", catch_all=True)
    server.split(CATCHING)
    assert not server.routes("example.com", routes=ROUTES, state="exact", catch_all=True)["changed"]
    assert not server.split(CATCHING)["changed"]
    # Addresses are kept from it as long as it is there.
    assert not server.routes("example.com", routes=ROUTES, state="exact")["changed"]
    server.split(PLAIN)
    assert not server.routes("example.com", routes=ROUTES, state="exact")["changed"]
    now = answers(server)
    leftover = {name: text for name, text in now.items() if "catch_all" not in name}
    assert {**leftover, "split_domain/aliases": ""} == plain
    server.split(purge=True)
    assert server.files() == before


def test_nobodys_mail_is_not_taken_when_the_catch_all_has_gone_wherever_a_run_is_killed(server: SplitServer) -> None:
    server.routes("example.com", routes=ROUTES, state="exact", catch_all=True)
    server.split(CATCHING)
    seen = []
    with halting(server) as runs:
        for moment in runs.moments("split_domains", domains=[PLAIN]):
            seen.append(moment)
            domains = server.lookup(f"lmdb:{server.ours}/mail_domains", "?example.com")
            caught = "catch_all" in server.command("postconf", "-h", "virtual_alias_maps").stdout
            assert caught or domains == UNLISTED_CLASS, moment
    assert len(seen) > 3
    assert "catch_all" not in server.command("postconf", "-h", "virtual_alias_maps").stdout


def test_a_catch_all_of_the_servers_own_does_not_swallow_addresses_with_routes(server: SplitServer) -> None:
    table = server.config / "aliases"
    table.write_text(table.read_text() + "@example.com carl@example.net\n")
    assert server.command("postmap", f"lmdb:{table}").returncode == 0
    server.routes("example.com", routes=ROUTES, state="exact")
    server.split(PLAIN)
    told = {
        one["address"]: one["nexthop"]
        for one in server.run("route_info", addresses=["ann@example.com", "bob@example.com"])["addresses"]
    }
    assert told["bob@example.com"] == "[198.51.100.20]:25"
    assert server.lookup(f"lmdb:{server.ours}/aliases", "ann@example.com") == "ann@example.com"
    assert not server.routes("example.com", routes=ROUTES, state="exact")["changed"]


def test_a_catch_all_beside_a_site_that_is_asked_is_refused(server: SplitServer) -> None:
    result = server.run("split_domains", domains=[{**CATCHING, "unknown": "cloud"}])
    assert "has a catch_all and forwards unknown recipients to cloud" in result["msg"]
