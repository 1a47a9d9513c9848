# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what kills leave at the steps of a run:
# mail is taken or deferred but never refused for it, and the next run repairs.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from halted_runs import interrupt_everywhere
from killed_runs import answers, is_taken_or_deferred
from split_network import Network
from split_server import SplitServer, configured_server

PEER = {"site": "cloud", "relay": {"host": "198.51.100.20"}}
LAB = {"site": "lab", "relay": {"host": "198.51.100.30"}, "clients": ["198.51.100.0/24"]}
KNOWN = ("ann@example.com", "bob@example.com")


@pytest.fixture
def running(server: SplitServer) -> Iterator[SplitServer]:
    server.start()
    return server


def test_a_change_of_the_settings_can_be_killed_anywhere(running: SplitServer) -> None:
    wishes: list[list[dict[str, Any]]] = [
        [{"domain": "example.com", "unknown": "cloud", "peers": [PEER]}],
        [
            {"domain": "example.com", "unknown": "lab", "peers": [PEER, LAB]},
            {"domain": "b.example.com", "peers": [LAB]},
        ],
    ]
    running.routes(
        "example.com",
        routes=[{"address": KNOWN[0], "to": "local"}, {"address": KNOWN[1], "to": "198.51.100.20"}],
    )
    before = running.split(*wishes[1], purge=True) and answers(running)
    running.split(*wishes[0], purge=True)

    def look(moment: str) -> None:
        check = running.command("postfix", "check")
        assert (check.returncode, check.stderr) == (0, ""), moment
        assert all(is_taken_or_deferred(running, address) for address in KNOWN), moment
        assert running.ask("nobody@example.com").code == 450, moment

    assert interrupt_everywhere(running, look, "split_domains", domains=wishes[1], purge=True) == before
    interrupt_everywhere(running, look, "split_domains", domains=wishes[0], purge=True)


def test_a_change_of_the_routes_can_be_killed_anywhere(running: SplitServer) -> None:
    running.split({"domain": "example.com", "unknown": "cloud", "peers": [PEER]})
    wishes = [
        [{"address": address, "to": "local"} for address in (*KNOWN, "old@example.com")],
        [{"address": address, "to": "198.51.100.20"} for address in (*KNOWN, "new@example.com")],
    ]
    running.routes("example.com", state="exact", routes=wishes[0])

    def look(moment: str) -> None:
        assert all(running.ask(address).code == 250 for address in KNOWN), moment

    for routes in wishes[::-1]:
        interrupt_everywhere(running, look, "recipient_routes", domain="example.com", state="exact", routes=routes)


def test_the_first_set_up_and_the_removal_can_be_killed_anywhere(network: Network) -> None:
    domains = [{"domain": "example.com", "unknown": "cloud", "peers": [PEER]}]
    with configured_server(network, "hq") as server:
        server.start()
        before = answers(server)

        def look(moment: str) -> None:
            """The server's other mail is not disturbed, and nobody may relay through it."""
            assert server.command("postfix", "check").stderr == "", moment
            assert server.ask("carl@example.net").code == 250, moment
            assert server.ask("someone@elsewhere.test").code == 554, moment

        interrupt_everywhere(server, look, "split_domains", domains=domains)
        assert interrupt_everywhere(server, look, "split_domains", domains=[], purge=True) == before


def test_a_change_of_passwords_can_be_killed_anywhere(running: SplitServer) -> None:
    plain = {"host": "198.51.100.20", "tls": "encrypt"}
    wishes = [
        {"domains": [{"domain": "example.com", "peers": [{"site": "cloud", "relay": relay}]}], "passwords": passwords}
        for relay, passwords in (
            ({**plain, "username": "hq"}, [{"host": plain["host"], "password": "first secret"}]),
            (plain, []),
            ({**plain, "username": "hq"}, [{"host": plain["host"], "password": "second secret"}]),
        )
    ]

    def look(moment: str) -> None:
        for path in running.config.rglob("*"):
            if path.is_file() and b"secret" in path.read_bytes():
                assert path.stat().st_mode & 0o077 == 0, f"{moment}: {path}"

    for wish in (*wishes, wishes[0]):
        interrupt_everywhere(running, look, "split_domains", **wish)
