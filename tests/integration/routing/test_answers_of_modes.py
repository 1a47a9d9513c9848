# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what a server says at RCPT in each routing mode, with a second real server as the place where mailboxes are.

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from odd_addresses import ask_each, without_local_part
from routing_runs import route
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

DEBIAN = GROWN_MAIN_CF.replace("reject_unauth_destination", "defer_unauth_destination")


@pytest.fixture(scope="module")
def mailboxes(network: Network) -> Iterator[SplitServer]:
    """A server that has bob@example.com and nobody else."""
    with configured_server(network, "cloud") as server:
        bob = {"domain": "example.com", "mode": "local", "recipients": ["bob@example.com"], "call_ahead": False}
        route(server, {**bob, "local_transport": "discard:"})
        server.start()
        server.wait_for_smtp()
        yield server


@pytest.fixture
def debian(network: Network) -> Iterator[SplitServer]:
    """A server with the relay restrictions of Debian, whose last word is 454."""
    with configured_server(network, "hq", DEBIAN) as configured:
        yield configured


def to(server: SplitServer) -> str:
    return f"smtp:[{server.address}]:{server.port}"


def answer(server: SplitServer, recipient: str, client: str = "outside") -> str:
    """Give the final answer to a recipient: the first question about it may still be under way, which is 450."""
    deadline = time.monotonic() + 20
    while True:
        reply = server.ask(recipient, client)
        if reply.code != 450 or time.monotonic() > deadline:
            return str(reply)
        time.sleep(0.2)


def test_local_takes_who_is_listed_and_who_is_found_and_refuses_others(
    server: SplitServer, mailboxes: SplitServer
) -> None:
    domain = {"domain": "Example.COM.", "mode": "local", "local_transport": to(mailboxes)}
    result = route(server, {**domain, "recipients": ["Alice@example.com"]})
    assert result["changed"]
    server.start()
    server.wait_for_smtp()
    assert answer(server, "alice@example.com").startswith("250")
    assert answer(server, "alice+news@example.com").startswith("250")
    assert answer(server, "bob@example.com").startswith("250")
    assert answer(server, "nobody@example.com").startswith("550 5.1.1")
    assert answer(server, "bob@sub.example.com").startswith("554 5.7.1")
    assert answer(server, "carl@example.net").startswith("250")


def test_without_call_ahead_only_the_listed_are_taken(server: SplitServer, mailboxes: SplitServer) -> None:
    domain = {"domain": "example.com", "mode": "local", "recipients": ["alice@example.com"], "call_ahead": False}
    route(server, {**domain, "local_transport": to(mailboxes)})
    server.start()
    server.wait_for_smtp()
    assert answer(server, "alice@example.com").startswith("250")
    assert answer(server, "bob@example.com").startswith("550 5.1.1")


def test_an_address_without_a_local_part_is_refused_in_each_mode_whoever_sends_there(server: SplitServer) -> None:
    route(
        server,
        {"domain": "local.example", "mode": "local", "local_transport": "discard:"},
        {"domain": "listed.example", "mode": "local", "recipients": ["ann@listed.example"], "call_ahead": False},
        {"domain": "backup.invalid", "mode": "backup"},
        {"domain": "remote.example", "mode": "remote"},
    )
    server.start()
    server.wait_for_smtp()
    for domain in ("local.example", "listed.example", "backup.invalid", "remote.example"):
        recipients = without_local_part(domain)
        for client in ("outside", "lab"):
            said = {str(one)[:9] for one in ask_each(server, recipients, client).values()}
            assert said == {"550 5.1.1"}, f"{domain} to {client}"
        assert server.ask(f"..@{domain}").code in (250, 550, 554)
    server.logged("")
    assert not re.search("private/split_domain|transport unavailable", server.log())
    assert server.command("postqueue", "-j").stdout == ""


def test_backup_takes_the_listed_and_defers_whom_nobody_can_be_asked_about(server: SplitServer) -> None:
    # The exchangers of a name in .invalid cannot be found (RFC 2606), as if the primary could not be reached.
    route(server, {"domain": "gone.invalid", "mode": "backup", "recipients": ["alice@gone.invalid"]})
    server.start()
    server.wait_for_smtp()
    assert answer(server, "alice@gone.invalid").startswith("250")
    assert answer(server, "carol@gone.invalid")[:3] in ("450", "550")


def test_remote_is_refused_from_outside_for_good_and_taken_from_own_users(debian: SplitServer) -> None:
    route(debian, {"domain": "example.com", "mode": "remote"})
    debian.start()
    debian.wait_for_smtp()
    assert answer(debian, "bob@example.com").startswith("554 5.7.1")
    assert answer(debian, "bob@example.com", client="lab").startswith("250")
    # What the server's own settings say of everybody else is as it was.
    assert answer(debian, "bob@sub.example.com").startswith("454 4.7.1")
    assert answer(debian, "bob@elsewhere.invalid").startswith("454 4.7.1")
    assert answer(debian, "carl@example.net").startswith("250")


def test_a_local_sub_domain_of_a_remote_domain_is_taken(server: SplitServer) -> None:
    route(
        server,
        {"domain": "example.com", "mode": "remote"},
        {"domain": "sub.example.com", "mode": "local", "recipients": ["ann@sub.example.com"], "call_ahead": False},
    )
    server.start()
    server.wait_for_smtp()
    assert answer(server, "ann@sub.example.com").startswith("250")
    assert answer(server, "nobody@sub.example.com").startswith("550 5.1.1")
    assert answer(server, "ann@example.com").startswith("554 5.7.1")


def test_a_change_of_mode_is_in_force_when_the_run_ends(server: SplitServer, mailboxes: SplitServer) -> None:
    local = {"domain": "example.com", "mode": "local", "local_transport": to(mailboxes)}
    server.start()
    server.wait_for_smtp()
    for _time in range(2):
        first = route(server, local)
        assert answer(server, "bob@example.com").startswith("250")
        second = route(server, {"domain": "example.com", "mode": "remote"})
        assert answer(server, "bob@example.com").startswith("554 5.7.1")
        assert second["domains"][0]["before"]["mode"] == "local"
    assert first["domains"][0]["effective_before"] == "remote"
    route(server, second["domains"][0]["before"])
    assert answer(server, "bob@example.com").startswith("250")


def test_a_second_run_changes_nothing_and_reloads_nothing(server: SplitServer) -> None:
    domains = [
        {"domain": "example.com", "mode": "remote"},
        {"domain": "example.org", "mode": "backup", "recipients": ["b@example.org", "A@example.org"]},
    ]
    server.start()
    server.wait_for_smtp()
    assert route(server, *domains, check=True)["changed"]
    assert not server.ours.exists()
    assert route(server, *domains)["changed"]
    reloads = server.reloads()
    domains[1]["recipients"] = ["a@EXAMPLE.org", "b@example.org", "b@example.org"]
    again = route(server, *domains)
    assert not again["changed"]
    assert not again["server_changed"]
    assert not route(server, *domains, check=True)["changed"]
    assert server.reloads() == reloads


def test_the_queue_lifetime_is_the_longest_of_all_backups_and_is_given_back(server: SplitServer) -> None:
    def lifetime() -> str:
        return server.command("postconf", "-h", "maximal_queue_lifetime").stdout.strip()

    usual = lifetime()
    route(
        server,
        {"domain": "example.com", "mode": "backup", "queue_lifetime": "36h"},
        {"domain": "example.org", "mode": "backup", "queue_lifetime": "10d"},
    )
    assert lifetime() == "10d"
    route(server, {"domain": "example.org", "mode": "remote", "queue_lifetime": "10d"})
    assert lifetime() == "36h"
    route(server, {"domain": "example.com", "state": "absent"})
    assert lifetime() == usual
