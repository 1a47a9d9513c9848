# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of subdomain routing between two real servers: what each answers, and whose mailbox gets what.

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from halted_runs import interrupt_everywhere
from killed_runs import answers
from mailbox_sink import MailboxSink, mailbox_sink
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

SUBDOMAIN = "cloud.example.com"
RELAYING_DENIED = "554 5.7.1"
# An answer about unlisted recipients that does not come from Postfix's own check of them.
LENIENT = GROWN_MAIN_CF + "\nsmtpd_reject_unlisted_recipient = no\n"


@dataclass(frozen=True)
class Sites:
    """Two sites of example.com with their mailboxes; the second has the subdomain cloud.example.com."""

    hq: SplitServer
    cloud: SplitServer
    mailboxes_of_hq: MailboxSink
    mailboxes_of_cloud: MailboxSink


def find_by_mx(server: SplitServer, domain: str, target: SplitServer) -> None:
    """Make the server find a domain at another server, as MX records would."""
    table = server.config / "transport"
    table.write_text(table.read_text() + f"{domain} smtp:[{target.address}]:{target.port}\n")
    assert server.command("postmap", f"lmdb:{table}").returncode == 0


def settings(server: SplitServer, site: str, other: SplitServer, **more: Any) -> dict[str, Any]:
    peer = {"site": site, "relay": {"host": other.address, "port": other.port}, **more.pop("peer", {})}
    return {"domain": "example.com", "unknown": site, "peers": [peer], **more}


@contextmanager
def two_sites(network: Network, main_cf: str = GROWN_MAIN_CF) -> Iterator[Sites]:
    """Give two running sites that know of the subdomain, without routes at the first."""
    with ExitStack() as stack:
        hq = stack.enter_context(configured_server(network, "hq", main_cf))
        cloud = stack.enter_context(configured_server(network, "cloud", main_cf))
        sites = Sites(
            hq,
            cloud,
            stack.enter_context(mailbox_sink(network, "hq")),
            stack.enter_context(mailbox_sink(network, "cloud")),
        )
        find_by_mx(hq, SUBDOMAIN, cloud)
        cloud.routes(
            "example.com",
            routes=[
                {"address": "bob@example.com", "to": "local"},
                {"address": "cyd@example.com", "to": "local"},
                {"address": "ann@example.com", "to": f"[{hq.address}]:{hq.port}"},
            ],
            local_transport=sites.mailboxes_of_cloud.transport,
            subdomain=SUBDOMAIN,
        )
        cloud.split(settings(cloud, "hq", hq, subdomain=SUBDOMAIN, local_transport=sites.mailboxes_of_cloud.transport))
        hq.split(
            settings(hq, "cloud", cloud, peer={"subdomain": SUBDOMAIN}, local_transport=sites.mailboxes_of_hq.transport)
        )
        hq.start()
        cloud.start()
        yield sites


ROUTES_OF_HQ = [
    {"address": "ann@example.com", "to": "local"},
    {"address": "bob@example.com", "to": f"bob@{SUBDOMAIN}"},
    {"address": "robert@example.com", "to": f"bob@{SUBDOMAIN}"},
]


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with two_sites(network) as made:
        made.hq.routes("example.com", routes=ROUTES_OF_HQ)
        yield made


@pytest.fixture(scope="module")
def lenient_sites(network: Network) -> Iterator[Sites]:
    with two_sites(network, LENIENT) as made:
        made.hq.routes("example.com", routes=ROUTES_OF_HQ)
        yield made


ANSWERS_OF_HQ = [
    ("outside", "bob@example.com", "250"),
    ("outside", "BOB+news@Example.com", "250"),
    ("outside", "robert@example.com", "250"),
    ("outside", "ann@example.com", "250"),
    ("outside", "cyd@example.com", "250"),  # only call-ahead knows
    ("outside", "nobody@example.com", "550"),
    ("cloud", "bob@example.com", "554 5.4.6"),
    ("cloud", "bob+news@example.com", "554 5.4.6"),
    ("cloud", "robert@example.com", "554 5.4.6"),
    ("cloud", "ann@example.com", "250"),
    ("cloud", "cyd@example.com", "550 5.1.1"),
    ("outside", f"bob@{SUBDOMAIN}", RELAYING_DENIED),
]
ANSWERS_OF_CLOUD = [
    ("outside", f"bob@{SUBDOMAIN}", "250"),
    ("outside", f"BOB+news@{SUBDOMAIN}", "250"),
    ("hq", f"bob@{SUBDOMAIN}", "250"),
    ("hq", f"bob+news@{SUBDOMAIN}", "250"),
    ("outside", f"nobody@{SUBDOMAIN}", "550 5.1.1"),
    ("hq", f"nobody@{SUBDOMAIN}", "550 5.1.1"),
    ("outside", f"ann@{SUBDOMAIN}", "550 5.1.1"),  # she lives elsewhere
    ("hq", f"ann@{SUBDOMAIN}", "550 5.1.1"),
    ("outside", f"bob@x.{SUBDOMAIN}", RELAYING_DENIED),
    ("hq", "bob@example.com", "250"),
    ("outside", "bob@example.com", "250"),
    ("hq", "ann@example.com", "554 5.4.6"),
]


@pytest.mark.parametrize(("client", "recipient", "reply"), ANSWERS_OF_HQ)
def test_the_site_that_rewrites_answers(sites: Sites, client: str, recipient: str, reply: str) -> None:
    assert str(sites.hq.ask(recipient, client)).startswith(reply)


@pytest.mark.parametrize(("client", "recipient", "reply"), ANSWERS_OF_CLOUD)
def test_the_site_with_the_sub_domain_answers(sites: Sites, client: str, recipient: str, reply: str) -> None:
    assert str(sites.cloud.ask(recipient, client)).startswith(reply)


def test_the_unlisted_are_refused_also_where_postfix_is_told_to_take_them(lenient_sites: Sites) -> None:
    for client, recipient, reply in ANSWERS_OF_CLOUD:
        assert str(lenient_sites.cloud.ask(recipient, client)).startswith(reply), (client, recipient)


@pytest.mark.parametrize(
    ("entrance", "recipient", "mailbox"),
    [
        ("hq", "bob@example.com", "bob@example.com"),
        ("hq", "Bob+news@example.com", "bob+news@example.com"),
        ("hq", "robert@example.com", "bob@example.com"),
        ("hq", "cyd@example.com", "cyd@example.com"),
        ("cloud", "bob@example.com", "bob@example.com"),
        ("cloud", f"bob@{SUBDOMAIN}", "bob@example.com"),
        ("cloud", f"bob+news@{SUBDOMAIN}", "bob+news@example.com"),
    ],
)
def test_mail_is_in_the_mailbox_of_the_user_once(sites: Sites, entrance: str, recipient: str, mailbox: str) -> None:
    subject = f"{recipient} at {entrance}"
    {"hq": sites.hq, "cloud": sites.cloud}[entrance].deliver(recipient, subject)
    assert [one.lower() for one in sites.mailboxes_of_cloud.wait_for(subject, 1)] == [mailbox]
    sites.hq.wait_for_empty_queue()
    sites.cloud.wait_for_empty_queue()
    assert len(sites.mailboxes_of_cloud.recipients(subject)) == 1
    assert sites.mailboxes_of_hq.recipients(subject) == []


def test_mail_for_the_site_that_rewrites_comes_home_from_the_other(sites: Sites) -> None:
    sites.cloud.deliver("ann@example.com", "for ann")
    assert sites.mailboxes_of_hq.wait_for("for ann", 1) == ["ann@example.com"]


def test_the_next_hop_of_a_rewritten_address_is_that_of_the_sub_domain(sites: Sites) -> None:
    (told,) = sites.hq.run("route_info", addresses=["bob@example.com"])["addresses"]
    assert (told["known"], told["at_rcpt"]["verdict"]) == (True, "accepted")
    assert (told["transport"], told["nexthop"]) == ("smtp", f"[{sites.cloud.address}]:{sites.cloud.port}")


def test_a_second_run_changes_nothing_and_check_mode_tells_what_a_run_does(sites: Sites) -> None:
    assert not sites.hq.routes("example.com", routes=ROUTES_OF_HQ)["changed"]
    assert not sites.hq.routes("example.com", routes=ROUTES_OF_HQ, state="exact")["changed"]
    renamed = [{"address": "robert@example.com", "to": f"cyd@{SUBDOMAIN}"}]
    before = sites.hq.files(), sites.hq.times()
    foretold = sites.hq.routes("example.com", check=True, routes=renamed)
    assert (sites.hq.files(), sites.hq.times()) == before
    assert foretold == sites.hq.routes("example.com", routes=renamed)
    (diff,) = foretold["diff"]
    assert diff["after"] == f"robert@example.com\tcyd@{SUBDOMAIN}\n"
    sites.hq.routes("example.com", routes=ROUTES_OF_HQ, state="exact")


def test_nothing_was_refused_for_a_fault_of_the_configuration(sites: Sites) -> None:
    for server in (sites.hq, sites.cloud):
        assert server.command("postfix", "check").stderr == ""
        assert [line for line in server.log().splitlines() if re.search("warning|fatal|panic| 451 ", line)] == []


@pytest.fixture
def server(network: Network) -> Iterator[SplitServer]:
    with configured_server(network, "hq") as configured:
        yield configured


def with_subdomain(name: str | None, peers: str | None = None) -> dict[str, Any]:
    relay = {"host": "198.51.100.20"}
    return {
        "domain": "example.com",
        "subdomain": name,
        "peers": [{"site": "cloud", "relay": relay, "subdomain": peers}],
    }


def test_an_address_is_not_rewritten_to_the_sub_domain_of_its_own_site(server: SplitServer) -> None:
    server.split(with_subdomain("hq.example.com"))
    before = server.files()
    result = server.run(
        "recipient_routes",
        domain="example.com",
        routes=[{"address": "ann@example.com", "to": "ann@hq.example.com"}],
    )
    assert result["failed"]
    assert "ann@example.com is rewritten to the subdomain hq.example.com of this server's own site" in result["msg"]
    assert server.files() == before


def test_a_mailbox_that_comes_home_is_not_rewritten_any_more(server: SplitServer) -> None:
    server.split(with_subdomain("hq.example.com", "cloud.example.com"))
    server.start()
    server.routes("example.com", routes=[{"address": "ann@example.com", "to": "@cloud.example.com"}])
    assert str(server.ask("ann@hq.example.com")).startswith("550 5.1.1")
    server.routes("example.com", routes=[{"address": "ann@example.com", "to": "local"}], only_local=True)
    assert server.ask("ann@hq.example.com").code == 250
    assert "cloud.example.com" not in (server.ours / "aliases").read_text()
    server.routes("example.com", routes=[{"address": "ann@example.com"}], state="absent")
    assert str(server.ask("ann@hq.example.com")).startswith("550 5.1.1")
    assert str(server.ask("ann@example.com")).startswith("550 5.1.1")


def test_a_sub_domain_that_goes_is_forgotten_with_its_addresses(server: SplitServer) -> None:
    server.start()
    before = server.files()
    server.split(with_subdomain(None))
    server.routes("example.com", routes=[{"address": "ann@example.com", "to": "local"}], state="exact")
    without = {**answers(server), "split_domain/aliases": ""}
    server.split(with_subdomain("hq.example.com"))
    server.routes("example.com", routes=[{"address": "ann@example.com", "to": "local"}], state="exact")
    assert server.ask("ann@hq.example.com").code == 250
    server.split(with_subdomain(None))
    assert "@" not in (server.ours / "aliases").read_text()
    assert {**answers(server), "split_domain/aliases": ""} == without
    assert str(server.ask("ann@hq.example.com")).startswith(RELAYING_DENIED)
    server.split(purge=True)
    assert server.files() == before


def test_a_change_of_rewritten_routes_can_be_killed_anywhere(server: SplitServer) -> None:
    server.split(with_subdomain("hq.example.com", "cloud.example.com"))
    server.start()
    known = ("ann@example.com", "bob@example.com")
    wishes = [
        [{"address": address, "to": to} for address in known] for to in ("local", "@cloud.example.com", "198.51.100.20")
    ]
    server.routes("example.com", state="exact", routes=wishes[0])

    def look(moment: str) -> None:
        assert all(server.ask(address).code == 250 for address in known), moment

    for routes in (*wishes[1:], wishes[0]):
        interrupt_everywhere(server, look, "recipient_routes", domain="example.com", state="exact", routes=routes)
