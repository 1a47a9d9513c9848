# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of SIGKILL at every step of a run: mail is taken or deferred but never refused for it, and the next run repairs.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from killed_runs import answers, is_taken_or_deferred, kill_at, steps
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
    wanted: list[dict[str, str]] = []
    for domains in wishes[::-1]:
        running.split(*domains, purge=True)
        wanted.insert(0, answers(running))
    killed = 0
    for step in steps(3):
        domains, after = wishes[(killed + 1) % 2], wanted[(killed + 1) % 2]
        if not kill_at(running, step, "split_domains", domains=domains, purge=True):
            break
        killed += 1
        check = running.command("postfix", "check")
        assert (check.returncode, check.stderr) == (0, ""), f"step {step}"
        assert all(is_taken_or_deferred(running, address) for address in KNOWN), f"step {step}"
        assert running.ask("nobody@example.com").code == 450, f"step {step}"
        running.split(*domains, purge=True)
        assert answers(running) == after, f"step {step}"
    else:
        pytest.fail("the module never came to its end")
    assert killed > 3


def test_a_change_of_the_routes_can_be_killed_anywhere(running: SplitServer) -> None:
    running.split({"domain": "example.com", "unknown": "cloud", "peers": [PEER]})
    wishes = [
        [{"address": address, "to": "local"} for address in (*KNOWN, "old@example.com")],
        [{"address": address, "to": "198.51.100.20"} for address in (*KNOWN, "new@example.com")],
    ]
    wanted = []
    for routes in wishes:
        running.routes("example.com", state="exact", routes=routes)
        wanted.append(answers(running))
    killed = 0
    for step in steps(1):
        routes, after = wishes[killed % 2], wanted[killed % 2]
        if not kill_at(running, step, "recipient_routes", domain="example.com", state="exact", routes=routes):
            break
        killed += 1
        assert all(running.ask(address).code == 250 for address in KNOWN), f"step {step}"
        running.routes("example.com", state="exact", routes=routes)
        assert answers(running) == after, f"step {step}"
    assert killed > 3


def test_the_first_set_up_and_the_removal_can_be_killed_anywhere(network: Network) -> None:
    arguments = {"domains": [{"domain": "example.com", "unknown": "cloud", "peers": [PEER]}]}
    with configured_server(network, "hq") as server:
        server.start()
        before = answers(server)
        server.split(*arguments["domains"])
        after = answers(server)
        server.split(purge=True)
        assert answers(server) == before
        setting_up = removing = True
        for step in steps(4):
            if setting_up:
                setting_up = kill_at(server, step, "split_domains", **arguments)
                check_foreign_mail(server, step)
            server.split(*arguments["domains"])
            assert answers(server) == after, f"step {step} of the set-up"
            if removing:
                removing = kill_at(server, step, "split_domains", domains=[], purge=True)
                check_foreign_mail(server, step)
            server.split(purge=True)
            assert answers(server) == before, f"step {step} of the removal"
            if not (setting_up or removing):
                return
    pytest.fail("the module never came to its end")


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
    wanted = []
    for wish in wishes:
        running.split(*wish["domains"], passwords=wish["passwords"])
        wanted.append(answers(running))
    killed = 0
    for step in steps(3):
        wish, after = wishes[killed % 3], wanted[killed % 3]
        if not kill_at(running, step, "split_domains", **wish):
            break
        killed += 1
        for path in running.config.rglob("*"):
            if path.is_file() and b"secret" in path.read_bytes():
                assert path.stat().st_mode & 0o077 == 0, f"step {step}: {path}"
        running.split(*wish["domains"], passwords=wish["passwords"])
        assert answers(running) == after, f"step {step}"
    else:
        pytest.fail("the module never came to its end")
    assert killed > 3


def check_foreign_mail(server: SplitServer, step: int) -> None:
    """The server's other mail is not disturbed, and nobody may relay through it."""
    assert server.command("postfix", "check").stderr == "", f"step {step}"
    assert server.ask("carl@example.net").code == 250, f"step {step}"
    assert server.ask("someone@elsewhere.test").code == 554, f"step {step}"
