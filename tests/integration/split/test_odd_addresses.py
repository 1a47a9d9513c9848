# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that addresses in odd forms get a final answer at RCPT from everybody's server, and lead into no table of ours.

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from mailbox_server import mailbox_server
from odd_addresses import ask_each, of_ann, of_no_domain, of_nobody, routed_on, without_local_part
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

CLIENTS = ("outside", "cloud", "lab")
"""A stranger, the other site, and a user of the server itself (mynetworks)."""
DOMAINS = {
    "asked ahead": {"unknown": "cloud"},
    "taken unasked": {"unknown": "cloud", "call_ahead": False},
    "refused": {},
    "caught": {"catch_all": "ann@example.com"},
}
# Nobody is checked but by the elements of the split itself.
LENIENT = GROWN_MAIN_CF + "\nsmtpd_reject_unlisted_recipient = no\n"
HELD = """\
mydestination = localhost
alias_maps =
virtual_mailbox_domains = example.com caught.example
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_alias_maps = lmdb:{config}/aliases
transport_maps =
"""
TABLES = {"mailboxes": "ann@example.com ann\n@caught.example ann\n", "aliases": "sales@example.com ann@example.com\n"}


@contextmanager
def two_sites(network: Network, main_cf: str, **settings: Any) -> Iterator[SplitServer]:
    """Give the first of two running sites of example.com."""
    with ExitStack() as stack:
        hq = stack.enter_context(configured_server(network, "hq", main_cf))
        cloud = stack.enter_context(configured_server(network, "cloud"))
        for server, other, name, more in ((hq, cloud, "cloud", settings), (cloud, hq, "hq", {"unknown": "hq"})):
            relay = {"host": other.address, "port": other.port}
            routes = [{"address": "ann@example.com", "to": "local" if server is hq else relay}]
            domain = {"domain": "example.com", "peers": [{"site": name, "relay": relay, "managed": True}], **more}
            server.routes("example.com", routes=routes, alias_domains=more.get("alias_domains"))
            server.split(domain)
            server.start()
        hq.wait_for_smtp()
        cloud.wait_for_smtp()
        yield hq


def check_that_no_class_was_taken_for_a_transport(server: SplitServer) -> None:
    server.logged("")
    strange = "private/split_domain|mail transport unavailable|Server configuration|error:|fatal:|panic:"
    assert [line for line in server.log().splitlines() if re.search(strange, line)] == []
    assert server.command("postqueue", "-j").stdout == ""


def codes(server: SplitServer, recipients: list[str], client: str) -> dict[str, str]:
    return {one: str(reply)[:9] for one, reply in ask_each(server, recipients, client).items()}


@pytest.mark.parametrize(
    ("settings", "main_cf"),
    [*((one, GROWN_MAIN_CF) for one in DOMAINS.values()), (DOMAINS["refused"], LENIENT)],
    ids=[*DOMAINS, "refused, though not by Postfix itself"],
)
def test_every_form_of_an_address_has_its_final_answer(
    network: Network, settings: dict[str, Any], main_cf: str
) -> None:
    with two_sites(network, main_cf, **settings) as hq:
        for client in CLIENTS:
            nobodys = codes(hq, of_nobody("example.com"), client)
            ordinary = str(hq.ask("nobody@example.com", client))[:9]
            assert set(nobodys.values()) == {ordinary}, "all of them are unknown recipients like any other"
            assert ordinary in ("250 2.1.5", "550 5.1.1")
            assert set(codes(hq, without_local_part("example.com"), client).values()) == {"550 5.1.1"}
            assert set(codes(hq, of_ann("example.com"), client).values()) == {"250 2.1.5"}
            if client != "lab":
                assert {said[0] for said in codes(hq, routed_on("example.com"), client).values()} == {"5"}
                assert {said[0] for said in codes(hq, of_no_domain("example.com"), client).values()} == {"5"}
                if main_cf == GROWN_MAIN_CF:
                    assert str(hq.ask(f"ann@[{hq.address}]", client)).startswith("550 5.1.1")
        check_that_no_class_was_taken_for_a_transport(hq)


def test_other_names_of_a_domain_do_not_stand_alone_either(network: Network) -> None:
    settings = {"unknown": "cloud", "alias_domains": ["alias.example"], "subdomain": "hq.example.com", "site": "hq"}
    names = ("alias.example", "hq.example.com", *(f"{one}.example.com.split-domain.invalid" for one in ("hq", "cloud")))
    with two_sites(network, GROWN_MAIN_CF, **settings) as hq:
        for client in CLIENTS:
            asked = [form for name in names for form in without_local_part(name)]
            assert set(codes(hq, asked, client).values()) == {"550 5.1.1"}
        check_that_no_class_was_taken_for_a_transport(hq)


def test_domains_that_are_not_ours_are_answered_for_as_before(network: Network) -> None:
    asked = [f"{form}{name}" for form in ("@", '""@', "..@") for name in ("example.net", "elsewhere.test")]
    with configured_server(network, "hq") as hq:
        hq.start()
        hq.wait_for_smtp()
        before = {client: ask_each(hq, asked, client) for client in ("outside", "lab")}
    with two_sites(network, GROWN_MAIN_CF, unknown="cloud") as hq:
        assert {client: ask_each(hq, asked, client) for client in before} == before


def test_where_the_server_has_the_domain_already_nothing_that_is_written_becomes_a_route_or_an_alias(
    network: Network,
) -> None:
    """An address that looks like the answer of a table is no answer of one."""
    with mailbox_server(network, "hq", HELD, TABLES) as hq:
        relay = {"host": network.cloud, "port": 25}
        for domain in ("example.com", "caught.example"):
            hq.routes(domain, routes=[{"address": f"bob@{domain}", "to": f"[{network.cloud}]:25"}])
        peers = [{"site": "cloud", "relay": relay}]
        hq.split(*({"domain": domain, "peers": peers} for domain in ("example.com", "caught.example")))
        hq.start()
        hq.wait_for_smtp()
        for client in CLIENTS:
            assert set(codes(hq, of_nobody("example.com"), client).values()) == {"550 5.1.1"}
            assert set(codes(hq, of_ann("example.com"), client).values()) == {"250 2.1.5"}
            alone = [*without_local_part("example.com"), *without_local_part("caught.example")]
            assert set(codes(hq, alone, client).values()) == {"550 5.1.1"}
            assert hq.ask("anybody@caught.example", client).code == 250
        check_that_no_class_was_taken_for_a_transport(hq)
